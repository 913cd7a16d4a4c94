"""A queue on disk: what is put is kept until it is consumed, across kills and power cuts, in order.

It is made of the journal's segments, so a damaged record loses itself alone. How far it has been read stands
in the newest segment, as frames of their own; segments that nobody needs any more are deleted. Used by one
thread at a time, which waits for the disk.
"""

from __future__ import annotations

import errno
import os
import secrets
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from airis_mon.journal.errors import JournalBrokenError, JournalError, JournalFullError
from airis_mon.journal.files import Files, PosixFiles
from airis_mon.journal.locks import locked
from airis_mon.journal.records import CONSUMED, HEAD_BYTES, Record
from airis_mon.journal.segments import Failures, Writer, segments
from airis_mon.journal.snapshots import snapshots

_HEADER = struct.Struct("<qIq")
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Bounds:
    """The most that a queue holds."""

    bytes: int = 1024 * 1024 * 1024
    """Of what has not been consumed."""
    seconds: float = 86_400.0
    """Since it was put."""
    segment_bytes: int = 8 * 1024 * 1024
    """At which a segment is sealed: how much the disk may hold beyond `bytes`."""
    free_bytes: int = 64 * 1024 * 1024
    """Left on the disk; with less, nothing is taken."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something to put."""

    payload: bytes
    weight: int
    """What is counted of it, such as its samples."""
    stamp: int
    """The owner's; the newest stamps are remembered beyond their consumption."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was put and is not yet consumed."""

    sequence: int
    size: int
    put: float
    """Seconds since 1970."""
    weight: int


class Queue:
    """The queue of one folder: `open`, then `put`, `head`, `read`, `consume`."""

    def __init__(
        self,
        folder: Path,
        bounds: Bounds = Bounds(),
        files: Files | None = None,
        salts: Callable[[], int] = lambda: secrets.randbits(32),
        now: Callable[[], float] = time.time,
    ) -> None:
        """Prepare; nothing is touched before `open`."""
        self._folder = folder
        self._bounds = bounds
        self._files = files or PosixFiles()
        self._salts = salts
        self._now = now
        self._lock: int | None = None
        self._writer: Writer | None = None
        self._entries: deque[Entry] = deque()
        self._given = self._consumed = 0
        self._stamps: dict[Path, int] = {}
        """The newest stamp of each segment."""
        self._newest: int | None = None
        self._loaded: tuple[Path, dict[int, bytes]] | None = None
        self.bytes = 0
        """Of what has not been consumed."""
        self.weight = 0
        """Of what has not been consumed."""
        self.damaged = 0
        """Places at which records were damaged and are lost."""
        self.torn_bytes = 0
        """Of a write that was interrupted before it was acknowledged, and was cut off at `open`."""

    def open(self) -> None:
        """Take the folder, made if need be, and find what is in it.

        JournalLockedError where another process has it, JournalVersionError for a later format,
        JournalBrokenError where it is a journal's, or the disk does not take a new segment.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        if snapshots(self._folder):
            raise JournalBrokenError(
                f"{self._folder} is the folder of a journal; choose another for the queue"
            )
        self._lock = locked(self._folder)
        found = segments(self._folder)
        failures = Failures(found)
        for segment in found:
            contents = segment.read()
            torn = contents.torn if segment is found[-1] else None
            self.damaged += sum(damage is not torn for damage in contents.damaged)
            self._consumed = max(self._consumed, contents.consumed)
            for frame in contents.frames:
                record = frame.record
                if len(record.payload) < _HEADER.size:
                    self.damaged += 1
                elif record.sequence > self._given and record.sequence not in failures:
                    self._add(record, segment.path)
            if torn is not None:
                self.torn_bytes += torn.end - torn.start
                self._cut(segment.path, torn.start)
        self._given = max(self._given, self._consumed)
        while self._entries and self._entries[0].sequence <= self._consumed:
            self._forget()
        self._writer = Writer(self._folder, self._files, self._salts, found[-1].number if found else 0)
        try:
            self._begin(self._given + 1)
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise JournalBrokenError(f"{self._folder}: {error.strerror or error}") from error

    def _cut(self, path: Path, start: int) -> None:
        """Leave out an interrupted write: at the next start it would look like damage in the middle."""
        if start:
            os.truncate(path, start)
        else:
            path.unlink()

    def _add(self, record: Record, path: Path) -> None:
        put, weight, stamp = _HEADER.unpack_from(record.payload)
        size = len(record.payload) + HEAD_BYTES
        self._given = record.sequence
        self._entries.append(Entry(record.sequence, size, put / 1000, weight))
        self.bytes += size
        self.weight += weight
        self._stamps[path] = max(stamp, self._stamps.get(path, stamp))
        self._newest = stamp if self._newest is None else max(stamp, self._newest)

    def _forget(self) -> None:
        entry = self._entries.popleft()
        self.bytes -= entry.size
        self.weight -= entry.weight

    def put(self, items: Iterable[Item]) -> list[int]:
        """Return the sequences of items, once all are on stable storage; JournalError where none is kept."""
        put = round(self._now() * 1000)
        records = [
            Record(self._given + n, _HEADER.pack(put, item.weight, item.stamp) + item.payload)
            for n, item in enumerate(items, 1)
        ]
        if not records:
            return []
        self._write(records)
        path = segments(self._folder)[-1].path
        for record in records:
            self._add(record, path)
        return [record.sequence for record in records]

    def _write(self, records: Sequence[Record]) -> None:
        assert self._writer is not None
        # Never used twice, not even where they fail.
        first, self._given = self._given, records[-1].sequence
        try:
            free = self._files.free_bytes(self._folder)
            if free < self._bounds.free_bytes:
                raise JournalFullError(
                    f"{free} bytes are free in {self._folder}; at least {self._bounds.free_bytes} have to be"
                )
            self._twice(records)
        except (OSError, JournalError) as error:
            self._writer.seal()
            self._writer.failed.append((first + 1, self._given))
            if isinstance(error, JournalError):
                raise
            if error.errno in _NO_SPACE:
                raise JournalFullError(f"{self._folder} is full") from error
            raise JournalBrokenError(f"{self._folder}: {error.strerror or error}") from error

    def _twice(self, records: Sequence[Record]) -> None:
        assert self._writer is not None
        try:
            if not self._writer.is_open or self._writer.size >= self._bounds.segment_bytes:
                self._begin(records[0].sequence)
            self._writer.write(records)
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise
            # A segment that failed is never synced again: Linux forgets the error.
            self._begin(records[0].sequence)
            self._writer.write(records)

    def _begin(self, base: int) -> None:
        """Begin a segment; how far the queue was read is said in it, since older ones will go."""
        assert self._writer is not None
        self._writer.open(base)
        if self._consumed:
            self._writer.write([Record(self._consumed, b"")], CONSUMED)

    def head(self) -> Entry | None:
        """Return what was put first and is not yet consumed."""
        return self._entries[0] if self._entries else None

    def last(self) -> Entry | None:
        """Return what was put last and is not yet consumed."""
        return self._entries[-1] if self._entries else None

    def expired(self) -> Entry | None:
        """Return the head where it was put longer ago than may be."""
        head = self.head()
        return head if head is not None and self._now() - head.put > self._bounds.seconds else None

    def excess(self) -> Entry | None:
        """Return the head where the queue holds more bytes than may be."""
        return self.head() if self.bytes > self._bounds.bytes else None

    def read(self, sequence: int) -> bytes | None:
        """Return a payload; None where it has been damaged since."""
        if self._loaded is None or sequence not in self._loaded[1]:
            found = segments(self._folder)
            beyond = [following.base <= sequence for _, following in pairwise(found)]
            for segment in found[sum(beyond) :: -1][:2]:
                payloads = {frame.record.sequence: frame.record.payload for frame in segment.read().frames}
                if sequence in payloads:
                    self._loaded = (segment.path, payloads)
                    break
            else:
                self.damaged += 1
                return None
        return self._loaded[1][sequence][_HEADER.size :]

    def recent(self) -> Iterator[bytes]:
        """Yield the payloads with the newest stamp, consumed or not."""
        found = segments(self._folder)
        failures = Failures(found)
        for segment in found:
            if segment.path in self._stamps and self._stamps[segment.path] == self._newest:
                for frame in segment.read().frames:
                    payload = frame.record.payload
                    whole = frame.record.sequence not in failures and len(payload) >= _HEADER.size
                    if whole and _HEADER.unpack_from(payload)[2] == self._newest:
                        yield payload[_HEADER.size :]

    def consume(self, sequence: int) -> None:
        """Say that everything up to a sequence is done with; it does not come back after a restart.

        JournalError where the disk does not take that: it is done with in this process alone.
        """
        assert self._writer is not None
        self._consumed = max(self._consumed, sequence)
        while self._entries and self._entries[0].sequence <= sequence:
            self._forget()
        try:
            if not self._writer.is_open:
                self._begin(self._given + 1)
            else:
                self._writer.write([Record(self._consumed, b"")], CONSUMED)
        except OSError as error:
            self._writer.seal()
            raise JournalBrokenError(f"{self._folder}: {error.strerror or error}") from error
        self._sweep()

    def _sweep(self) -> None:
        """Delete segments that hold nothing to come, nor anything of the newest stamp."""
        if self._loaded is not None and self._consumed >= max(self._loaded[1], default=0):
            self._loaded = None
        found = segments(self._folder)
        for segment, following in pairwise(found):
            stamp = self._stamps.get(segment.path)
            if following.base - 1 > self._consumed or (stamp is not None and stamp == self._newest):
                break
            segment.path.unlink()
            self._stamps.pop(segment.path, None)

    def close(self) -> None:
        """Give the folder back."""
        if self._writer is not None:
            self._writer.seal()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

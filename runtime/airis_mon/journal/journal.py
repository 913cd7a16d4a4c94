"""The journal of one folder: recovery, then appends in groups."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import time
from collections import deque
from collections.abc import AsyncIterable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from airis_mon.journal.errors import (
    JournalBrokenError,
    JournalBusyError,
    JournalError,
    JournalFullError,
)
from airis_mon.journal.files import Files, PosixFiles
from airis_mon.journal.locks import locked
from airis_mon.journal.origins import Origin, Origins
from airis_mon.journal.records import HEAD_BYTES, Record
from airis_mon.journal.segments import Failures, Segment, Writer, segments
from airis_mon.journal.snapshots import KEPT, SnapshotWriter, newest, snapshots

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_GATHER_SECONDS = 0.002
"""For which a group waits, at most, while it still grows."""
_LOOK_SECONDS = 1.0
_LOOK_BYTES = 4 * 1024 * 1024
"""Until the disk is asked again how much room it has; far less than what is left free."""
_ROUNDS = 4
"""Of the loop, at most, for which a group waits while it still grows."""
_MOST_TORN = 8
"""Torn ends that are kept aside: enough to look into a crash, and no more however often it crashes."""


@dataclass(frozen=True)
class Options:
    """Sizes, in bytes unless said otherwise."""

    segment_bytes: int = 64 * 1024 * 1024
    """At which a segment is sealed."""
    commit_bytes: int = 4 * 1024 * 1024
    """Written by one fdatasync, at most; a single larger payload goes alone."""
    queue_bytes: int = 64 * 1024 * 1024
    """Waiting to be written; more is JournalBusyError."""
    free_bytes: int = 64 * 1024 * 1024
    """Left on the disk; less is JournalFullError, while there is still room to recover and to snapshot."""
    origins: int = 100_000
    """Senders whose batches are told apart; of more, the longest silent are forgotten."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to an append."""

    sequence: int
    """Of the record; 0 for a duplicate."""
    duplicate: bool
    """Whether this origin had been kept before."""


@dataclass
class Recovery:
    """What a folder held at the start. Chunks first, then records, each once."""

    chunks: Iterator[bytes]
    records: Iterator[Record]
    corrupt_records: int = 0
    """Places in which a record was damaged and is lost; filled while `records` is read."""
    truncated_bytes: int = 0
    """Of an interrupted write, which was never acknowledged."""


@dataclass(slots=True)
class _Waiting:
    record: Record
    applied: Callable[[int], None] | None
    done: asyncio.Future[Receipt]


class Journal:
    """One writer for a folder: `recover`, `start`, then appends. All but `recover` belong to the loop."""

    durable = True

    def __init__(
        self,
        folder: Path,
        options: Options | None = None,
        files: Files | None = None,
        salts: Callable[[], int] = lambda: secrets.randbits(32),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._options = options or Options()
        self._files = files or PosixFiles()
        self._salts = salts
        self._clock = clock
        self._looked = float("-inf")
        self._unlooked = 0
        self._origins = Origins(self._options.origins)
        self._in_flight: dict[Origin, asyncio.Future[Receipt]] = {}
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._snapshots = ThreadPoolExecutor(1, thread_name_prefix="snapshot")
        self._closing = False
        self._committer: asyncio.Task[None] | None = None
        self._writer: Writer | None = None
        self._lock: int | None = None
        self._given = 0
        self._number = 0
        self.sequence = 0
        """Of the newest durable record."""
        self.pending_bytes = 0
        self.bytes_since_snapshot = 0
        self.usable = True
        """False for good once the disk has failed twice in a row."""

    def recover(self) -> Recovery:
        """Lock the folder, make it if need be, and return what it holds; may take long, for a thread.

        JournalLockedError where another process writes there, JournalVersionError for a later format.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._lock = locked(self._folder)
        for partial in self._folder.glob("*.partial"):
            partial.unlink()
        sequence, chunks = newest(self._folder, self._origins)
        self._given = self.sequence = sequence
        found = segments(self._folder)
        self._number = found[-1].number if found else 0
        recovery = Recovery(chunks, iter(()))
        recovery.records = self._replay(found, recovery)
        return recovery

    def _replay(self, found: list[Segment], recovery: Recovery) -> Iterator[Record]:
        above = self.sequence
        failures = Failures(found)
        for segment in found:
            contents = segment.read()
            torn = contents.torn if segment is found[-1] else None
            recovery.corrupt_records += sum(damage is not torn for damage in contents.damaged)
            for frame in contents.frames:
                record = frame.record
                self._given = max(self._given, record.sequence)
                if record.sequence > above and record.sequence not in failures:
                    above = self.sequence = record.sequence
                    if record.origin is not None:
                        self._origins.add(record.origin)
                    self.bytes_since_snapshot += len(record.payload) + HEAD_BYTES
                    yield record
            if torn is not None:
                recovery.truncated_bytes += torn.end - torn.start
                self._keep_aside(segment, contents.data[torn.start : torn.end], torn.start)
                os.truncate(segment.path, torn.start)

    def _keep_aside(self, segment: Segment, data: bytes, start: int) -> None:
        """Write torn bytes to a file of their own: a damaged last record looks like an interrupted one."""
        aside = segment.path.with_suffix(f".{start}.torn")
        try:
            aside.write_bytes(data)
        except OSError:
            # A disk without room must not keep the journal from starting.
            aside.unlink(missing_ok=True)
        for old in sorted(self._folder.glob("*.torn"))[:-_MOST_TORN]:
            old.unlink()

    async def start(self) -> None:
        """Begin a new segment and take appends; JournalFullError or JournalBrokenError where that fails."""
        self._writer = Writer(self._folder, self._files, self._salts, self._number)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._open_first)
        self._committer = asyncio.create_task(self._commit_all())

    def _open_first(self) -> None:
        assert self._writer is not None
        try:
            self._writer.open(self._given + 1)
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise JournalBrokenError(f"{self._folder}: {error.strerror or error}") from error

    async def append(
        self,
        payload: bytes,
        origin: Origin | None = None,
        applied: Callable[[int], None] | None = None,
    ) -> Receipt:
        """Return once the payload is on stable storage, and `applied` was called with its sequence.

        `applied` runs in the loop, in the order of sequences, for what was written and for nothing else. An
        origin that was kept before is neither written nor applied. JournalError where it could not be kept.
        """
        while origin is not None:
            if self._origins.known(origin):
                return Receipt(0, duplicate=True)
            first = self._in_flight.get(origin)
            if first is None:
                break
            await asyncio.wait([first])
        if self._closing:
            raise JournalError("the process is about to end")
        if not self.usable:
            raise JournalBrokenError("the disk failed twice in a row; this process has to be started anew")
        size = len(payload) + HEAD_BYTES
        if self.pending_bytes + size > self._options.queue_bytes and self._queue:
            raise JournalBusyError(f"{self.pending_bytes} bytes wait for the disk already")
        self._given += 1
        done: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        if origin is not None:
            self._in_flight[origin] = done
        self.pending_bytes += size
        self._queue.append(_Waiting(Record(self._given, payload, origin), applied, done))
        self._wake.set()
        if origin is None:
            return await done
        # Shielded: a caller that goes away must not keep others, who sent the same, from hearing of it.
        return await asyncio.shield(done)

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._closing:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._gather()
                group = self._group()
                records = [waiting.record for waiting in group]
                failure: JournalError | None = None
                try:
                    await loop.run_in_executor(self._thread, self._commit, records)
                except JournalError as error:
                    failure = error
                self._settle(group, failure)

    async def _gather(self) -> None:
        """Let what the loop has in hand come to its append: the more a sync carries, the less each pays."""
        seen, end = 0, self._clock() + _GATHER_SECONDS
        # Where a round of the loop takes long there is enough in hand, and whoever waits has waited enough.
        while len(self._queue) > seen and self._clock() < end:
            seen = len(self._queue)
            await asyncio.sleep(0)

    def _group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._queue and (not group or size < self._options.commit_bytes):
            group.append(self._queue.popleft())
            size += len(group[-1].record.payload) + HEAD_BYTES
        return group

    def _commit(self, records: list[Record]) -> None:
        """Write and sync, in the thread; a failed segment is left, and a new one tried once."""
        assert self._writer is not None
        try:
            self._look_for_room(sum(len(record.payload) + HEAD_BYTES for record in records))
            if not self._writer.is_open or self._writer.size >= self._options.segment_bytes:
                self._writer.open(records[0].sequence)
            self._writer.write(records)
        except OSError as first:
            failed = (records[0].sequence, records[-1].sequence)
            if first.errno in _NO_SPACE:
                self._writer.seal()
                self._writer.failed.append(failed)
                raise JournalFullError(f"{self._folder} is full") from first
            try:
                self._writer.open(records[0].sequence)
                self._writer.write(records)
            except OSError as second:
                self._writer.seal()
                self._writer.failed.append(failed)
                if second.errno in _NO_SPACE:
                    raise JournalFullError(f"{self._folder} is full") from second
                self.usable = False
                raise JournalBrokenError(f"{self._folder}: {second.strerror or second}, twice") from second

    def _look_for_room(self, size: int) -> None:
        """Ask the disk now and then: each question is a system call, and another wait for the interpreter."""
        now = self._clock()
        self._unlooked += size
        if now - self._looked < _LOOK_SECONDS and self._unlooked < _LOOK_BYTES:
            return
        free = self._files.free_bytes(self._folder)
        if free < self._options.free_bytes:
            raise JournalFullError(
                f"{free} bytes are free in {self._folder}, at least {self._options.free_bytes} have to be"
            )
        self._looked, self._unlooked = now, 0

    def _settle(self, group: list[_Waiting], failure: JournalError | None) -> None:
        for waiting in group:
            record = waiting.record
            size = len(record.payload) + HEAD_BYTES
            self.pending_bytes -= size
            if record.origin is not None:
                del self._in_flight[record.origin]
            if failure is not None:
                if not waiting.done.cancelled():
                    waiting.done.set_exception(failure)
                    # Nobody may be left to hear of it, which is no fault to be told of by the loop.
                    waiting.done.exception()
                continue
            self.sequence = record.sequence
            self.bytes_since_snapshot += size
            if record.origin is not None:
                self._origins.add(record.origin)
            if waiting.applied is not None:
                waiting.applied(record.sequence)
            if not waiting.done.cancelled():
                waiting.done.set_result(Receipt(record.sequence, duplicate=False))

    async def snapshot(self, chunks: AsyncIterable[bytes], keep_from: int | None = None) -> None:
        """Write what all records up to `sequence`, as it is now, add up to; then delete what nobody needs.

        The chunks may hold effects of later records as well; whoever restores them applies a record to a part
        of the state only if it is newer than that part. `keep_from`: records above it are kept, whatever the
        snapshots hold. OSError where it fails, which loses nothing.
        """
        loop = asyncio.get_running_loop()
        before = self.bytes_since_snapshot
        sequence, windows = self.sequence, self._origins.saved()
        if any(known.sequence == sequence for known in snapshots(self._folder)):
            return

        def begin() -> SnapshotWriter:
            begun = SnapshotWriter(self._folder, self._files, sequence, self._salts())
            begun.windows(windows)
            return begun

        writer = await loop.run_in_executor(self._snapshots, begin)
        try:
            async for chunk in chunks:
                await loop.run_in_executor(self._snapshots, writer.chunk, chunk)
            await loop.run_in_executor(self._snapshots, writer.finish)
        except BaseException:
            writer.abandon()
            raise
        self.bytes_since_snapshot -= before
        await loop.run_in_executor(self._snapshots, self._sweep, keep_from)

    def _sweep(self, keep_from: int | None) -> None:
        known = snapshots(self._folder)
        for old in known[:-KEPT]:
            old.path.unlink()
        known = known[-KEPT:]
        if len(known) < KEPT:
            return
        needed = known[0].sequence if keep_from is None else min(known[0].sequence, keep_from)
        found = segments(self._folder)
        for segment, following in pairwise(found):
            if following.base - 1 <= needed:
                segment.path.unlink()
        self._files.sync_folder(self._folder)

    async def close(self) -> None:
        """Write what waits, and give the folder back."""
        self._closing = True
        self._wake.set()
        if self._committer is not None:
            await self._committer
        if self._writer is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._writer.seal)
        self._thread.shutdown()
        self._snapshots.shutdown()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

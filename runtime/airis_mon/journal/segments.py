"""Segment files: their names, reading one, writing the newest."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from airis_mon.journal.files import File, Files
from airis_mon.journal.records import (
    CONSUMED,
    FAILED,
    FILE_BYTES,
    RECORD,
    Damage,
    Frame,
    Record,
    encode,
    file_header,
    frames,
    whole_header,
)

_NAME = re.compile(r"(?P<number>\d{10})-(?P<base>\d{20})-(?P<salt>[0-9a-f]{8})\.segment")


_BEGIN = 64 * 1024
_MOST_FAILED = 1_000
"""Ranges that one frame tells; beyond lie attempts of a disk that has been full for hours."""


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A segment by its name."""

    number: int
    """From 1, in the order of writing."""
    base: int
    """No record in it has a lower sequence."""
    salt: int
    path: Path

    @classmethod
    def of(cls, path: Path) -> Segment | None:
        """Return what a name says, None for a name of something else."""
        match = _NAME.fullmatch(path.name)
        if match is None:
            return None
        return cls(int(match["number"]), int(match["base"]), int(match["salt"], 16), path)

    @classmethod
    def named(cls, folder: Path, number: int, base: int, salt: int) -> Segment:
        """Return a segment that is yet to be written."""
        return cls(number, base, salt, folder / f"{number:010d}-{base:020d}-{salt:08x}.segment")

    def read(self) -> Contents:
        """Read all of it; JournalVersionError for a later format."""
        data = self.path.read_bytes()
        damaged: list[Damage] = []
        if not whole_header(data, self.path.name):
            damaged.append(Damage(0, min(FILE_BYTES, len(data))))
        whole: list[Frame] = []
        consumed = 0
        for item in frames(data, self.salt):
            if isinstance(item, Damage):
                damaged.append(item)
            elif item.kind == RECORD:
                whole.append(item)
            elif item.kind == CONSUMED:
                consumed = max(consumed, item.record.sequence)
        return Contents(data, tuple(whole), tuple(damaged), consumed)

    def failed(self) -> list[tuple[int, int]]:
        """Return the ranges of sequences that this segment, at its begin, says have failed before it."""
        with self.path.open("rb") as file:
            data = file.read(_BEGIN)
        first = next(frames(data, self.salt), None)
        if not isinstance(first, Frame) or first.kind != FAILED:
            return []
        return [(low, high) for low, high in json.loads(first.record.payload)]


@dataclass(frozen=True, slots=True)
class Contents:
    """What was read of a segment."""

    data: bytes
    frames: tuple[Frame, ...]
    damaged: tuple[Damage, ...]
    consumed: int = 0
    """Up to which sequence a queue has been read, as far as this segment says."""

    @property
    def torn(self) -> Damage | None:
        """Return the damage that reaches the end, which is how an interrupted write looks."""
        last = self.damaged[-1] if self.damaged else None
        return last if last is not None and last.end == len(self.data) else None


class Failures:
    """Sequences that were refused to their senders, though parts of them may be on the disk.

    Who was refused sends again, and what is sent again gets a sequence of its own: counting both is once too
    often.
    """

    def __init__(self, found: Iterable[Segment]) -> None:
        self._ranges = [failed for segment in found for failed in segment.failed()]

    def __contains__(self, sequence: int) -> bool:
        return any(low <= sequence <= high for low, high in self._ranges)


def segments(folder: Path) -> list[Segment]:
    """Return the segments of a folder in the order of writing."""
    return sorted(found for found in map(Segment.of, folder.iterdir()) if found is not None)


class Writer:
    """The newest segment. Used by the committer's thread alone."""

    def __init__(self, folder: Path, files: Files, salts: Callable[[], int], number: int) -> None:
        self._folder = folder
        self._files = files
        self._salts = salts
        self._number = number
        self._file: File | None = None
        self._salt = 0
        self.size = 0
        """Bytes that are durable."""
        self.failed: list[tuple[int, int]] = []
        """Ranges of sequences that failed; said at the begin of the next segment."""

    def open(self, base: int) -> None:
        """Begin the next segment, durably by its name; OSError where that fails."""
        self.seal()
        segment = Segment.named(self._folder, self._number + 1, base, self._salts())
        # The number is used up even if what follows fails: a name is never taken twice.
        self._number += 1
        file = self._files.create(segment.path)
        try:
            header = file_header(segment.salt)
            if self.failed:
                said = json.dumps(self.failed[-_MOST_FAILED:]).encode()
                header += b"".join(encode(FAILED, base, said, None, segment.salt))
            file.write([header])
            file.sync()
            self._files.sync_folder(self._folder)
        except OSError:
            file.close()
            raise
        self._file, self._salt, self.size = file, segment.salt, len(header)
        self.failed = []

    def write(self, records: Sequence[Record], kind: int = RECORD) -> None:
        """Write records and make them durable; OSError where that fails, and then `seal` is due."""
        assert self._file is not None
        parts: list[bytes] = []
        size = 0
        for record in records:
            frame = encode(kind, record.sequence, record.payload, record.origin, self._salt)
            parts.extend(frame)
            size += len(frame[0]) + len(frame[1])
        try:
            self._file.write(parts)
            self._file.sync()
        except OSError:
            # What failed is told to its senders as failed; the less of it comes back at a restart the better.
            self._cut()
            raise
        self.size += size

    def _cut(self) -> None:
        assert self._file is not None
        try:
            self._file.truncate(self.size)
        except OSError:
            return

    @property
    def is_open(self) -> bool:
        """Say whether there is a segment to write to."""
        return self._file is not None

    def seal(self) -> None:
        """Close the segment; nothing is ever written to it again."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

"""Looking at a journal without changing anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from airis_mon.journal.origins import Origins
from airis_mon.journal.records import Record
from airis_mon.journal.segments import Failures, segments
from airis_mon.journal.snapshots import newest, snapshots


@dataclass(frozen=True)
class Fault:
    """Bytes of a file that are no whole record."""

    file: str
    start: int
    end: int
    torn: bool
    """Whether it is the end of the newest segment: what a crash leaves, which was never acknowledged."""


@dataclass(frozen=True)
class Report:
    """What a journal's folder holds."""

    segments: int
    records: int
    first: int
    """Lowest sequence; 0 without records."""
    last: int
    snapshots: tuple[tuple[str, bool], ...]
    """File name, and whether it is undamaged."""
    faults: tuple[Fault, ...]

    @property
    def sound(self) -> bool:
        """Say whether nothing is damaged beyond a torn end."""
        return all(fault.torn for fault in self.faults) and all(whole for _, whole in self.snapshots)


def examine(folder: Path) -> Report:
    """Read every byte; OSError where the folder cannot be read, JournalVersionError for a later format."""
    found = segments(folder)
    faults: list[Fault] = []
    count, first, last = 0, 0, 0
    for segment in found:
        contents = segment.read()
        count += len(contents.frames)
        for frame in contents.frames:
            first = first or frame.record.sequence
            last = max(last, frame.record.sequence)
        for damage in contents.damaged:
            torn = segment is found[-1] and damage is contents.torn
            faults.append(Fault(segment.path.name, damage.start, damage.end, torn))
    whole = tuple((snapshot.path.name, snapshot.read() is not None) for snapshot in snapshots(folder))
    return Report(len(found), count, first, last, whole, tuple(faults))


def state(folder: Path) -> tuple[int, Iterator[bytes]]:
    """Return sequence and chunks of the newest undamaged snapshot; 0 and none without one."""
    return newest(folder, Origins(1))


def records(folder: Path, above: int = 0) -> Iterator[Record]:
    """Yield every whole record with a sequence above one, once, ascending.

    Segments that hold none are not opened: a process that writes here may be about to delete them.
    """
    found = segments(folder)
    beyond = [following.base - 1 <= above for _, following in pairwise(found)]
    found = found[sum(beyond) :]
    failures = Failures(found)
    for segment in found:
        for frame in segment.read().frames:
            if frame.record.sequence > above and frame.record.sequence not in failures:
                above = frame.record.sequence
                yield frame.record

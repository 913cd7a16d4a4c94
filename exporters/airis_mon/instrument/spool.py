"""Batches on disk that no sidecar has answered yet: they outlive the process, and keep their numbers.

One file a batch, named by the epoch and the sequence under which it was first sent, so that a batch which
had arrived before the answer got lost counts once, whoever sends it again and when. A file appears whole, by
its rename. Which files there are is the only state.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(
    r"(?P<producer>[0-9a-f]{32})-(?P<epoch>\d{1,19})-(?P<sequence>\d{12})-(?P<count>\d{1,9})\.ndjson"
)

_PARTIAL = ".partial-"


@dataclass(frozen=True, order=True)
class Batch:
    """Operations under a number, as NDJSON."""

    epoch: int
    sequence: int
    producer: str
    count: int
    """Of operations."""
    body: bytes

    @property
    def name(self) -> str:
        """Return its file's name."""
        return f"{self.producer}-{self.epoch}-{self.sequence:012d}-{self.count}.ndjson"


class Spool:
    """A folder of batches, bounded in bytes; an error of the disk costs what was to be kept, no more."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._sweep(time.time())

    def make_room(self, size: int) -> int:
        """Delete the oldest batches until that many bytes have room; return the operations lost by it."""
        lost = 0
        if size > self._most_bytes:
            return lost
        excess = self.size() + size - self._most_bytes
        for match, path in sorted(self._files(), key=_age) if excess > 0 else ():
            if excess <= 0:
                break
            with suppress(OSError):
                # Another process may have deleted it first: then it is that one's to count.
                freed = path.stat().st_size
                path.unlink()
                lost += int(match["count"])
                excess -= freed
        return lost

    def keep(self, batch: Batch) -> bool:
        """Write a batch; False where there is no room for it, or the disk fails."""
        if self.size() + len(batch.body) > self._most_bytes:
            return False
        partial = self._folder / f"{_PARTIAL}{batch.name}.{os.getpid()}"
        try:
            with partial.open("wb") as file:
                file.write(batch.body)
                file.flush()
                # Else a power cut could leave a name without what belongs to it.
                os.fsync(file.fileno())
            partial.rename(self._folder / batch.name)
        except OSError:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            return False
        return True

    def oldest(self) -> Batch | None:
        """Return the oldest batch, None where there is none."""
        for match, path in sorted(self._files(), key=_age):
            with suppress(OSError):
                return Batch(
                    int(match["epoch"]),
                    int(match["sequence"]),
                    match["producer"],
                    int(match["count"]),
                    path.read_bytes(),
                )
        return None

    def forget(self, batch: Batch) -> None:
        """Delete a batch that has its answer; another process may have been quicker."""
        with suppress(OSError):
            (self._folder / batch.name).unlink()

    def waiting(self) -> int:
        """Return how many operations there are."""
        return sum(int(match["count"]) for match, _ in self._files())

    def size(self) -> int:
        """Return the bytes of all batches."""
        total = 0
        for _, path in self._files():
            with suppress(OSError):
                total += path.stat().st_size
        return total

    def _sweep(self, now: float) -> None:
        """Delete what killed processes left half written; an hour old, as others may be writing now."""
        for path in self._folder.glob(f"{_PARTIAL}*.ndjson.*"):
            with suppress(OSError):
                if path.stat().st_mtime < now - 3600:
                    path.unlink()

    def _files(self) -> Iterator[tuple[re.Match[str], Path]]:
        with suppress(OSError):
            for path in self._folder.iterdir():
                match = _NAME.fullmatch(path.name)
                if match is not None:
                    yield match, path


def _age(found: tuple[re.Match[str], Path]) -> tuple[int, str]:
    return int(found[0]["epoch"]), found[0]["sequence"]

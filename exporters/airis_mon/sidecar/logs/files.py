"""Files that grow and rotate: which one it is, where reading stands, and the next whole lines of it."""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FINGERPRINT = 1_024
"""Bytes at a file's beginning that tell it from another one in the same inode."""
LONGEST_LINE = 1_048_576
"""Bytes; a longer line is passed over and counted as refused."""
MOST_FILES = 1_000


@dataclass(frozen=True)
class Place:
    """Which file, told by what does not change when it is renamed."""

    device: int
    inode: int
    length: int = 0
    """Bytes of the fingerprint."""
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.device}-{self.inode}-{self.length}-{self.digest}"

    @classmethod
    def parsed(cls, text: str) -> Place:
        """Return the place that a text spells; ValueError for another text."""
        device, inode, length, digest = text.split("-")
        return cls(int(device), int(inode), int(length), digest)


class OpenFile:
    """A regular file that is being read; it stays open, so that its inode is nobody else's."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        status = os.fstat(descriptor)
        self.place = Place(status.st_dev, status.st_ino)
        self.offset = 0
        self.idle = 0
        """Looks in a row that found nothing new."""
        self.passing = False
        """Whether a line that is too long is being passed over."""

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)

    @property
    def size(self) -> int:
        """Return how long it is now."""
        return os.fstat(self.descriptor).st_size

    @property
    def gone(self) -> bool:
        """Say whether no name leads to it any more."""
        return os.fstat(self.descriptor).st_nlink == 0

    def fingerprint(self, length: int) -> str:
        """Return the digest of the first bytes."""
        return hashlib.sha256(os.pread(self.descriptor, length, 0)).hexdigest()[:16]

    def holds(self, place: Place, offset: int) -> bool:
        """Say whether it is the file of that place, read up to there."""
        return (
            (place.device, place.inode) == (self.place.device, self.place.inode)
            and self.size >= offset
            and self.fingerprint(place.length) == place.digest
        )

    def placed(self, offset: int) -> Place:
        """Return the place once so many bytes have been read: as it is, or with a first fingerprint."""
        if self.place.length:
            return self.place
        length = min(offset, FINGERPRINT)
        return Place(self.place.device, self.place.inode, length, self.fingerprint(length))

    def begin_anew(self) -> None:
        """Read from the start: somebody has truncated it."""
        self.place = Place(self.place.device, self.place.inode)
        self.offset = 0
        self.passing = False

    def read(self, limit: int, *, last: bool) -> tuple[bytes, int, bool]:
        """Return whole lines, the offset behind them, and whether a line was too long.

        `last` takes what has no end of line as well: nobody will write on.
        """
        data = os.pread(self.descriptor, limit, self.offset)
        end = data.rfind(b"\n") + 1
        if end == 0:
            if last and len(data) < limit:
                end = len(data)
            elif len(data) >= LONGEST_LINE:
                first = not self.passing
                self.passing = True
                return b"", self.offset + len(data), first
        lines = data[:end]
        if self.passing and end:
            self.passing = False
            lines = lines[lines.find(b"\n") + 1 or end :]
        return lines, self.offset + end, False


def opened(path: str) -> OpenFile | None:
    """Open a regular file; None for a link, a pipe, a compressed file, and for what cannot be read."""
    if path.endswith((".gz", ".zst", ".bz2", ".xz")):
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return OpenFile(path, descriptor)


def found(pattern: str) -> Iterator[str]:
    """Yield the files that a glob stands for, within its own folder."""
    folder, _, _ = pattern.rpartition("/")
    for path in sorted(glob.glob(pattern))[:MOST_FILES]:
        if Path(path).parent == Path(folder or "/"):
            yield path


def status_of(path: str) -> tuple[int, int] | None:
    """Return device and inode of a name, None where there is none."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino

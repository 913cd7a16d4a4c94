"""The few things that the journal asks of a file system, so that tests can let it fail and crash."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

_MOST_PARTS = 1024
"""Buffers of one writev (IOV_MAX on Linux)."""


class File(Protocol):
    """A file that is being written, at its end."""

    def write(self, parts: Sequence[bytes]) -> None:
        """Write all parts, one behind the other; OSError where that fails, with any part of it written."""

    def sync(self) -> None:
        """Return once everything written is on stable storage."""

    def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes and go on from there."""

    def close(self) -> None:
        """Give the file back."""


class Files(Protocol):
    """Creates files and makes names durable."""

    def create(self, path: Path) -> File:
        """Create a file that must not exist."""

    def rename(self, source: Path, target: Path) -> None:
        """Give a file a name that is seen whole or not at all, durably."""

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""

    def free_bytes(self, folder: Path) -> int:
        """Return the bytes that may still be written."""


class _PosixFile:
    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)

    def write(self, parts: Sequence[bytes]) -> None:
        for first in range(0, len(parts), _MOST_PARTS):
            some = parts[first : first + _MOST_PARTS]
            size = sum(map(len, some))
            written = os.writev(self._handle, some)
            if written < size:
                # A short write is how a full disk begins; the rest says which error it is.
                rest = memoryview(b"".join(some))[written:]
                while rest:
                    rest = rest[os.write(self._handle, rest) :]

    def sync(self) -> None:
        os.fdatasync(self._handle)

    def truncate(self, size: int) -> None:
        os.ftruncate(self._handle, size)
        os.lseek(self._handle, size, os.SEEK_SET)

    def close(self) -> None:
        os.close(self._handle)


class PosixFiles:
    """The file system of this machine."""

    def create(self, path: Path) -> File:
        """Create a file that must not exist."""
        return _PosixFile(path)

    def rename(self, source: Path, target: Path) -> None:
        """Rename, and make it durable."""
        source.rename(target)
        self.sync_folder(target.parent)

    def sync_folder(self, folder: Path) -> None:
        """Sync the folder itself."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def free_bytes(self, folder: Path) -> int:
        """Ask the file system what it leaves to an ordinary user."""
        status = os.statvfs(folder)
        return status.f_bavail * status.f_frsize

"""A file system that fails and crashes on demand; for tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from airis_mon.journal.files import File, PosixFiles


def _well(_operation: str, _path: Path) -> int:
    return 0


class FaultyFiles(PosixFiles):
    """Real files, which remember what was never synced.

    `fail(operation, file)` is asked before each `create`, `write`, `sync`; it returns an errno, or 0. A write
    that fails leaves half of itself behind, as a real one may.
    """

    def __init__(self, fail: Callable[[str, Path], int] = _well, free: int = 2**40) -> None:
        self.fail = fail
        self.free = free
        self._synced: dict[Path, int] = {}
        self.syncs = True
        """False is a disk that lies: fdatasync returns and nothing is safe."""

    def create(self, path: Path) -> File:
        """Create a real file."""
        self.check("create", path)
        self._synced[path] = 0
        return _FaultyFile(self, path, super().create(path))

    def rename(self, source: Path, target: Path) -> None:
        """Rename, and keep track."""
        super().rename(source, target)
        self._synced[target] = self._synced.pop(source)

    def free_bytes(self, folder: Path) -> int:
        """Return what the test says."""
        return self.free

    def check(self, operation: str, path: Path) -> None:
        """Raise the error that the test wants."""
        number = self.fail(operation, path)
        if number:
            raise OSError(number, os.strerror(number))

    def synced(self, path: Path) -> None:
        """Remember that all of a file is safe."""
        if self.syncs:
            self._synced[path] = path.stat().st_size

    def crash(self, kept: Callable[[int], int]) -> None:
        """Lose power: of each file's `n` unsynced bytes the first `kept(n)` are left."""
        for path, size in self._synced.items():
            if path.exists():
                unsynced = max(0, path.stat().st_size - size)
                os.truncate(path, min(path.stat().st_size, size + kept(unsynced)))


class _FaultyFile:
    def __init__(self, files: FaultyFiles, path: Path, file: File) -> None:
        self._files = files
        self._path = path
        self._file = file

    def write(self, parts: Sequence[bytes]) -> None:
        try:
            self._files.check("write", self._path)
        except OSError:
            whole = b"".join(parts)
            self._file.write([whole[: len(whole) // 2]])
            raise
        self._file.write(parts)

    def sync(self) -> None:
        self._files.check("sync", self._path)
        self._file.sync()
        self._files.synced(self._path)

    def truncate(self, size: int) -> None:
        self._files.check("truncate", self._path)
        self._file.truncate(size)

    def close(self) -> None:
        self._file.close()

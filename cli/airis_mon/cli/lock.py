"""One process per folder: two would overwrite each other's files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airis_mon.cli.folder import FolderError


class InUseError(Exception):
    """Another process holds the folder; the text names it."""


@contextmanager
def held(folder: Path, by: str) -> Iterator[None]:
    """Hold a folder, made where absent, for a command while the block runs.

    The folder itself is locked, so nothing is left in it, and the kernel takes the lock back even from a
    process that is killed. Raises InUseError, and FolderError where the folder cannot be used at all.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileExistsError, NotADirectoryError) as error:
        raise FolderError(f"{error.filename} is a file; choose a folder") from error
    except OSError as error:
        raise FolderError(f"cannot write to {folder}: {error.strerror or error}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUseError(f"{folder} is in use by another `{by}`") from error
        except OSError as error:
            raise FolderError(f"cannot lock {folder}: {error.strerror or error}") from error
        yield
    finally:
        os.close(descriptor)

"""One `airis-mon up` per data folder: two would run on one TSDB, and overwrite each other's files."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airis_mon.cli.folder import FolderError

FILE = "lock"


class InUseError(Exception):
    """Another process holds the folder; the text names it."""


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Hold the folder `data`, made where absent, while the block runs.

    The kernel takes the lock back even from a process that is killed, so the file may stay. Raises
    InUseError, and FolderError where the folder cannot be used at all.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        # Appending creates the file, and changes nothing in one that is there.
        file = (data / FILE).open("ab")
    except FileExistsError as error:
        raise FolderError(f"{data} is a file; choose a folder") from error
    except OSError as error:
        raise FolderError(f"cannot write to {data}: {error.strerror or error}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUseError(f"{data} is in use by another `airis-mon up`") from error
        except OSError as error:
            raise FolderError(f"cannot lock {data / FILE}: {error.strerror or error}") from error
        yield

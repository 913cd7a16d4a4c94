"""One writer for a folder, whatever becomes of the process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from airis_mon.journal.errors import JournalLockedError


def locked(folder: Path) -> int:
    """Take the folder, and return what `os.close` gives it back by; JournalLockedError where it is taken."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise JournalLockedError(
            f"{folder} is written to by another process; end it, or choose another folder"
        ) from None
    return handle

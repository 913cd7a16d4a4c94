"""What was proven before, by content: the same files under the same tool need not be proven twice.

Kept in the user's cache folder, an empty file a proof, named by a digest of all that the verdict depends on.
Only what held is remembered.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from airis_mon.stack.servers import Server

FORGOTTEN_AFTER = 90 * 86400.0
"""Seconds after which a proof that no build asked for is forgotten."""


class Memory:
    """Proofs of earlier builds; without a folder nothing is remembered."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def key(self, tool: Server, arguments: Sequence[str], contents: Iterable[str]) -> str:
        """Return what a verdict depends on: the tool itself, how it is called, what it reads."""
        found = tool.path.stat()
        # Another build of the same version is another tool.
        program = (tool.name, str(tool.version), str(found.st_size), str(found.st_mtime_ns))
        return self.own_key(*program, str(len(arguments)), *arguments, *contents)

    def own_key(self, *parts: str) -> str:
        """Return what a verdict of ours depends on."""
        digest = hashlib.sha256()
        for part in parts:
            digest.update(f"{len(part)}:{part}".encode())
        return digest.hexdigest()

    def holds(self, key: str) -> bool:
        """Tell whether it was proven before; asking keeps it from being forgotten."""
        if self._folder is None:
            return False
        try:
            os.utime(self._folder / key)
        except OSError:
            return False
        return True

    def keep(self, keys: Iterable[str]) -> None:
        """Remember what was proven; a cache that cannot be written to is none."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            for key in keys:
                (self._folder / key).touch()

    def forget(self) -> None:
        """Forget what no build has asked for in a long time."""
        if self._folder is None:
            return
        oldest = time.time() - FORGOTTEN_AFTER
        with contextlib.suppress(OSError):
            for entry in os.scandir(self._folder):
                if entry.stat().st_mtime < oldest:
                    os.unlink(entry)

"""What the configuration file governs, while the process lives: capture, and the reading of files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from airis_mon.sidecar.logs.capture import Capture
from airis_mon.sidecar.logs.configuration import Configuration, configuration
from airis_mon.sidecar.logs.tailing import Tailing


class Logs:
    """Applies a configuration, and once more each time that it is asked to."""

    def __init__(
        self,
        capture: Capture,
        tailing: Tailing,
        ready: Callable[[], bool],
        file: Path | None,
        first: Configuration,
    ) -> None:
        self._capture = capture
        self._tailing = tailing
        self._ready = ready
        self._file = file
        self._task: asyncio.Task[None] | None = None
        self._apply(first)

    async def reload(self) -> None:
        """Read the file anew; SpecError or OSError where it is bad, and then everything stays."""
        assert self._file is not None
        self._apply(await asyncio.to_thread(loaded, self._file))

    def _apply(self, given: Configuration) -> None:
        self._capture.configure(given.patterns, given.masking)
        self._tailing.configure(given.tail)

    async def begin(self, app: web.Application) -> None:
        """Begin to read files, once the process is ready."""
        self._task = asyncio.create_task(self._tailing.run(self._ready))

    async def end(self, app: web.Application) -> None:
        """End before the journal does."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._tailing.close()


def loaded(file: Path) -> Configuration:
    """Return what a file says; SpecError or OSError."""
    # Bytes beyond any file that is taken: it is refused for its length, without all of it in memory.
    with file.open("rb") as opened:
        data = opened.read(8 << 20)
    return configuration(data.decode("utf-8", "replace"), str(file))

"""A worker as its supervisor sees it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from multiprocessing.context import SpawnContext

from prometheus_client.metrics_core import Metric

from airis_mon.analyzer.engine import Settings
from airis_mon.analyzer.workers.messages import Report, Work
from airis_mon.analyzer.workers.worker import Origin, work

FRESH = 10.0
"""Seconds for which a report is good."""
_AFTER = 10.0
"""Seconds until a process that has closed its end of the pipe is killed."""


class Handle:
    """One process, from its start to its end; to be used in one event loop."""

    def __init__(self, origin: Origin, settings: Settings, clock: Callable[[], float]) -> None:
        """Start it. It waits for work before it does any."""
        context = SpawnContext()
        self._connection, theirs = context.Pipe()
        # A daemon: it is ended where this process ends without having done so.
        self._process = context.Process(
            target=work, args=(origin, settings, theirs), name=f"worker-{origin.index}", daemon=True
        )
        self._process.start()
        theirs.close()
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._sending = threading.Lock()
        self._heard = asyncio.Event()
        self._report: Report | None = None
        self._at = float("-inf")
        self.families: tuple[Metric, ...] = ()
        """Its series, as it told them last."""
        self.ended: asyncio.Future[int] = self._loop.create_future()
        """Its exit code, once it has ended; negative for a signal."""
        threading.Thread(target=self._listen, name=self._process.name, daemon=True).start()

    @property
    def pid(self) -> int | None:
        """Number of the process."""
        return self._process.pid

    @property
    def begun(self) -> bool:
        """Whether it has taken work, and told of itself."""
        return self._report is not None

    @property
    def fresh(self) -> bool:
        """Whether it has told of itself lately."""
        return self._clock() - self._at <= FRESH

    @property
    def ready(self) -> bool:
        """Whether it says that it can do its work."""
        return self.fresh and self._report is not None and self._report.ready

    async def give(self, told: Work) -> None:
        """Tell it what to do, and return when it has taken that, or has ended."""
        await asyncio.to_thread(self._send, told)
        while not self.ended.done() and (self._report is None or self._report.number < told.number):
            self._heard.clear()
            await self._heard.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it."""
        self._process.kill()

    def _send(self, told: Work) -> None:
        # Where it has ended, `ended` tells.
        with contextlib.suppress(OSError), self._sending:
            self._connection.send(told)

    def _listen(self) -> None:
        try:
            while True:
                report = self._connection.recv()
                self._tell(self._took, report)
        except Exception:  # noqa: S110  whatever came in the middle of its end: it has closed the pipe
            pass
        self._process.join(_AFTER)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        self._connection.close()
        self._tell(self._ended, self._process.exitcode or 0)

    def _took(self, report: Report) -> None:
        self._report, self._at = report, self._clock()
        if report.families is not None:
            self.families = report.families
        self._heard.set()

    def _ended(self, code: int) -> None:
        self._heard.set()
        if not self.ended.done():
            self.ended.set_result(code)

    def _tell(self, function: Callable[..., None], *told: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody asks any more
            self._loop.call_soon_threadsafe(function, *told)

"""Keeps workers alive, and tells all of them the same."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from prometheus_client.metrics_core import Metric

from airis_mon.analyzer.config import Configuration
from airis_mon.analyzer.engine import Settings
from airis_mon.analyzer.shards import Shard
from airis_mon.analyzer.workers.handle import Handle
from airis_mon.analyzer.workers.messages import Work
from airis_mon.analyzer.workers.presence import Presence
from airis_mon.analyzer.workers.worker import Origin

_TAKES = 10.0
"""Seconds that a worker may take to take what it is told; then it is started anew with that."""
_BEGINS = 60.0
"""Seconds that a worker may take until it has told of itself; it reads a queue before. Then it is started
anew, and has twice as long."""
_ENDS = 10.0
"""Seconds that workers may take to end."""


class StartError(Exception):
    """A worker that ended before it had begun: another attempt would end likewise."""


@dataclass(frozen=True)
class Pauses:
    """How long a worker that died is left alone, in seconds."""

    first: float = 0.5
    longest: float = 60.0
    """Each pause is twice as long as the one before, up to this. Who lived so long begins with the first."""

    def after(self, before: float, lived: float) -> float:
        """Return the pause of a worker that lived so long after a pause."""
        return self.first if before == 0 or lived >= self.longest else min(2 * before, self.longest)


class Supervisor:
    """Starts a worker for each part of a share, and starts it anew where it dies."""

    def __init__(
        self,
        settings: Settings,
        shards: Sequence[Shard],
        presence: Presence,
        log: logging.Logger,
        *,
        log_level: str = "info",
        pauses: Pauses = Pauses(),
        begins: float = _BEGINS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a worker for each of `shards`; `presence` tells of them.

        One that has not told of itself within `begins` seconds is started anew.
        """
        self._settings = settings
        self._shards = shards
        self._log = log
        self._log_level = log_level
        self._pauses = pauses
        self._begins = begins
        self._clock = clock
        self._handles: dict[int, Handle] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._begun: set[int] = set()
        """Workers that have taken work once: how they were started was not wrong."""
        self._number = 0
        self._shares: list[Configuration] = []
        self._held = False
        self._presence = presence
        for index in range(len(shards)):
            self._presence.watch(index, lambda index=index: self._fresh(index))  # type: ignore[misc]

    def start(
        self, configuration: Configuration, failed: Callable[[Exception], None], *, held: bool = False
    ) -> None:
        """Start all workers with their shares.

        `failed` hears what keeps one from being kept alive, such as a StartError.
        """
        self._shares, self._held = self._shared(configuration), held

        async def keep(index: int) -> None:
            try:
                await self._keep(index)
            except Exception as error:
                # Rather none than one that nobody starts anew.
                failed(error)

        self._keepers = [asyncio.ensure_future(keep(index)) for index in range(len(self._shards))]

    async def configure(self, configuration: Configuration) -> None:
        """Tell all workers to judge this; one that does not take it in time is started anew with it."""
        self._shares = await asyncio.to_thread(self._shared, configuration)
        await self._tell()

    async def release(self) -> None:
        """Let workers deliver what they write."""
        self._held = False
        await self._tell()

    @property
    def ready(self) -> bool:
        """Whether all workers are."""
        handles = [self._handles.get(index) for index in range(len(self._shards))]
        return all(handle is not None and handle.ready for handle in handles)

    def families(self) -> Mapping[int, Sequence[Metric]]:
        """Return the series of the workers that have told of themselves lately."""
        return {index: self._handles[index].families for index in sorted(self._handles) if self._fresh(index)}

    async def stop(self) -> None:
        """End all workers: they are asked to, and killed where they take too long."""
        self._stopping.set()
        handles = [*self._handles.values()]
        for handle in handles:
            handle.terminate()
        if handles:
            _, slow = await asyncio.wait([handle.ended for handle in handles], timeout=_ENDS)
            for handle in handles:
                if handle.ended in slow:
                    handle.kill()
        if self._keepers:
            await asyncio.wait(self._keepers)

    def _shared(self, configuration: Configuration) -> list[Configuration]:
        return [shard.share(configuration) for shard in self._shards]

    def _fresh(self, index: int) -> bool:
        return index in self._handles and self._handles[index].fresh

    async def _tell(self) -> None:
        self._number += 1
        # One that is only beginning is told by whoever started it.
        told = [self._give(index, handle) for index, handle in self._handles.items() if handle.begun]
        await asyncio.gather(*told)

    async def _give(self, index: int, handle: Handle) -> None:
        work = Work(self._number, self._shares[index], self._held)
        try:
            async with asyncio.timeout(_TAKES):
                await handle.give(work)
        except TimeoutError:
            self._log.error(
                "worker does not answer, and is started anew",
                extra={
                    "worker": index,
                    "reason": f"it did not take what to judge from now on within {_TAKES:g} s; the one in "
                    "its place begins with that",
                },
            )
            handle.kill()

    async def _begin(self, index: int, handle: Handle, work: Work, patience: float) -> bool:
        """Give a worker its first work; say whether it had to be killed, since it did not tell of itself."""
        try:
            async with asyncio.timeout(patience):
                await handle.give(work)
        except TimeoutError:
            self._log.error(
                "worker does not begin, and is killed",
                extra={"worker": index, "pid": handle.pid, "seconds": patience},
            )
            handle.kill()
            return True
        return False

    async def _keep(self, index: int) -> None:
        pause, patience = 0.0, self._begins
        while not self._stopping.is_set():
            began = self._clock()
            handle = self._handles[index] = self._started(index)
            self._log.info("worker started", extra={"worker": index, "pid": handle.pid})
            number = self._number
            work = Work(number, self._shares[index], self._held)
            hung = await self._begin(index, handle, work, patience)
            if hung:
                patience *= 2
            elif not handle.ended.done():
                patience = self._begins
                self._begun.add(index)
                if number != self._number:  # it was told so before it was there to hear it
                    await self._give(index, handle)
            code = await handle.ended
            del self._handles[index]
            if self._stopping.is_set():
                return
            if index not in self._begun and not hung:
                raise StartError(f"worker {index} {_how(code)} before it had begun; its log lines say why")
            pause = self._pauses.after(pause, self._clock() - began)
            self._presence.restarted(index)
            self._log.error(
                "worker is gone, and is started anew",
                extra={"worker": index, "reason": f"it {_how(code)}", "pause_seconds": pause},
            )
            await self._idle(pause)

    def _started(self, index: int) -> Handle:
        origin = Origin(self._log.name, index, self._log_level)
        destination = self._settings.destination.of_worker(index, len(self._shards))
        settings = replace(self._settings, destination=destination, shard=self._shards[index])
        return Handle(origin, settings, self._clock)

    async def _idle(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"

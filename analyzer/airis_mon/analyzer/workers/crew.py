"""All workers, their series, and the queues that earlier ones left: what one process alone would be."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry

from airis_mon.analyzer.config import Configuration
from airis_mon.analyzer.engine import Settings, observe, told
from airis_mon.analyzer.leftovers import Leftovers
from airis_mon.analyzer.metrics import Delivered
from airis_mon.analyzer.shards import Shard
from airis_mon.analyzer.workers.exposition import Together
from airis_mon.analyzer.workers.presence import Presence
from airis_mon.analyzer.workers.supervisor import Supervisor
from airis_mon.remote_write import WriteResult


class Crew:
    """Judges in several processes; to be used in one event loop."""

    def __init__(
        self,
        settings: Settings,
        shards: Sequence[Shard],
        configuration: Configuration,
        registry: CollectorRegistry,
        log: logging.Logger,
        log_level: str,
    ) -> None:
        """Prepare a worker for each of `shards`; `registry` has the series of all of them.

        JournalError where a queue that was left behind is another process'.
        """
        own = CollectorRegistry()
        observe(own)
        self._delivered = Delivered(own)
        self._configuration = configuration
        self._log = log
        self._stopping = threading.Event()
        self._leftovers = Leftovers(settings.destination, len(shards), self._told)
        self._supervisor = Supervisor(settings, shards, Presence(own), log, log_level=log_level)
        registry.register(Together(own, self._supervisor.families))

    @property
    def ready(self) -> bool:
        """Whether the first cycle of each worker has ended."""
        return self._supervisor.ready

    def start(self, failed: Callable[[Exception], None]) -> None:
        """Start the workers; `failed` hears where one ends before it could begin, a StartError."""
        self._supervisor.start(self._configuration, failed, held=bool(self._leftovers))
        if self._leftovers:
            self._log.warning(
                "queues of earlier workers go first", extra={"samples": self._leftovers.samples}
            )
            loop = asyncio.get_running_loop()
            # Not waited for at the end: what is not delivered by then stays where it is.
            threading.Thread(target=self._inherit, args=(loop,), name="leftovers", daemon=True).start()

    async def configure(self, configuration: Configuration) -> None:
        """Have each worker judge what of this is its own."""
        await self._supervisor.configure(configuration)

    async def stop(self) -> None:
        """End all workers within seconds."""
        self._stopping.set()
        await self._supervisor.stop()
        await asyncio.to_thread(self._leftovers.close)

    def _inherit(self, loop: asyncio.AbstractEventLoop) -> None:
        def release() -> None:
            with contextlib.suppress(RuntimeError):  # it has come to its end meanwhile
                asyncio.run_coroutine_threadsafe(self._supervisor.release(), loop)

        self._leftovers.run(self._stopping, release)

    def _told(self, result: WriteResult) -> None:
        self._delivered.count(result)
        told(self._log, result)

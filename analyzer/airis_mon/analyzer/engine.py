"""What analyzes, in whichever process: reads, judges and writes a share of all queries until it is closed."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from airis_mon.analyzer.access import Access
from airis_mon.analyzer.canaries import Canaries
from airis_mon.analyzer.config import Configuration
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.judged import Judged
from airis_mon.analyzer.leftovers import Leftovers
from airis_mon.analyzer.metrics import Metrics
from airis_mon.analyzer.patience import Patience
from airis_mon.analyzer.query import HttpQuerier, Limits
from airis_mon.analyzer.rounds import BACKFILL, Rounds
from airis_mon.analyzer.schedule import Schedule
from airis_mon.analyzer.shards import Shard
from airis_mon.analyzer.storage import Result, Storage
from airis_mon.analyzer.writing import Destination
from airis_mon.remote_write import QueuedWriter, WriteResult

_GRACE = 3.0
"""Seconds that a cycle in flight is given to end."""


@dataclass(frozen=True)
class Settings:
    """What is the same for every process that takes a share of the queries."""

    prometheus_url: str
    destination: Destination
    schedule: Schedule
    storage_path: Path | None
    """Folder of what was learnt; several processes may share it."""
    storage_ttl: int
    """Seconds."""
    concurrency: int
    """Questions at once, of each process."""
    limits: Limits = Limits()  # noqa: RUF009  a frozen value
    access: Access | None = None
    """Who we are to the server that is read from; None for nobody in particular."""
    shard: Shard = Shard()  # noqa: RUF009  a frozen value
    """Which share it is: its files are named after it."""
    backfill: str = BACKFILL
    """What to type to have judged what was missed, without the times."""


class Engine:
    """Cycles in a thread of their own."""

    def __init__(
        self,
        settings: Settings,
        configuration: Configuration,
        registry: CollectorRegistry,
        log: logging.Logger,
        *,
        held: bool = False,
    ) -> None:
        """Prepare, with all series of the process in `registry`; `held`: what is queued waits for `release`.

        OSError for a folder or file that cannot be written to, JournalError for a queue that is another
        process', or cannot be used.
        """
        observe(registry)
        self._metrics = Metrics(registry)
        self._stopping = threading.Event()
        self._ends = ExitStack()
        self._log = log
        storage = self._storage(settings)
        self._leftovers = Leftovers(settings.destination, 1, self._told)
        held = held or bool(self._leftovers)
        self._writer = settings.destination.opened(
            self._stopping, self._metrics, self._ends, self._dead_letters, held=held
        )
        querier = HttpQuerier.within(settings.prometheus_url, settings.limits, settings.access)
        canaries = Canaries(querier, self._writer, patience=Patience.of(settings.schedule.interval).learning)
        cycle = Cycle(
            querier,
            self._writer,
            settings.schedule,
            stopped=self._stopping.is_set,
            storage=storage,
            judged=self._judged(settings),
            patience=Patience.of(settings.schedule.interval),
            concurrency=settings.concurrency,
        )
        self._rounds = Rounds(
            cycle,
            settings.schedule,
            configuration,
            self._metrics,
            log,
            canaries,
            backfill=settings.backfill,
        )
        self._metrics.configured(len(configuration.queries))
        # A thread that the process does not wait for: a request that hangs must not hold up the end.
        self._thread = threading.Thread(
            target=self._rounds.run, args=(self._stopping,), name="cycles", daemon=True
        )

    def start(self) -> None:
        """Begin with cycles."""
        self._thread.start()
        if self._leftovers:
            self._log.warning(
                "queues of earlier workers go first", extra={"samples": self._leftovers.samples}
            )
            threading.Thread(target=self._inherit, name="leftovers", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Whether a first cycle has ended."""
        return self._rounds.ran.is_set()

    def configure(self, configuration: Configuration) -> None:
        """Judge and compare what this says from the next cycle on."""
        self._rounds.configuration = configuration
        self._metrics.configured(len(configuration.queries))

    def release(self) -> None:
        """Deliver what is queued from now on."""
        if isinstance(self._writer, QueuedWriter):
            self._writer.release()

    def close(self) -> None:
        """End: a cycle in flight and what is queued are given a moment; the rest stays on disk."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_GRACE)
        self._ends.close()
        self._leftovers.close()

    def _told(self, result: WriteResult) -> None:
        self._metrics.delivered(result)
        told(self._log, result)

    def _inherit(self) -> None:
        self._leftovers.run(self._stopping, self.release)

    def _storage(self, settings: Settings) -> Storage | None:
        if settings.storage_path is None:
            return None

        def told(result: Result, text: str) -> None:
            self._metrics.kept(result)
            level = logging.WARNING if result in ("damaged", "unsaved") else logging.DEBUG
            self._log.log(level, "state", extra={"result": result, "detail": text})

        return Storage(settings.storage_path, told, ttl=settings.storage_ttl)

    def _judged(self, settings: Settings) -> Judged | None:
        if settings.storage_path is None:
            return None

        def told(text: str) -> None:
            self._log.warning("state", extra={"detail": text})

        return Judged(settings.storage_path, settings.shard, told)

    def _dead_letters(self, error: str) -> None:
        if error:
            self._log.warning("dead letters are lost", extra={"error": error})
        else:
            self._log.warning("dead letters are written again")


def told(log: logging.Logger, result: WriteResult) -> None:
    """Tell what became of samples that earlier workers had queued."""
    for note in result.notes:
        log.warning("receiver", extra={"note": note})
    for error in result.errors:
        log.warning("samples dropped", extra={"error": error})
    if result.sent or result.dropped:
        log.info("queues of earlier workers", extra={"written": result.sent, "dropped": result.dropped})


def observe(registry: CollectorRegistry) -> None:
    """Add what every process tells of itself: processor, memory, files."""
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)

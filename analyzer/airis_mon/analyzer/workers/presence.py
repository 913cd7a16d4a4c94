"""What a supervisor says of its workers on /metrics."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

from airis_mon.analyzer import series


class Presence:
    """Whether workers are there, and how often they were not."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register both."""
        self._up = Gauge(
            series.WORKER_UP,
            "Whether a worker has told of itself within ten seconds.",
            [series.WORKER],
            registry=registry,
        )
        self._restarts = Counter(
            series.WORKER_RESTARTS,
            "Workers that ended by themselves, or did not answer, and were started anew.",
            [series.WORKER],
            registry=registry,
        )

    def watch(self, index: int, up: Callable[[], bool]) -> None:
        """Tell of a worker, as it is when it is asked for."""
        self._up.labels(str(index)).set_function(lambda: float(up()))
        self._restarts.labels(str(index))

    def restarted(self, index: int) -> None:
        """Count one that ended."""
        self._restarts.labels(str(index)).inc()

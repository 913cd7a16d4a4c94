"""The sidecar's series about itself."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from airis_mon.exporters import series
from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.items import REASONS
from airis_mon.sidecar.limits import Limits

ACCEPTED = "accepted"
REJECTED = "rejected"
METRIC = "metric"
EVENT = "event"


class Observation:
    """Counts items; all of its series exist from the start, so that `rate()` sees the first refusal."""

    def __init__(
        self, registry: CollectorRegistry, aggregates: Aggregates, limits: Limits, *, durable: bool
    ) -> None:
        self._items = Counter(
            series.SIDECAR_ITEMS,
            "Metrics and events taken in.",
            [series.KIND, series.RESULT],
            registry=registry,
        )
        self._errors = Counter(
            series.SIDECAR_ITEM_ERRORS,
            "Refused metrics and events by reason.",
            [series.KIND, series.REASON],
            registry=registry,
        )
        for kind in (METRIC, EVENT):
            for result in (ACCEPTED, REJECTED):
                self._items.labels(kind, result)
            for reason in REASONS:
                self._errors.labels(kind, reason)
        Gauge(
            series.SIDECAR_SERIES,
            "Label sets that are kept over all metrics; a histogram's counts once.",
            registry=registry,
        ).set_function(lambda: aggregates.series)
        Gauge(
            series.SIDECAR_SERIES_LIMIT,
            "Label sets beyond which items with new ones are refused.",
            registry=registry,
        ).set(limits.series)
        Gauge(series.SIDECAR_METRICS, "Metric names that are kept.", registry=registry).set_function(
            lambda: aggregates.metrics
        )
        Gauge(
            series.SIDECAR_JOURNAL_DURABLE,
            "1 where what is acknowledged survives a restart.",
            registry=registry,
        ).set(durable)

    def accepted(self, kind: str, count: int) -> None:
        """Count accepted items."""
        self._items.labels(kind, ACCEPTED).inc(count)

    def rejected(self, kind: str, reason: str) -> None:
        """Count one refused item."""
        self._items.labels(kind, REJECTED).inc()
        self._errors.labels(kind, reason).inc()

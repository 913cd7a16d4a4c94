"""The sidecar's series about itself."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from airis_mon.exporters import series
from airis_mon.journal import Journal, MemoryJournal
from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.items import REASONS
from airis_mon.sidecar.limits import Limits

ACCEPTED = "accepted"
REJECTED = "rejected"
METRIC = "metric"
EVENT = "event"
OPERATION = "operation"
OTLP_POINT = "otlp_data_point"
OTLP_LOG = "otlp_log_record"
REMOTE_WRITE = "remote_write_sample"
LOG_RECORD = "log_record"
KINDS = (METRIC, EVENT, OPERATION, OTLP_POINT, OTLP_LOG, REMOTE_WRITE, LOG_RECORD)
"""What the sidecar takes in, by the way that it came."""


class _Records(Collector):
    """The journal's own number, which goes on where the process before has ended."""

    def __init__(self, journal: Journal | MemoryJournal) -> None:
        self._journal = journal

    def collect(self) -> Iterator[Metric]:
        name = series.SIDECAR_JOURNAL_RECORDS.removesuffix("_total")
        yield CounterMetricFamily(name, "Records of the journal.", self._journal.sequence)


class Observation:
    """Counts items; all of its series exist from the start, so that `rate()` sees the first refusal."""

    def __init__(
        self,
        registry: CollectorRegistry,
        aggregates: Aggregates,
        limits: Limits,
        journal: Journal | MemoryJournal,
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
        self._duplicates = Counter(
            series.SIDECAR_DUPLICATES,
            "Batches that had come before and were not counted again.",
            registry=registry,
        )
        self._accepted = {kind: self._items.labels(kind, ACCEPTED) for kind in KINDS}
        for kind in KINDS:
            self._items.labels(kind, REJECTED)
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
        ).set(journal.durable)

        Gauge(
            series.SIDECAR_JOURNAL_PENDING_BYTES, "Bytes that wait for the disk.", registry=registry
        ).set_function(lambda: journal.pending_bytes)
        Gauge(
            series.SIDECAR_JOURNAL_USABLE, "0 once the disk has failed twice in a row.", registry=registry
        ).set_function(lambda: journal.usable)
        registry.register(_Records(journal))
        self._lost = Counter(
            series.SIDECAR_JOURNAL_CORRUPT, "Damaged records that were found at the start.", registry=registry
        )
        self._snapshot_failures = Counter(
            series.SIDECAR_SNAPSHOT_FAILURES, "Snapshots that could not be written.", registry=registry
        )
        self._expired = Counter(
            series.SIDECAR_EXPIRED, "Series removed because nothing came for them.", registry=registry
        )

    def lost(self, count: int) -> None:
        """Count records that damage has cost."""
        self._lost.inc(count)

    def snapshot_failed(self) -> None:
        """Count a snapshot that is not there."""
        self._snapshot_failures.inc()

    def expired(self, count: int) -> None:
        """Count series whose time was over."""
        self._expired.inc(count)

    def accepted(self, kind: str, count: int) -> None:
        """Count accepted items."""
        self._accepted[kind].inc(count)

    def duplicate(self) -> None:
        """Count a batch that came again."""
        self._duplicates.inc()

    def rejected(self, kind: str, reason: str) -> None:
        """Count one refused item."""
        self._items.labels(kind, REJECTED).inc()
        self._errors.labels(kind, reason).inc()

"""What the analyzer says of itself on /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from airis_mon.analyzer import series
from airis_mon.analyzer.cycle import Outcome

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metrics:
    """The analyzer's own series, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register all of them, at 0."""
        self._cycles = Counter(series.CYCLES, "Cycles that ended, by result.", ["result"], registry=registry)
        for result in ("ok", "partial", "failed"):
            self._cycles.labels(result)
        self._duration = Histogram(
            series.CYCLE_DURATION,
            "Time from a cycle's start to the end of its write.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._last = Gauge(series.LAST_CYCLE, "Time that the last complete cycle judged.", registry=registry)
        self._errors = Counter(
            series.QUERY_ERRORS,
            "Queries that gave nothing, by monitor and signal.",
            ["monitor", "for"],
            registry=registry,
        )
        self._fits = Counter(series.FITS, "Models that were fitted, one a query.", registry=registry)
        self._written = Counter(series.WRITTEN, "Samples that the receiver took.", registry=registry)
        self._dropped = Counter(series.DROPPED, "Samples that were given up.", registry=registry)
        self._scored = Gauge(series.SCORED, "Series that were scored in the last cycle.", registry=registry)
        self._warming_up = Gauge(
            series.WARMING_UP, "Series whose score is 0 because their past is too short.", registry=registry
        )
        self._queries = Gauge(series.CONFIG_QUERIES, "Queries of the configuration.", registry=registry)
        self._reloads = Counter(
            series.CONFIG_RELOADS,
            "Attempts to load the configuration again, by result.",
            ["result"],
            registry=registry,
        )
        for result in ("ok", "failed"):
            self._reloads.labels(result)

    def ended(self, outcome: Outcome) -> None:
        """Count a cycle that ran to its end."""
        self._cycles.labels("ok" if outcome.complete else "partial").inc()
        self._duration.observe(outcome.seconds)
        if outcome.complete:
            self._last.set(outcome.at)
        for failure in outcome.failures:
            self._errors.labels(failure.query.monitor, failure.query.signal).inc()
        self._fits.inc(outcome.fits)
        self._written.inc(outcome.written.sent)
        self._dropped.inc(outcome.written.dropped)
        self._scored.set(outcome.scored)
        self._warming_up.set(outcome.warming_up)

    def failed(self) -> None:
        """Count a cycle that could not even begin."""
        self._cycles.labels("failed").inc()

    def configured(self, queries: int) -> None:
        """Note how many queries are run."""
        self._queries.set(queries)

    def reloaded(self, *, ok: bool) -> None:
        """Count an attempt to load the configuration again."""
        self._reloads.labels("ok" if ok else "failed").inc()

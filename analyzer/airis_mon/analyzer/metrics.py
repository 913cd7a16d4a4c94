"""What the analyzer says of itself on /metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from airis_mon.analyzer import series
from airis_mon.analyzer.canaries import Look
from airis_mon.analyzer.config import Query
from airis_mon.analyzer.outcome import Outcome, Tally
from airis_mon.analyzer.phases import PHASES
from airis_mon.analyzer.query import LIMITS
from airis_mon.analyzer.storage import RESULTS, Result
from airis_mon.remote_write import Backlog, DeadLetters, WriteResult
from airis_mon.spec import format_duration

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
        self._phases = Histogram(
            series.PHASE_DURATION,
            "Time that a cycle spent in each phase.",
            ["phase"],
            buckets=_BUCKETS,
            registry=registry,
        )
        for phase in PHASES:
            self._phases.labels(phase)
        self._lag = Gauge(
            series.LAG,
            "Time from the moment that the last cycle judged to the end of its write.",
            registry=registry,
        )
        self._missed = Counter(series.MISSED, "Aligned times that no cycle judged.", registry=registry)
        self._back = Counter(
            series.CLOCK_BACK,
            "Cycles that judged nothing, because Prometheus' clock was before a time that was judged.",
            registry=registry,
        )
        self._series = Gauge(
            series.QUERY_SERIES,
            "Series that the expressions of a monitor's signal gave in the last cycle.",
            ["monitor", "for"],
            registry=registry,
        )
        self._candidates = Gauge(
            series.CANDIDATE_SERIES,
            "Series whose forecasts a candidate of the document was tried for, or was not, by result.",
            ["monitor", "for", "horizon", "candidate", "result"],
            registry=registry,
        )
        self._ages = Gauge(
            series.MODEL_AGE,
            "Time from the last value that the model has seen to the one that was judged.",
            ["monitor", "for"],
            registry=registry,
        )
        self._state = Counter(
            series.STATE,
            "Files of what was learnt that were looked for or written, by result.",
            ["result"],
            registry=registry,
        )
        for result in RESULTS:
            self._state.labels(result)
        self._errors = Counter(
            series.QUERY_ERRORS,
            "Queries that gave nothing, by monitor and signal.",
            ["monitor", "for"],
            registry=registry,
        )
        self._limited = Counter(
            series.LIMITED,
            "Queries that came up against a limit, and so were not read, judged, compared or learnt from.",
            ["limit"],
            registry=registry,
        )
        for limit in LIMITS:
            self._limited.labels(limit)
        self._fits = Counter(series.FITS, "Models that were fitted, one a query.", registry=registry)
        self._delivered = Delivered(registry)
        self._queue_samples = Gauge(
            series.QUEUE_SAMPLES, "Samples that wait on disk for the receiver.", registry=registry
        )
        self._queue_bytes = Gauge(
            series.QUEUE_BYTES, "Bytes that wait on disk for the receiver.", registry=registry
        )
        self._queue_age = Gauge(
            series.QUEUE_AGE, "Time for which the oldest sample has waited on disk.", registry=registry
        )
        self._queue_damaged = Gauge(
            series.QUEUE_DAMAGED, "Places of the queue at which the disk lost samples.", registry=registry
        )
        self._letters = Counter(
            series.DEAD_LETTERS,
            "Samples that were given up and handed to the file for them, by result.",
            ["result"],
            registry=registry,
        )
        for result in ("kept", "lost"):
            self._letters.labels(result)
        self._told: DeadLetters | None = None
        self._letters_before = (0, 0)
        self._scored = Gauge(series.SCORED, "Series that were scored in the last cycle.", registry=registry)
        self._warming_up = Gauge(
            series.WARMING_UP, "Series whose score is 0 because their past is too short.", registry=registry
        )
        self._queries = Gauge(series.CONFIG_QUERIES, "Queries of the configuration.", registry=registry)

    def ended(self, outcome: Outcome) -> None:
        """Count a cycle that ran to its end."""
        self._cycles.labels("ok" if outcome.complete else "partial").inc()
        self._duration.observe(outcome.seconds)
        if outcome.complete:
            self._last.set(outcome.at)
        for phase, seconds in outcome.phases.items():
            self._phases.labels(phase).observe(seconds)
        self._lag.set(outcome.lag)
        self._missed.inc(len(outcome.missed))
        self._tell(self._series, ((tally.query, tally.series) for tally in outcome.tallies), sum)
        self._tell(self._ages, outcome.ages.items(), max)
        self._tried(outcome.tallies)
        for failure in outcome.failures:
            self._errors.labels(failure.query.monitor, failure.query.signal).inc()
        for limit, count in outcome.limited.items():
            self._limited.labels(limit).inc(count)
        self._fits.inc(outcome.fits)
        self._delivered.count(outcome.written)
        if self._told is not None:
            now = (self._told.kept, self._told.lost)
            for result, count, before in zip(("kept", "lost"), now, self._letters_before, strict=True):
                self._letters.labels(result).inc(count - before)
            self._letters_before = now
        self._scored.set(outcome.scored)
        self._warming_up.set(outcome.warming_up)

    def _tried(self, tallies: Iterable[Tally]) -> None:
        self._candidates.clear()
        for tally in tallies:
            for trial in tally.trials:
                horizon, result = format_duration(trial.horizon), trial.fate.name.lower()
                labels = (tally.query.monitor, tally.query.signal, horizon, trial.candidate, result)
                # Several queries may be about one signal, each by its own labels.
                self._candidates.labels(*labels).inc(trial.series)

    def compared(self, look: Look) -> None:
        """Count a look at versions that run beside each other."""
        for rollout, _ in look.failures:
            self._errors.labels(rollout.monitor, series.CANARY).inc()
        for limit in look.limited:
            self._limited.labels(limit).inc()
        self._delivered.count(look.written)

    @staticmethod
    def _tell(
        gauge: Gauge, values: Iterable[tuple[Query, int]], together: Callable[[list[int]], int]
    ) -> None:
        """Set a gauge of each monitor and signal, and of no others: a query may be gone since."""
        found: dict[tuple[str, str], list[int]] = {}
        for query, value in values:
            found.setdefault((query.monitor, query.signal), []).append(value)
        gauge.clear()
        for labels, several in found.items():
            gauge.labels(*labels).set(together(several))

    def kept(self, result: Result) -> None:
        """Count what became of a file of what was learnt."""
        self._state.labels(result).inc()

    def went_back(self) -> None:
        """Count a cycle that found the clock before a time that was judged."""
        self._back.inc()

    def queue(self, backlog: Callable[[], Backlog]) -> None:
        """Tell what waits in the queue, as it is when it is asked for."""
        self._queue_samples.set_function(lambda: backlog().samples)
        self._queue_bytes.set_function(lambda: backlog().bytes)
        self._queue_age.set_function(lambda: backlog().seconds)
        self._queue_damaged.set_function(lambda: backlog().damaged)

    def dead_letters(self, letters: DeadLetters) -> None:
        """Tell, after each cycle, what became of samples that were given up."""
        self._told = letters

    def delivered(self, result: WriteResult) -> None:
        """Count what became of samples that earlier workers had queued."""
        self._delivered.count(result)

    def failed(self) -> None:
        """Count a cycle that could not even begin."""
        self._cycles.labels("failed").inc()

    def configured(self, queries: int) -> None:
        """Note how many queries are run."""
        self._queries.set(queries)


class Delivered:
    """What became of samples, in whichever process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register both counters, at 0."""
        self._written = Counter(series.WRITTEN, "Samples that the receiver took.", registry=registry)
        self._dropped = Counter(series.DROPPED, "Samples that were given up.", registry=registry)

    def count(self, result: WriteResult) -> None:
        """Count what a write did."""
        self._written.inc(result.sent)
        self._dropped.inc(result.dropped)


class Reloads:
    """Attempts to load the configuration again, of the process that reads it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register them, at 0."""
        self._reloads = Counter(
            series.CONFIG_RELOADS,
            "Attempts to load the configuration again, by result.",
            ["result"],
            registry=registry,
        )
        for result in ("ok", "failed"):
            self._reloads.labels(result)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Count what becomes of an attempt: `failed` where it raises."""
        try:
            yield
        except Exception:
            self._reloads.labels("failed").inc()
            raise
        self._reloads.labels("ok").inc()

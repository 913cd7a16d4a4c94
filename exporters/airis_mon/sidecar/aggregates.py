"""The series that items add up to, apart from how items come and how series go out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from prometheus_client import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

from airis_mon.sidecar.items import CONFLICT, LIMIT, ItemError
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.names import Labels
from airis_mon.sidecar.translation import EVENTS, Family, Update

_SUFFIXES = {
    "counter": ("_total", "_created"),
    "gauge": (),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
}


class Series(ABC):
    """One label set of one metric."""

    def __init__(self, labels: Labels) -> None:
        self.labels = dict(labels)
        self.exposed = False
        """Admitted is not applied: a series is seen once its first value is safe in the journal."""

    def apply(self, value: float, timestamp: float) -> None:
        """Take a value in the base unit, measured at `timestamp` (seconds since 1970)."""
        self._apply(value, timestamp)
        self.exposed = True

    @abstractmethod
    def _apply(self, value: float, timestamp: float) -> None: ...

    @abstractmethod
    def samples(self, name: str) -> Iterator[Sample]:
        """Yield the samples as prometheus-client exposes them."""


class CounterSeries(Series):
    """A sum of increments."""

    def __init__(self, labels: Labels) -> None:
        super().__init__(labels)
        self._value = 0.0

    def _apply(self, value: float, timestamp: float) -> None:
        self._value += value

    def samples(self, name: str) -> Iterator[Sample]:
        """Yield the total."""
        yield Sample(f"{name}_total", self.labels, self._value)


class GaugeSeries(Series):
    """The value with the latest timestamp; of two with the same one, that which came last."""

    def __init__(self, labels: Labels) -> None:
        super().__init__(labels)
        self._value = 0.0
        self._timestamp = float("-inf")

    def _apply(self, value: float, timestamp: float) -> None:
        if timestamp >= self._timestamp:
            self._value, self._timestamp = value, timestamp

    def samples(self, name: str) -> Iterator[Sample]:
        """Yield the value."""
        yield Sample(name, self.labels, self._value)


class HistogramSeries(Series):
    """Observations counted per bucket."""

    def __init__(self, labels: Labels, bounds: tuple[float, ...]) -> None:
        super().__init__(labels)
        self._bounds = bounds
        self._le = tuple(floatToGoString(bound) for bound in (*bounds, float("inf")))  # type: ignore[no-untyped-call]
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def _apply(self, value: float, timestamp: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def samples(self, name: str) -> Iterator[Sample]:
        """Yield the cumulative buckets, then count and sum."""
        cumulated = 0
        for le, count in zip(self._le, self._counts, strict=True):
            cumulated += count
            yield Sample(f"{name}_bucket", {**self.labels, "le": le}, cumulated)
        yield Sample(f"{name}_count", self.labels, cumulated)
        yield Sample(f"{name}_sum", self.labels, self._sum)


class Aggregates(Collector):
    """All series, within the limits. Not safe for threads: it belongs to the event loop.

    First `admit`, which finds or makes the series and raises for what has no place; then, once the journal
    has the item, `Series.apply`. Between the two a new series holds its place but is not exposed.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._families: dict[str, Family] = {}
        self._series: dict[str, dict[Labels, Series]] = {}
        self._claims: dict[str, str] = {}
        self._count = 0
        self._claim(EVENTS)

    @property
    def metrics(self) -> int:
        """Return how many metric names there are."""
        return len(self._families)

    @property
    def series(self) -> int:
        """Return how many label sets there are over all metrics."""
        return self._count

    def admit(self, update: Update) -> Series:
        """Return the series of an update; ItemError where the name is taken or a limit is reached."""
        family = update.family
        known = self._families.get(family.name)
        if known is None:
            self._check_name(family)
        elif known.kind != family.kind:
            raise ItemError(
                "metric_type",
                f"`{family.name}` is a {known.kind} already and cannot be a {family.kind} too; "
                f"send the other values under another metric_name",
                CONFLICT,
            )
        series = self._series.get(family.name, {}).get(update.labels)
        if series is not None:
            return series
        self._check_room(family.name)
        if known is None:
            self._claim(family)
            known = family
        series = _series(known, update.labels)
        self._series[known.name][update.labels] = series
        self._count += 1
        return series

    def collect(self) -> Iterable[Metric]:
        """Yield every metric that has a value."""
        for name, family in self._families.items():
            exposed = [series for series in self._series[name].values() if series.exposed]
            if not exposed:
                continue
            metric = Metric(name, family.documentation, family.kind)
            for series in exposed:
                metric.samples.extend(series.samples(name))
            yield metric

    def describe(self) -> Iterable[Metric]:
        """Yield nothing: names come with the items, so a registry must not ask for them beforehand."""
        return ()

    def _check_name(self, family: Family) -> None:
        for name in _exposed_names(family):
            if name in self._claims:
                raise ItemError(
                    "metric_name",
                    f"`{family.name}` would expose `{name}`, which belongs to the metric "
                    f"`{self._claims[name]}` already; choose another name",
                    CONFLICT,
                )
        if len(self._families) >= self._limits.metrics:
            raise ItemError(
                "metric_name",
                f"{self._limits.metrics} metric names are kept already; put what varies into a tag, or raise "
                f"--limit.metrics",
                LIMIT,
            )

    def _check_room(self, name: str) -> None:
        if len(self._series.get(name, ())) >= self._limits.series_per_metric:
            raise ItemError(
                "tags",
                f"`{name}` has {self._limits.series_per_metric} label sets already; drop the tag that varies "
                f"most, or raise --limit.series-per-metric",
                LIMIT,
            )
        if self._count >= self._limits.series:
            raise ItemError(
                "tags",
                f"{self._limits.series} label sets are kept already over all metrics; drop the tag that "
                f"varies most, or raise --limit.series",
                LIMIT,
            )

    def _claim(self, family: Family) -> None:
        self._families[family.name] = family
        self._series[family.name] = {}
        self._claims.update(dict.fromkeys(_exposed_names(family), family.name))


def _exposed_names(family: Family) -> tuple[str, ...]:
    return (family.name, *(family.name + suffix for suffix in _SUFFIXES[family.kind]))


def _series(family: Family, labels: Labels) -> Series:
    if family.kind == "counter":
        return CounterSeries(labels)
    if family.kind == "gauge":
        return GaugeSeries(labels)
    return HistogramSeries(labels, family.buckets)

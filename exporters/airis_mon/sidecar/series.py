"""The values that updates add up to: one class per kind, without names, limits or a way out.

They belong to the event loop. A series is changed only by what the journal already holds (see `entries`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from operator import add
from typing import Literal

from prometheus_client.samples import Exemplar as ClientExemplar
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

from airis_mon.sidecar.names import Labels

Kind = Literal["counter", "gauge", "histogram", "unknown"]


@dataclass(frozen=True)
class Family:
    """A metric as Prometheus knows it."""

    name: str
    """Without a counter's `_total`."""
    kind: Kind
    documentation: str
    buckets: tuple[float, ...] = ()
    """Boundaries of a histogram, without +Inf."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One measurement that stands for many, usually with the id of its trace."""

    labels: Labels
    value: float
    timestamp: float
    """Seconds since 1970."""

    @property
    def fits(self) -> bool:
        """Say whether OpenMetrics takes it: at most 128 characters of labels, and a name for each."""
        return all(name for name, _ in self.labels) and (
            sum(len(name) + len(value) for name, value in self.labels) <= 128
        )


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram's state as a sender holds it."""

    counts: tuple[int, ...]
    """Per bucket, not cumulated, the last one up to +Inf."""
    sum: float


Value = float | Distribution


class Series(ABC):
    """One label set of one metric."""

    __slots__ = (
        "definition",
        "exposed",
        "family",
        "labels",
        "last",
        "removed",
        "sequence",
        "text",
        "touched",
    )

    def __init__(self, family: Family, labels: Labels) -> None:
        self.family = family
        self.labels = labels
        """Sorted pairs."""
        self.exposed = False
        """Admitted is not applied: a series is seen once its first value is safe in the journal."""
        self.sequence = 0
        """The last journal record that it holds; a record counts only where its own number is higher."""
        self.touched = 0.0
        """When it was last updated, seconds since 1970 by our clock; what has rested too long is removed."""
        self.last = float("-inf")
        """Timestamp of the value, where the latest one wins."""
        self.removed = False
        self.text: str | None = None
        """Its name and labels as they are exposed, once they were."""
        self.definition: bytes | None = None
        """Its encoding in the journal, once it was written."""

    @abstractmethod
    def add(self, value: Value, timestamp: float) -> None:
        """Take one value in the base unit, or many observations at once; seconds since 1970."""

    @abstractmethod
    def replace(self, value: Value, timestamp: float) -> None:
        """Take a sender's own state where it is no older than the last one."""

    @abstractmethod
    def keep(self, exemplar: Exemplar) -> None:
        """Keep an exemplar in place of the one before."""

    @abstractmethod
    def samples(self, name: str) -> Iterator[Sample]:
        """Yield the samples as prometheus-client exposes them."""


class _Plain(Series):
    """A series of one number."""

    __slots__ = ("exemplar", "value")

    def __init__(self, family: Family, labels: Labels) -> None:
        super().__init__(family, labels)
        self.value = 0.0
        self.exemplar: Exemplar | None = None

    def add(self, value: Value, timestamp: float) -> None:
        """Take the value with the latest timestamp; of two with the same one, that which came last."""
        self.replace(value, timestamp)

    def replace(self, value: Value, timestamp: float) -> None:
        """Take a total."""
        if timestamp >= self.last and not isinstance(value, Distribution):
            self.value, self.last = value, timestamp

    def keep(self, exemplar: Exemplar) -> None:
        """Keep an exemplar."""
        self.exemplar = exemplar

    def samples(self, name: str) -> Iterator[Sample]:
        """Yield the value."""
        yield Sample(name, dict(self.labels), self.value)


class CounterSeries(_Plain):
    """A sum of increments."""

    __slots__ = ()

    def add(self, value: Value, timestamp: float) -> None:
        """Add an increment."""
        if not isinstance(value, Distribution):
            self.value += value

    def samples(self, name: str) -> Iterator[Sample]:
        """Yield the total."""
        yield Sample(f"{name}_total", dict(self.labels), self.value, None, _client_exemplar(self.exemplar))


class GaugeSeries(_Plain):
    """The value with the latest timestamp; of two with the same one, that which came last."""

    __slots__ = ()


class UnknownSeries(_Plain):
    """A number of which the sender has not said what it is; the latest timestamp wins."""

    __slots__ = ()


class HistogramSeries(Series):
    """Observations counted per bucket."""

    __slots__ = ("bounds", "counts", "exemplars", "sum")

    def __init__(self, family: Family, labels: Labels) -> None:
        super().__init__(family, labels)
        self.bounds = family.buckets
        self.counts = [0] * (len(self.bounds) + 1)
        """Not cumulated, the last one up to +Inf."""
        self.sum = 0.0
        self.exemplars: list[Exemplar | None] | None = None
        """The last one of each bucket."""

    def add(self, value: Value, timestamp: float) -> None:
        """Count one observation, or as many as a distribution of the same buckets holds."""
        if isinstance(value, Distribution):
            self.counts[:] = map(add, self.counts, value.counts)
            self.sum += value.sum
        else:
            self.counts[bisect_left(self.bounds, value)] += 1
            self.sum += value

    def keep(self, exemplar: Exemplar) -> None:
        """Keep an exemplar, in the bucket of its value."""
        if self.exemplars is None:
            self.exemplars = [None] * len(self.counts)
        self.exemplars[bisect_left(self.bounds, exemplar.value)] = exemplar

    def replace(self, value: Value, timestamp: float) -> None:
        """Take a whole distribution; one with other buckets is refused before it gets here."""
        if (
            timestamp >= self.last
            and isinstance(value, Distribution)
            and len(value.counts) == len(self.counts)
        ):
            self.counts[:] = value.counts
            self.sum, self.last = value.sum, timestamp

    def samples(self, name: str) -> Iterator[Sample]:
        """Yield the cumulative buckets, then count and sum."""
        labels = dict(self.labels)
        cumulated = 0
        exemplars = self.exemplars or [None] * len(self.counts)
        for bound, count, exemplar in zip((*self.bounds, float("inf")), self.counts, exemplars, strict=True):
            cumulated += count
            le = floatToGoString(bound)  # type: ignore[no-untyped-call]
            yield Sample(f"{name}_bucket", {**labels, "le": le}, cumulated, None, _client_exemplar(exemplar))
        yield Sample(f"{name}_count", labels, cumulated)
        yield Sample(f"{name}_sum", labels, self.sum)


def _client_exemplar(exemplar: Exemplar | None) -> ClientExemplar | None:
    if exemplar is None:
        return None
    return ClientExemplar(dict(exemplar.labels), exemplar.value, exemplar.timestamp)


def new_series(family: Family, labels: Labels) -> Series:
    """Return a series that has no value yet."""
    return _CLASSES[family.kind](family, labels)


_CLASSES: dict[Kind, type[Series]] = {
    "counter": CounterSeries,
    "gauge": GaugeSeries,
    "histogram": HistogramSeries,
    "unknown": UnknownSeries,
}

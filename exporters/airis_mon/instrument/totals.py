"""What all recorded operations add up to: values by family and labels, added to in batches."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from prometheus_client import Metric
from prometheus_client.samples import Exemplar, Sample
from prometheus_client.utils import floatToGoString

from airis_mon.instrument.families import Family

Labels = tuple[str, ...]


class Traced(NamedTuple):
    """A value with the trace it was measured in."""

    value: float
    trace_id: str
    timestamp: float
    """Seconds since 1970."""


class Tally:
    """A histogram of one label set."""

    __slots__ = ("bounds", "counts", "exemplars", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """Per bucket, not cumulated."""
        self.sum = 0.0
        self.exemplars: dict[int, Traced] = {}
        """The latest by bucket."""

    def add(self, values: Sequence[float]) -> None:
        """Count observations, given in ascending order: one look per boundary, however many they are."""
        below = 0
        for position, bound in enumerate(self.bounds):
            upto = bisect_right(values, bound, below)
            if upto > below:
                self.counts[position] += upto - below
                below = upto
                if below == len(values):
                    break
        self.counts[-1] += len(values) - below if below < len(values) else 0
        self.sum += sum(values)

    def copy(self) -> Tally:
        """Return an independent one that says the same."""
        made = Tally(self.bounds)
        made.counts, made.sum, made.exemplars = list(self.counts), self.sum, dict(self.exemplars)
        return made

    def keep(self, traced: Traced) -> None:
        """Keep an exemplar in place of the bucket's last one."""
        self.exemplars[bisect_left(self.bounds, traced.value)] = traced


class Totals:
    """Counters and histograms. Not safe for threads: who has it holds a lock."""

    def __init__(self) -> None:
        self.families: dict[str, Family] = {}
        self._counters: dict[str, dict[Labels, float]] = {}
        self._tallies: dict[str, dict[Labels, Tally]] = {}

    def declare(self, family: Family) -> None:
        """Make a family known; asked again it changes nothing."""
        if family.name not in self.families:
            self.families[family.name] = family
            if family.kind == "counter":
                self._counters[family.name] = {}
            else:
                self._tallies[family.name] = {}

    def count(self, family: Family, labels: Labels, amount: float = 0) -> None:
        """Add to a counter; by zero makes its series."""
        values = self._counters[family.name]
        values[labels] = values.get(labels, 0.0) + amount

    def tally(self, family: Family, labels: Labels) -> Tally:
        """Return the histogram of these labels."""
        tallies = self._tallies[family.name]
        found = tallies.get(labels)
        if found is None:
            found = tallies[labels] = Tally(family.buckets)
        return found

    def copy(self) -> Totals:
        """Return what others may read and add to, without a lock."""
        made = Totals()
        made.families = dict(self.families)
        made._counters = {name: dict(values) for name, values in self._counters.items()}
        made._tallies = {
            name: {labels: tally.copy() for labels, tally in tallies.items()}
            for name, tallies in self._tallies.items()
        }
        return made

    def state(self) -> list[list[Any]]:
        """Return all values as JSON has them, exemplars left out."""
        return [
            [name, list(labels), value]
            for name, values in self._counters.items()
            for labels, value in values.items()
        ] + [
            [name, list(labels), [list(tally.bounds), tally.counts, tally.sum]]
            for name, tallies in self._tallies.items()
            for labels, tally in tallies.items()
        ]

    def add(self, state: list[list[Any]]) -> None:
        """Add the values of another process; of families that are not declared here nothing is taken.

        A histogram whose boundaries have changed since is left out: its counts fit no bucket of ours.
        """
        for name, given, value in state:
            family, labels = self.families.get(name), tuple(given)
            if family is None or len(labels) != len(family.labels):
                continue
            if family.kind == "counter":
                self.count(family, labels, value)
            elif list(family.buckets) == value[0]:
                tally = self.tally(family, labels)
                tally.counts = [ours + theirs for ours, theirs in zip(tally.counts, value[1], strict=True)]
                tally.sum += value[2]

    def take_exemplars(self, other: Totals) -> None:
        """Take the exemplars of the same series elsewhere."""
        for name, tallies in other._tallies.items():
            for labels, tally in tallies.items():
                if tally.exemplars and name in self._tallies:
                    self.tally(self.families[name], labels).exemplars = tally.exemplars

    def metrics(self) -> Iterator[Metric]:
        """Yield what prometheus-client exposes."""
        for family in self.families.values():
            metric = described(family)
            if family.kind == "counter":
                metric.samples = [
                    Sample(family.name, dict(zip(family.labels, labels, strict=True)), value)
                    for labels, value in self._counters[family.name].items()
                ]
            else:
                for labels, tally in self._tallies[family.name].items():
                    metric.samples += _samples(
                        family.name, dict(zip(family.labels, labels, strict=True)), tally
                    )
            yield metric


def described(family: Family) -> Metric:
    """Return a family's metric, without samples."""
    return Metric(family.name.removesuffix("_total"), family.documentation, family.kind)


def _samples(name: str, labels: dict[str, str], tally: Tally) -> Iterator[Sample]:
    cumulated = 0
    for position, bound in enumerate((*tally.bounds, float("inf"))):
        cumulated += tally.counts[position]
        le = floatToGoString(bound)  # type: ignore[no-untyped-call]
        traced = tally.exemplars.get(position)
        exemplar = traced and Exemplar({"trace_id": traced.trace_id}, traced.value, traced.timestamp)
        yield Sample(f"{name}_bucket", {**labels, "le": le}, cumulated, None, exemplar)
    yield Sample(f"{name}_count", labels, cumulated)
    yield Sample(f"{name}_sum", labels, tally.sum)

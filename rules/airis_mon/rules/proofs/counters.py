"""Counters behind an indicator: which of them one operation moves, if it is good and if it fails."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from airis_mon.exporters.contracts import spellings
from airis_mon.rules.expressions import LE
from airis_mon.rules.indicators import (
    Availability,
    Counted,
    Freshness,
    Indicator,
    LatencyBelow,
    NativeLatency,
)
from airis_mon.rules.literals import number
from airis_mon.rules.proofs import histograms, strangers
from airis_mon.rules.proofs.kinds import Example, Kind, kinds
from airis_mon.rules.proofs.matchers import label_sets

INSTANCE = "instance"
INSTANCES = ("one:8000", "two:8000")
"""Traffic comes from two instances, so that sums are proven to be sums."""


@dataclass(frozen=True)
class Counter:
    """A series, and how much of it one operation is."""

    metric: str
    labels: Mapping[str, str]
    good: float
    """What a good operation adds; 1 divided by the number of series that share the operations."""
    failed: float
    """What a failed one adds."""
    threshold: float | None = None
    """Above it a failed operation lies and below it a good one, where a native histogram tells them apart."""
    native: bool = False
    """Whether the series is a native histogram."""

    def value(self, good: float, failed: float) -> str:
        """Return the value of a series to which operations add so much, as promtool writes it.

        A native histogram of schema 3 has eight boundaries between a power of two and the next: good
        operations lie in the last bucket that ends at the threshold or before, failed ones in the first that
        begins there or later.
        """
        if self.threshold is None:
            return histograms.text(good + failed) if self.native else number(good + failed)
        last, count = math.floor(8 * math.log2(self.threshold)), number(good + failed)
        buckets = f"offset:{last} buckets:[{number(good)} 0 {number(failed)}]"
        return f"{{{{schema:3 count:{count} sum:{count} {buckets}}}}}"


def counters(what: Indicator, spelling: int = 0) -> tuple[Counter, ...]:
    """Return the series of a server; `spelling` chooses how it writes a boundary. Freshness has none."""
    if isinstance(what, Freshness):
        return ()
    if isinstance(what, Availability):
        found = tuple(_available(what))
    elif isinstance(what, LatencyBelow):
        found = tuple(_slow(what, spelling))
    elif isinstance(what, NativeLatency):
        found = (Counter(what.metric, what.selector, 1.0, 1.0, threshold=what.threshold, native=True),)
    else:
        found = tuple(_counted(what, spelling))
    if any(INSTANCE in counter.labels for counter in found):
        return found
    return tuple(
        replace(
            counter,
            labels={**counter.labels, INSTANCE: instance},
            good=counter.good / len(INSTANCES),
            failed=counter.failed / len(INSTANCES),
        )
        for instance in INSTANCES
        for counter in found
    )


def others(what: Indicator) -> tuple[Counter, ...]:
    """Return the series of other sources, each one label away from a series that is counted."""
    if isinstance(what, Counted):
        # Each at a pace of its own: two alike would make no difference where one is taken from the other.
        paces = ((1 + place / 2, one) for place, one in enumerate(kinds(what).strangers))
        return tuple(Counter(one.metric, dict(one.labels), good=pace, failed=pace) for pace, one in paces)
    return tuple(
        counter
        for other in strangers.neighbours(what.selector, what.selector)
        for counter in counters(replace(what, selector=other))
    )


def _available(what: Availability) -> Iterator[Counter]:
    good, failing = label_sets(what.failing)
    yield Counter(what.metric, {**what.selector, **good}, good=1.0, failed=0.0, native=what.native)
    for failed in failing:
        share = 1 / len(failing)
        yield Counter(what.metric, {**what.selector, **failed}, good=0.0, failed=share, native=what.native)


def _slow(what: LatencyBelow, spelling: int) -> Iterator[Counter]:
    written = _spelled(what.boundary, spelling)
    yield Counter(f"{what.metric}_bucket", {**what.selector, LE: written}, good=1.0, failed=0.0)
    yield Counter(f"{what.metric}_bucket", {**what.selector, LE: "+Inf"}, good=1.0, failed=1.0)
    yield Counter(f"{what.metric}_count", what.selector, good=1.0, failed=1.0)


def _counted(what: Counted, spelling: int) -> Iterator[Counter]:
    """Yield each series with the part that it has in all kinds of good and of failed operations."""
    found = kinds(what)
    for one in dict.fromkeys(one for kind in (*found.good, *found.failing) for one in kind):
        labels = dict(one.labels)
        if labels.get(LE, "+Inf") != "+Inf":
            labels[LE] = _spelled(float(labels[LE]), spelling)
        yield Counter(one.metric, labels, _part(one, found.good), _part(one, found.failing))


def _part(one: Example, among: tuple[Kind, ...]) -> float:
    return sum(one in kind for kind in among) / len(among)


def _spelled(boundary: float, spelling: int) -> str:
    written = spellings(boundary)
    return written[spelling % len(written)]

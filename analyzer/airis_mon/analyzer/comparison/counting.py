"""Counters of one side -> how many operations each step had, and what they add up to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.comparison.evidence import Steps
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.query import Frame, Labels, Querier
from airis_mon.analyzer.versions import Counter, Measure, Side


@dataclass(frozen=True)
class Span:
    """The time that is looked at: whole seconds, multiples of the step."""

    start: int
    end: int
    step: int

    @property
    def steps(self) -> int:
        """Return how many steps it has."""
        return (self.end - self.start) // self.step


@dataclass(frozen=True)
class Counted:
    """What one side did."""

    steps: Steps
    """Step n ends n + 1 steps after the start of the span."""
    series: frozenset[Labels]
    """Series that operations were counted by."""


def counted(
    querier: Querier, measure: Measure, mine: Side, span: Span, others: Collection[str] = ()
) -> Counted:
    """Return what a side did in each step; QueryError where the server does not say.

    `others` are labels that the other side names: the document's own matchers of them hold for neither.
    """
    if measure.native:
        return _native(querier, measure, mine, span, others)

    def ask(counters: Sequence[Counter]) -> list[Frame]:
        return [querier.range(one.chosen(mine, others), span.start, span.end, span.step) for one in counters]

    whole, part, telling = ask(measure.operations), ask(measure.counters), measure.telling
    seen: Mapping[Labels, int] = {}
    if telling is None or measure.part == "failing":
        seen = _seen(whole, telling)
    else:
        # Where the part of an instance is not there, nothing is known of its operations.
        families = {_family(one, telling) for frame in part for one in frame.labels}
        whole = [_of(frame, families) for frame in whole]

    def added(counters: Sequence[Counter], frames: Sequence[Frame]) -> Floats:
        found = np.zeros(span.steps)
        for one, frame in zip(counters, frames, strict=True):
            found += one.sign * _increases(frame, telling, seen)
        return found

    operations, totals = added(measure.operations, whole), added(measure.counters, part)
    if measure.part == "good":
        totals = operations - totals
    if measure.shares:
        totals = np.clip(totals, 0.0, operations)
    series = frozenset(one for frame in whole for one in frame.labels)
    return Counted(Steps(operations, totals * measure.scale), series)


def _native(querier: Querier, measure: Measure, mine: Side, span: Span, others: Collection[str]) -> Counted:
    """Return what native histograms hold; a step that Prometheus has fewer than two readings of is empty."""
    (whole,), (part,) = measure.operations, measure.counters
    chosen = whole.chosen(mine, others)
    increases = [f"sum(increase({one.chosen(mine, others)}[{span.step}s]))" for one in (whole, part)]
    count = f"histogram_count({increases[0]})"
    told = (
        f"histogram_count({increases[1]})"
        if measure.part == "failing"
        else f"{count} * (1 - histogram_fraction(-Inf, {measure.threshold!r}, {increases[1]}))"
    )
    frames = [querier.range(one, span.start, span.end, span.step) for one in (count, told)]
    operations, totals = (
        np.nan_to_num(one.values[0, 1:]) if len(one.labels) else np.zeros(span.steps) for one in frames
    )
    series = frozenset(querier.instant(chosen, span.end).labels)
    return Counted(Steps(operations, np.clip(totals, 0.0, operations)), series)


_TARGET = ("job", "instance", "namespace", "pod", "container")
"""Labels of what is scraped, whatever it counts."""


def _family(labels: Labels, telling: tuple[str, ...] | None) -> Labels:
    """Return what a series has in common with those that count the same operations otherwise."""
    if telling is None:
        return tuple(pair for pair in labels if pair[0] in _TARGET)
    return tuple(pair for pair in labels if pair[0] != "__name__" and pair[0] not in telling)


def _of(frame: Frame, families: set[Labels]) -> Frame:
    kept = [n for n, one in enumerate(frame.labels) if _family(one, ()) in families]
    return Frame(tuple(frame.labels[n] for n in kept), frame.timestamps, frame.values[kept])


def _seen(frames: Sequence[Frame], telling: tuple[str, ...] | None) -> dict[Labels, int]:
    """Return the first column that each family has a value in."""
    found: dict[Labels, int] = {}
    for frame in frames:
        for labels, values in zip(frame.labels, frame.values, strict=True):
            family, there = _family(labels, telling), np.flatnonzero(~np.isnan(values))
            if len(there):
                found[family] = min(int(there[0]), found.get(family, int(there[0])))
    return found


def _increases(frame: Frame, telling: tuple[str, ...] | None, seen: Mapping[Labels, int]) -> Floats:
    """Return what all series together rose by in each step.

    A counter that falls began anew, at nought. So did one that comes up later than others of its family: the
    first failure of a process makes a series of its own. Of one that comes up with its whole family nobody
    knows where it began.
    """
    rows, columns = frame.values.shape
    if not rows:
        return np.zeros(len(frame.timestamps) - 1)
    there = ~np.isnan(frame.values)
    newest = np.maximum.accumulate(np.where(there, np.arange(columns), -1), axis=1)
    before = np.concatenate([np.full((rows, 1), -1), newest[:, :-1]], axis=1)
    old = np.take_along_axis(frame.values, np.maximum(before, 0), axis=1)
    born = np.array([seen.get(_family(one, telling), columns) for one in frame.labels])[:, None]
    begun = np.where(before >= 0, old, np.where(np.arange(columns) > born, 0.0, frame.values))
    risen = np.where(frame.values >= begun, frame.values - begun, frame.values)
    return np.asarray(np.where(there, risen, 0.0).sum(axis=0)[1:])

"""Counters of one side -> how many operations each step had, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.comparison.evidence import Steps
from airis_mon.analyzer.comparison.measures import Measure
from airis_mon.analyzer.comparison.sides import Side
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.query import Frame, Labels, Querier
from airis_mon.exporters.contracts import matchers


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
    querier: Querier, measure: Measure, selector: Mapping[str, str], mine: Side, span: Span
) -> Counted:
    """Return what a side did in each step; QueryError where the server does not say.

    `selector` keeps the series of the model, both sides of them.
    """

    def ask(metric: str, matcher: str = "") -> Frame:
        chosen = metric + matchers(selector, matcher, mine.text)
        return querier.range(chosen, span.start, span.end, span.step)

    if measure.part == "native":
        return _native(querier, measure, matchers(selector, mine.text), span)
    whole, part = ask(measure.operations), ask(measure.counter, measure.matcher)
    if measure.part == "failing":
        seen = _seen(whole, measure.telling)
    else:
        # Where the part of an instance is not there, nothing is known of its operations.
        whole = _of(whole, {_family(one, measure.telling) for one in part.labels})
        seen = {}
    operations = _increases(whole, measure.telling, seen)
    totals = _increases(part, measure.telling, seen)
    if measure.part == "good":
        totals = operations - totals
    if measure.shares:
        totals = np.clip(totals, 0.0, operations)
    return Counted(Steps(operations, totals * measure.scale), frozenset(whole.labels))


def _native(querier: Querier, measure: Measure, chosen: str, span: Span) -> Counted:
    """Return what native histograms hold; a step that Prometheus has fewer than two readings of is empty."""
    increase = f"sum(increase({measure.operations}{chosen}[{span.step}s]))"
    frames = [
        querier.range(expression, span.start, span.end, span.step)
        for expression in (
            f"histogram_count({increase})",
            f"histogram_fraction(-Inf, {measure.threshold!r}, {increase})",
        )
    ]
    count, fraction = (
        np.nan_to_num(one.values[0, 1:]) if len(one.labels) else np.zeros(span.steps) for one in frames
    )
    series = frozenset(querier.instant(f"{measure.operations}{chosen}", span.end).labels)
    return Counted(Steps(count, count * np.clip(1 - fraction, 0.0, 1.0)), series)


def _family(labels: Labels, telling: tuple[str, ...]) -> Labels:
    """Return what a series has in common with those that count the same operations otherwise."""
    return tuple(pair for pair in labels if pair[0] != "__name__" and pair[0] not in telling)


def _of(frame: Frame, families: set[Labels]) -> Frame:
    kept = [n for n, one in enumerate(frame.labels) if _family(one, ()) in families]
    return Frame(tuple(frame.labels[n] for n in kept), frame.timestamps, frame.values[kept])


def _seen(frame: Frame, telling: tuple[str, ...]) -> dict[Labels, int]:
    """Return the first column that each family has a value in."""
    found: dict[Labels, int] = {}
    for labels, values in zip(frame.labels, frame.values, strict=True):
        family, there = _family(labels, telling), np.flatnonzero(~np.isnan(values))
        if len(there):
            found[family] = min(int(there[0]), found.get(family, int(there[0])))
    return found


def _increases(frame: Frame, telling: tuple[str, ...], seen: Mapping[Labels, int]) -> Floats:
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

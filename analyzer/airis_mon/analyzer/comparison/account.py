"""One look at two versions: all measures of a monitor, read and judged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.comparison.counting import Counted, Span, counted
from airis_mon.analyzer.comparison.evidence import Steps, difference
from airis_mon.analyzer.comparison.verdict import Verdict, judge, together
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.query import Querier
from airis_mon.analyzer.versions import Measure, Side
from airis_mon.exporters.contracts import matchers
from airis_mon.spec import format_duration

_VALUES_SHOWN = 10
_NAMES = ("baseline", "candidate")


@dataclass(frozen=True)
class Sample:
    """One side, over the steps in which both had traffic."""

    operations: float
    value: float
    """The number of the measure; NaN where there was no operation."""
    series: int
    """Series that were read."""


@dataclass(frozen=True)
class Result:
    """One measure."""

    measure: Measure
    verdict: Verdict
    baseline: Sample
    candidate: Sample
    difference: float
    """Candidate - baseline, step by step; NaN where there is none."""
    lower: float
    upper: float
    """The interval that holds at all times, infinite where nothing is known."""
    margin: float
    """In the unit of the measure."""
    steps: int
    """Steps with traffic on both sides."""
    standing_since: int | None
    """Seconds since the epoch from when on the verdict was this one; None while it is undecided."""


@dataclass(frozen=True)
class Comparison:
    """All measures at one time."""

    verdict: Verdict
    results: tuple[Result, ...]
    since: int
    """Seconds since the epoch: begin of the first step that the candidate had traffic in."""
    until: int
    step: int


class SideError(Exception):
    """Two sides that cannot be compared as they were named."""


def compare(
    querier: Querier,
    measures: Sequence[Measure],
    sides: tuple[Side, Side],
    span: Span,
    *,
    alpha: float,
    warm_up: int = 0,
) -> Comparison:
    """Return the verdict on the second side, held against the first.

    `alpha` is the probability that any verdict is ever wrong, of which each measure has an equal part
    (Bonferroni). `warm_up`: seconds of the candidate's first traffic that are left out. SideError where a
    side has no series at all, or both have the same ones, or all that there is of the candidate falls into
    its warm-up; QueryError where the server does not answer.
    """
    named = {label for one in sides for label in one.labels}
    found = []
    for measure in measures:
        pair = (
            counted(querier, measure, sides[0], span, named),
            counted(querier, measure, sides[1], span, named),
        )
        both = pair[0].series & pair[1].series
        if both:
            raise SideError(
                f"{sides[0].text} and {sides[1].text} choose {len(both)} series together, such as "
                f"{_shown(dict(min(both)))}: write matchers of which no series has both"
            )
        found.append(pair)
    for number, one in enumerate(sides):
        if not any(pair[number].series for pair in found):
            raise SideError(_missing(querier, measures[0], (_NAMES[number], one), named, span))
    begin = min((_first(pair[1]) for pair in found), default=span.steps)
    since = span.start + begin * span.step
    if begin < span.steps <= begin + math.ceil(warm_up / span.step):
        raise SideError(
            f"the candidate's first traffic was {format_duration(span.end - since)} ago, all of it within "
            f"the warm-up of {format_duration(warm_up)}; leave out less, or look again later"
        )
    begin += math.ceil(warm_up / span.step)
    results = tuple(
        _result(measure, pair, begin, span, alpha / len(measures))
        for measure, pair in zip(measures, found, strict=True)
    )
    return Comparison(together([one.verdict for one in results]), results, since, span.end, span.step)


def unknown(measures: Sequence[Measure], span: Span) -> Comparison:
    """Return the comparison of versions that are not there yet: everything is open."""
    nobody = Sample(0.0, math.nan, 0)
    results = tuple(_unknown(measure, nobody, nobody) for measure in measures)
    return Comparison("undecided", results, span.end, span.end, span.step)


def _unknown(measure: Measure, baseline: Sample, candidate: Sample) -> Result:
    return Result(
        measure=measure,
        verdict="undecided",
        baseline=baseline,
        candidate=candidate,
        difference=math.nan,
        lower=-math.inf,
        upper=math.inf,
        margin=measure.margin.of(math.nan),
        steps=0,
        standing_since=None,
    )


def _first(side: Counted) -> int:
    busy = np.flatnonzero(side.steps.operations > 0)
    return int(busy[0]) if len(busy) else len(side.steps.operations)


def _result(measure: Measure, pair: tuple[Counted, Counted], begin: int, span: Span, alpha: float) -> Result:
    sides = [Steps(one.steps.operations[begin:], one.steps.totals[begin:]) for one in pair]
    both = (sides[0].operations > 0) & (sides[1].operations > 0)
    baseline, candidate = (
        _sample(steps, both, len(one.series)) for steps, one in zip(sides, pair, strict=True)
    )
    if not both.any():
        return _unknown(measure, baseline, candidate)
    told = difference(sides[0], sides[1], alpha, shares=measure.shares)
    findings = [
        judge(float(low), float(high), measure.margin.of(float(mean)), less_is_better=measure.less_is_better)
        for low, high, mean in zip(told.lower, told.upper, _means(sides[0], both), strict=True)
    ]
    last = findings[-1]
    others = [n for n, one in enumerate(findings, 1) if one.verdict != last.verdict]
    stood = others[-1] + 1 if others else 1
    return Result(
        measure=measure,
        verdict=last.verdict,
        baseline=baseline,
        candidate=candidate,
        difference=float(told.estimate[-1]),
        lower=last.lower,
        upper=last.upper,
        margin=last.margin,
        steps=int(told.steps[-1]),
        standing_since=None if last.verdict == "undecided" else span.start + (begin + stood) * span.step,
    )


def _means(side: Steps, both: NDArray[np.bool_]) -> Floats:
    """Return the mean of a side after each step; NaN before there is any."""
    operations, totals = (np.cumsum(np.where(both, one, 0.0)) for one in (side.operations, side.totals))
    nothing = np.full_like(operations, np.nan)
    return np.asarray(np.divide(totals, operations, out=nothing, where=operations > 0))


def _sample(side: Steps, both: NDArray[np.bool_], series: int) -> Sample:
    operations, total = float(side.operations[both].sum()), float(side.totals[both].sum())
    return Sample(operations, total / operations if operations else math.nan, series)


def _missing(
    querier: Querier, measure: Measure, named_side: tuple[str, Side], named: set[str], span: Span
) -> str:
    """Return what to write instead of matchers that no series has."""
    name, side = named_side
    metric = measure.operations[0].chosen(Side("", ()), named)
    asked, told = metric, f"the {name}: no series of {metric} has {side.text}"
    if not querier.instant(f"count({metric})", span.end).labels:
        # Nothing is there now; what was there tells the values as well.
        asked = f"last_over_time({metric}[{span.end - span.start}s])"
        told += f", nor is any other there now; in the last {format_duration(span.end - span.start)}"
    found = []
    for label in side.labels:
        frame = querier.instant(f"count by ({label}) ({asked})", span.end)
        values = sorted(dict(one).get(label, "") for one in frame.labels)
        if not values:
            return f"{told} there was none; `airis-mon check --live` says what is missing"
        if values == [""]:
            there = querier.instant(asked, span.end).labels
            labels = sorted({key for one in there for key, _ in one if key != "__name__"})
            found.append(f"none has a label `{label}`; they have {', '.join(labels)}")
        else:
            shown = ", ".join(f'"{value}"' for value in values[:_VALUES_SHOWN])
            rest = len(values) - _VALUES_SHOWN
            found.append(f"`{label}` is {shown}" + (f" and {rest} others" if rest > 0 else ""))
    return f"{told}: {'; '.join(found)}"


def _shown(labels: dict[str, str]) -> str:
    name = labels.pop("__name__", "")
    return name + matchers(labels)

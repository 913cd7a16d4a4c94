"""The grounds of one score, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from airis_mon.analyzer.explanation.grounds import Grounds, Level, Shape, Threshold, Tried
from airis_mon.analyzer.explanation.wording import (
    clock,
    date,
    difference,
    moment,
    number,
    plural,
    scored,
    span,
)
from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.recording import Beside

_NAMES = {
    "flat": "the level alone",
    "daily": "the same time of the last seven days",
    "weekly": "the same time of the last four weeks",
    "trend": "the level and how it grew over a day",
}
_ADDED = {"daily": "for this time of day", "weekly": "for this time of week", "trend": "of growth"}
"""What an expectation adds to the level."""
_STILL = 0.05
"""Part of how far a series should move, below which nobody asks how much."""
_UNSAID = 0.02
"""Share of the distance below which a part of it is not worth a sentence."""
_NAMED_MOST = 4
"""Days that are called by their names."""


@dataclass(frozen=True)
class Reason:
    """One of the things that a score rests on."""

    title: str
    text: str


def headline(why: Grounds) -> str:
    """Return what was found, in one sentence."""
    unit = why.query.unit
    if not math.isfinite(why.value):
        return "No value: nothing is scored."
    value = number(why.value, unit)
    if not why.ready or why.threshold is None:
        return f"Warming up: {value}, and not enough of a past to judge it by; the score is 0."
    off = why.departure
    side, other = ("above", "below") if off > 0 else ("below", "above")
    found = f"{value} is {difference(abs(off), unit)} {side} the expected {number(why.expected, unit)}"
    if off == 0:
        found = f"{value} is what was expected"
    if why.by_peers and why.beside is not None and why.score >= 1:
        return (
            f"Anomalous: {value} is unlike its {why.beside.peers} peers, which scores {scored(why.score)}; "
            f"by its own past it scores {scored(why.own)}, {difference(abs(off), unit)} {side} the expected."
        )
    if why.by_shape and why.shape is not None and why.score >= 1:
        moved = f"{_moved(why.shape)}, which scores {scored(why.score)}"
        more = "not its level" if why.own < 1 else f"even more than its level, which scores {scored(why.own)}"
        return f"Anomalous: its shape, {more}: {moved}; {found}."
    direction, beyond = why.query.direction, why.score > why.own and (why.by_shape or why.by_peers)
    if {"up": off < 0, "down": off > 0}.get(direction, False):
        rest = f" Its score is that of {_other(why)}: {scored(why.score)}." if beyond else ""
        return f"As usual: {found}; only what is {other} counts here (direction: {direction}).{rest}"
    edge = f"{difference(why.threshold.distance, unit)} off scores 1, so this scores {scored(why.score)}"
    if beyond:
        edge = (
            f"{difference(why.threshold.distance, unit)} off scores 1, so its level scores {scored(why.own)}"
            f"; the larger score, {scored(why.score)}, is that of {_other(why)}"
        )
    return f"{'Anomalous' if why.score >= 1 else 'As usual'}: {found}; {edge}."


def _other(why: Grounds) -> str:
    """Return whose score it is where it is not the level's."""
    return "its shape" if why.by_shape else "the comparison with its peers"


def reasons(why: Grounds) -> tuple[Reason, ...]:
    """Return what the score rests on, the expectation first."""
    return tuple(_reasons(why))


def _reasons(why: Grounds) -> Iterator[Reason]:
    if why.learnt_until is None:
        yield Reason("Past", "Nothing was known long enough before this moment to be learnt from.")
        return
    if why.level is not None and math.isfinite(why.level.level):
        yield Reason("Expectation", _expectation(why, why.level.level))
        yield Reason("Level", _level(why.level, why.query.unit))
    if why.threshold is not None and why.ready:
        yield Reason("Threshold", _threshold(why.threshold, why))
        yield Reason("Memory", _memory(why.threshold, why))
    yield Reason("Past", _past(why, why.learnt_until))
    if why.shape is not None and why.ready:
        yield Reason("Shape", _shape(why.shape))
    if why.beside is not None and why.ready:
        yield Reason("Peers", _peers(why.beside, why.query.unit))
    if why.left_out:
        yield Reason("Maintenance", f"{span(why.left_out)} of that past are left out: models were worked on.")


def _expectation(why: Grounds, level: float) -> str:
    unit = why.query.unit
    parts = number(why.expected, unit)
    if why.chosen != "flat":
        sign = "+" if why.profile >= 0 else "-"
        usual = f"{sign} {difference(abs(why.profile), unit)} {_ADDED[why.chosen]}"
        parts += f" = a level of {number(level, unit)} {usual}"
    best = next(one for one in why.tried if one.name == why.chosen)
    text = f"{parts}. Believed is {_NAMES.get(why.chosen, why.chosen)}"
    if math.isfinite(best.error):
        text += f", which was off by {difference(best.error, unit)} in the week before"
    others = [_tried(one, unit) for one in why.tried if one.name != why.chosen]
    return f"{text}; {', '.join(others)}." if others else f"{text}; the past is too short for days and weeks."


def _peers(beside: Beside, unit: str) -> str:
    away, usual, score = (float(part[0]) for part in (beside.away, beside.usual, beside.score))
    if not math.isfinite(away) or not math.isfinite(usual):
        return f"Of the {beside.peers} other series of this query too few have a value to be compared with."
    return (
        f"Beside the {beside.peers} other series of this query: {difference(away, unit)} from the middle of "
        f"all, usually {difference(usual, unit)}; that scores {scored(score)}. The larger score counts."
    )


def _shape(shape: Shape) -> str:
    edge = f"{shape.edge:.3g} times as far, or as little, scores 1, so this scores {scored(shape.score)}"
    return f"Wherever its level is: {_moved(shape)}; {edge}. The larger score counts."


def _moved(shape: Shape) -> str:
    """Return how it moves beside how it should."""
    if shape.times < _STILL:
        return f"it has hardly moved from one {span(shape.cell)} to the next over {span(shape.seconds)}"
    times = f"{shape.times:.2g} times" if shape.times < 10 else f"{shape.times:,.0f} times"
    return (
        f"over {span(shape.seconds)} it moved {times} as far from one {span(shape.cell)} to the next as is "
        "usual then"
    )


def _tried(one: Tried, unit: str) -> str:
    name = _NAMES.get(one.name, one.name)
    if not math.isfinite(one.error):
        return f"{name} has too little of a past"
    return f"{name} by {difference(one.error, unit)}"


def _level(level: Level, unit: str) -> str:
    said = number(level.level, unit)
    if not math.isfinite(level.fast):
        return f"{said}, of half a day: the last two hours hold too few values."
    if not math.isfinite(level.slow) or math.isclose(level.fast, level.level, rel_tol=1e-9, abs_tol=1e-12):
        return f"{said}, the median of the last two hours."
    return (
        f"The last two hours say {number(level.fast, unit)}, half a day says {number(level.slow, unit)}. "
        f"It is held at {said}, {difference(level.room, unit)} from half a day, so that an incident is not "
        "learnt away while it lasts; a shift that stays becomes the new level over the next hours."
    )


def _threshold(found: Threshold, why: Grounds) -> str:
    said = _distance(found, why)
    if found.between <= _UNSAID * found.distance:
        return said
    unit = why.query.unit
    return (
        f"{said} {difference(found.between, unit)} of it are added because what is expected changes by "
        f"{difference(2 * found.between, unit)} within these five minutes."
    )


def _distance(found: Threshold, why: Grounds) -> str:
    unit = why.query.unit
    if found.within:
        return (
            f"{difference(found.distance, unit)} off scores 1: within five minutes values lie up to "
            f"{difference(found.grain, unit)} from their mean, but for one in ten; what is usual is no "
            "departure."
        )
    noise = f"{found.least / found.scale:g} standard deviations of {difference(found.scale, unit)} ask for "
    noise += difference(found.least, unit)
    if not math.isfinite(found.passed):
        return f"{difference(found.distance, unit)} off scores 1: {noise}."
    past = (
        f"all but {found.few:.2g} of the {plural(len(found.days), 'day')} before stayed below "
        f"{difference(found.rare, unit)}, which asks for {100 * found.passed / found.rare:.0f}% of that"
        if found.rare > 0
        else "no day before was off at all"
    )
    half = ", half of it for this" if why.beside is not None else ""
    budget = f"The budget is {why.query.false_pages_per_week:g} false pages a week{half}."
    return f"{difference(found.distance, unit)} off scores 1, the larger of two: {noise}; {past}. {budget}"


def _memory(found: Threshold, why: Grounds) -> str:
    unit = why.query.unit
    days = plural(len(found.days), "day")
    off = abs(why.departure)
    if not found.days:
        return "No whole day is remembered."
    if not math.isfinite(off):
        return f"{days} are remembered."
    same = [day for day in found.days if day.worst >= off]
    worst = max(found.days, key=lambda day: day.worst)
    if not same:
        return (
            f"None of the {days} before was as far off; the furthest was {difference(worst.worst, unit)}, "
            f"in the day from {moment(worst.begin)}."
        )
    text = f"As far off or further on {len(same)} of the {days} before"
    if len(same) > len(found.days) / 2:
        return f"{text}: that is how this series is."
    named = [date(day.begin) for day in same[-_NAMED_MOST:]]
    rest = f" and {len(same) - len(named)} before" if len(same) > len(named) else ""
    recurs = "; what comes so rarely is still told" if why.score >= 1 else ""
    return f"{text}, those from {clock(same[0].begin)} on {', '.join(named)}{rest}{recurs}."


def _past(why: Grounds, until: int) -> str:
    if why.known_since is None:
        return f"Learnt from nothing: no value is known before {moment(until)}."
    long = span(until - why.known_since) if until > why.known_since else "one value"
    text = f"Learnt from {long} up to {moment(until)} (of {span(why.query.history)} asked for)."
    if until - why.known_since < DAY:
        text += " Of less than a day the last one is learnt from anew at each fit."
    if not why.ready:
        text += " A day with values enough is needed before anything is called anomalous."
    return text

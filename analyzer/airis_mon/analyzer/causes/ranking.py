"""The order of candidates: how unusual, how shortly before, how closely together with the symptom.

The three are numbers between 0 and 1 and are multiplied, so that a candidate has to have something of each.
What began after the incident is a consequence rather than a cause, and comes last; it is kept, since times
are rough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.causes.events import PRIOR, Event
from airis_mon.analyzer.causes.excursions import Excursion, excursions
from airis_mon.analyzer.methods.robust import Floats

_FADES = 1800.0
"""Seconds of lead after which a candidate weighs a third."""
_AFTER, _AFTER_FADES = 0.15, 900.0
"""What is left of a candidate that began after the incident, and how soon that fades."""
_TOGETHER, _FIRST = 0.6, 600.0
"""What is left of a signal that left its band at the same time as the symptom: the two may have one cause.
The earlier one leads a chain, up to so many seconds."""
_CLOSE, _SEEN = 0.8, 120.0
"""What is left of an event just when an incident is seen: a rate takes minutes to show what began before, so
that the earlier one of two leads, up to so many seconds."""
_ROUGH = 1.5
"""Columns by which the beginning of an incident may be found too early."""
_INSIDE = 0.93
"""What is left of a signal that the model makes itself, beside one from outside that began as early."""
_UNRELATED = 0.3
"""What is left of a signal that has nothing in common with the symptom but the time."""
_LAG = 15
"""Columns that a symptom may come after what it comes from, where their courses are compared."""
_CLIPPED = 5.0
_LEAST = 8
_MINUTES = 90
"""Seconds from which on minutes are told."""


@dataclass(frozen=True)
class Signal:
    """One signal on the grid of all."""

    name: str
    values: Floats
    """(n,), NaN for gaps."""
    outside: bool = False
    """Whether it is made by those who ask, and not by the model: what comes in."""


@dataclass(frozen=True)
class Window:
    """The time that is looked at: the last columns of the grid."""

    end: int
    """Seconds since the epoch of the last column."""
    step: int
    columns: int
    at: float
    """The time at which the incident was noticed; in the window."""

    def time(self, column: int) -> float:
        """Return the time of a column of the window."""
        return float(self.end - (self.columns - 1 - column) * self.step)


@dataclass(frozen=True)
class Candidate:
    """Something that changed, and may have to do with the incident."""

    name: str
    kind: str
    """`signal`, or the kind of the event."""
    at: float
    """When it began."""
    lead: float
    """Seconds that it began before the incident; negative where it came after."""
    score: float | None
    """Largest score of a signal since; None of an event."""
    association: float
    """-1 to 1: how far the courses go together, the signal's being earlier; 1 of an event before the
    incident."""
    weight: float
    """0 to 1, by which candidates are ordered; no probability."""
    reason: str


@dataclass(frozen=True)
class Ranking:
    """An incident and its candidates."""

    symptom: str
    begins: float
    """When the symptom left its band; the time that was named where it never did."""
    score: float
    """Largest score of the symptom."""
    visible: bool
    """Whether the symptom left its band at all."""
    before: bool
    """Whether it was out of it already when the window began, so that it began earlier than `begins` says."""
    candidates: tuple[Candidate, ...]


def rank(
    symptoms: Sequence[Signal], signals: Sequence[Signal], events: Sequence[Event], window: Window
) -> Ranking:
    """Order what changed in the window; the symptom is the first of `symptoms` that left its band furthest.

    Symptoms that are not chosen are candidates like the other signals.
    """
    every = [*symptoms, *signals]
    judged = excursions(np.stack([one.values for one in every]), window.step, window.columns)
    chosen = max(range(len(symptoms)), key=lambda n: (judged[n].begins is not None, judged[n].score))
    symptom = judged[chosen]
    begins = window.at if symptom.begins is None else window.time(symptom.begins)
    found = [
        _signal(one, excursion, symptom, begins, window)
        for n, (one, excursion) in enumerate(zip(every, judged, strict=True))
        if n != chosen and excursion.begins is not None
    ]
    found += [_event(event, begins, window) for event in events]
    found.sort(key=lambda one: (-one.weight, one.at, one.name))
    return Ranking(
        symptom=every[chosen].name,
        begins=begins,
        score=symptom.score,
        visible=symptom.begins is not None,
        before=symptom.begins == 0,
        candidates=tuple(found),
    )


def _signal(
    signal: Signal, excursion: Excursion, symptom: Excursion, begins: float, window: Window
) -> Candidate:
    assert excursion.begins is not None
    at = window.time(excursion.begins)
    lead = begins - at
    related = _association(excursion.deviations, symptom.deviations)
    earlier = _TOGETHER + (1 - _TOGETHER) * min(max(lead, 0.0) / _FIRST, 1.0)
    # Far beyond its band is no more unusual than clearly beyond it: what follows often moves further.
    unusual = 1 - 0.5**excursion.score
    weight = unusual * earlier * _timely(max(lead - _FIRST, min(lead, 0.0)), window)
    weight *= 1.0 if signal.outside else _INSIDE
    weight *= _UNRELATED + (1 - _UNRELATED) * related**2
    side = "above" if excursion.upwards else "below"
    since = "since before the window" if excursion.begins == 0 else _before(lead)
    reason = f"{signal.name} left its band ({side}) {since}, score {scored(excursion.score)}"
    return Candidate(signal.name, "signal", at, lead, excursion.score, related, weight, reason)


def _event(event: Event, begins: float, window: Window) -> Candidate:
    lead = begins - event.at
    often = 1 / (1 + event.per_hour * window.columns * window.step / 3600)
    earlier = _CLOSE + (1 - _CLOSE) * min(max(lead, 0.0) / _SEEN, 1.0)
    weight = PRIOR[event.kind] * often * earlier * _timely(lead, window)
    usual = f"; it happens {event.per_hour:.2g} times an hour" if event.per_hour >= 0.05 else ""
    reason = f"{event.what}, {_before(lead)}{usual}"
    return Candidate(event.what, event.kind, event.at, lead, None, float(lead >= 0), weight, reason)


def scored(score: float) -> str:
    """Return a score; how far beyond a thousand it is says nothing more."""
    return f"{score:.1f}" if score <= 1000 else "more than 1,000"


def _timely(lead: float, window: Window) -> float:
    """Return what the time between leaves of a candidate."""
    if lead >= -_ROUGH * window.step:
        return math.exp(-max(lead, 0.0) / _FADES)
    return _AFTER * math.exp(lead / _AFTER_FADES)


def _association(earlier: Floats, later: Floats) -> float:
    """Return the correlation of two courses at the lag that shows most, the first one being earlier."""
    best = 0.0
    for lag in range(min(_LAG, len(earlier) - _LEAST) + 1):
        one, other = earlier[: len(earlier) - lag], later[lag:]
        both = ~np.isnan(one + other)
        if both.sum() < _LEAST:
            continue
        x, y = (np.clip(part[both], -_CLIPPED, _CLIPPED) for part in (one, other))
        if np.ptp(x) > 0 and np.ptp(y) > 0:
            found = float(np.corrcoef(x, y)[0, 1])
            best = found if abs(found) > abs(best) else best
    return best


def _before(lead: float) -> str:
    seconds = round(abs(lead))
    if seconds == 0:
        return "at the same time"
    long = f"{seconds} s" if seconds < _MINUTES else f"{round(seconds / 60)} min"
    return f"{long} {'before' if lead > 0 else 'after'}"

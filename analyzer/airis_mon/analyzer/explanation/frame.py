"""Where in a picture what stands: values to places, round numbers for axes, samples worth drawing."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.explanation.course import Course
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.recording import Integers

_STRETCHES = 600
"""Stretches of time whose least, greatest and most anomalous samples are drawn."""
_TIME_STEPS = (
    60,
    300,
    900,
    1800,
    3600,
    3 * 3600,
    6 * 3600,
    12 * 3600,
    86400,
    2 * 86400,
    7 * 86400,
    28 * 86400,
)
_BEYOND = 0.6
"""Share of what the values span that the band may add to each side of it."""
_TIMES = 12
"""Lines of time at most."""


@dataclass(frozen=True)
class Range:
    """A span of values that an axis shows."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """Return where a value is: 0 at the low end, 1 at the high one, never beyond."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


def drawn(course: Course) -> Integers:
    """Return which samples are drawn, all of them real: of each stretch of time, those that stand out."""
    count = len(course.timestamps)
    if count <= 3 * _STRETCHES:
        return np.arange(count)
    found: set[int] = {0, count - 1}
    for begin, end in _stretches(count):
        part = course.values[begin:end]
        found.add(begin + int(np.argmax(course.score[begin:end])))
        if not np.isnan(part).all():
            found |= {begin + int(np.nanargmin(part)), begin + int(np.nanargmax(part))}
    return np.array(sorted(found), dtype=np.int64)


def _stretches(count: int) -> Iterator[tuple[int, int]]:
    edges = np.linspace(0, count, _STRETCHES + 1).astype(int).tolist()
    yield from itertools.pairwise(edges)


def value_range(course: Course, at: Integers) -> Range:
    """Return the values that the picture shows: all that were measured, and as much of the band as suits."""
    values = _finite(course.values[at])
    if not len(values):
        values = np.array([0.0, 1.0])
    least, most = low, high = float(values.min()), float(values.max())
    width = high - low or abs(high) or 1.0
    # A band that is much wider than everything seen would make a flat line of the series.
    for edge in (course.lower[at], course.upper[at]):
        some = _finite(edge)
        if len(some):
            low = min(low, max(float(some.min()), least - _BEYOND * width))
            high = max(high, min(float(some.max()), most + _BEYOND * width))
    margin = 0.04 * ((high - low) or abs(high) or 1.0)
    floor = 0.0 if low >= 0 and low - margin < 0 else low - margin
    return Range(floor, high + margin)


def score_share(score: float) -> float:
    """Return the height of a score: 1 is in the middle, whatever the highest is."""
    return score / (1 + score)


def value_ticks(shown: Range, most: int = 6) -> list[float]:
    """Return round values, at most so many."""
    rough = (shown.high - shown.low) / most
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * times for times in (1, 2, 2.5, 5, 10) if size * times >= rough)
    first = math.ceil(shown.low / step - 1e-9)
    ticks = [number * step for number in range(first, first + 2 * most) if number * step <= shown.high]
    return [0.0 if abs(tick) < step / 1e6 else tick for tick in ticks]


def time_ticks(begin: int, end: int) -> list[tuple[int, str]]:
    """Return round times in UTC with what is written at them."""
    whole = max(1, end - begin)
    step = next((step for step in _TIME_STEPS if whole / step <= _TIMES), _TIME_STEPS[-1])
    form = "%b %d" if step >= 86400 else "%H:%M"
    ticks = []
    # Weeks begin on Mondays; the first day of Unix was a Thursday.
    offset = 4 * 86400 if step % (7 * 86400) == 0 else 0
    for number in range(-(-(begin - offset) // step), (end - offset) // step + 1):
        at = number * step + offset
        text = time.strftime("%b %d" if step < 86400 and at % 86400 == 0 else form, time.gmtime(at))
        ticks.append((at, text))
    return ticks


def spans(flags: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and last index of each run of true ones."""
    edges = np.diff(np.concatenate([[0], flags.astype(int), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def _finite(values: Floats) -> Floats:
    return values[np.isfinite(values)]

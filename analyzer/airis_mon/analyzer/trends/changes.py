"""Changes of level: when a series left one level for another that lasts.

Intervals of many lengths are searched for the split at which both sides differ most, in units of noise that
knows how alike neighbours are; the narrowest interval that shows a change says where it is (seeded binary
segmentation, narrowest over threshold).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.trends.course import Course, course, long_run, smoothed
from airis_mon.analyzer.trends.slope import line

FEWEST = 24
"""Samples below which nothing is said."""
_SHORTEST = 40
"""Part of a series, one of so many, that a level has to last to be one."""
_CLEAR = 6.0
"""Standard deviations of noise that a change has to stand out by: of series without one, less than 1 in 100
is told to have one, as long as what it remembers is short beside it."""
_PLACE = 11.0
"""Points, times (noise / change) squared, within which 19 of 20 changes are told too early or too late."""
_CHANGES_MAX = 50


@dataclass(frozen=True)
class Change:
    """A level that was left for another one."""

    at: float
    """Seconds since the epoch of the first sample at the new level."""
    earliest: float
    latest: float
    """When it can have been, at 95%."""
    before: float
    """Median between the change before and this one, in the series' unit."""
    after: float
    """Median between this one and the next."""
    clarity: float
    """Standard deviations of noise that both sides differ by, taken together; below 6 nothing is told."""

    @property
    def by(self) -> float:
        """Return what the level changed by."""
        return self.after - self.before


def changes(timestamps: NDArray[np.int64], values: Floats) -> tuple[Change, ...]:
    """Return the changes of level, oldest first.

    `timestamps` are seconds since the epoch, ascending; `values` may be NaN. Bursts are no changes, nor is
    what comes back each day or week, nor a steady rise or fall. A level lasts a fortieth of the series at
    least.
    """
    return level_changes(course(timestamps, values))


def level_changes(whole: Course) -> tuple[Change, ...]:
    """Return the changes of level of a course."""
    count = len(whole.values)
    if count < FEWEST:
        return ()
    shortest = max(4, count // _SHORTEST)
    smooth = smoothed(whole.values, shortest)
    noise = long_run(whole.values)
    if noise == 0.0:
        return ()
    splits = _kept(smooth, _splits(smooth, noise, shortest), noise)
    edges = [0, *splits, count]
    return tuple(
        _change(whole, smooth, noise, edges[n], edges[n + 1], edges[n + 2]) for n in range(len(splits))
    )


def _intervals(count: int, shortest: int) -> Iterator[tuple[int, int]]:
    """Yield seeded intervals, the shortest first: each length overlaps by half."""
    lengths, length = [], float(count)
    while length >= 2 * shortest:
        lengths.append(length)
        length /= math.sqrt(2.0)
    for length in reversed(lengths):
        number = max(1, math.ceil(2 * count / length) - 1)
        for begin in np.linspace(0.0, count - length, number) if number > 1 else (0.0,):
            yield round(begin), min(count, round(begin + length))


def _splits(values: Floats, noise: float, shortest: int) -> list[int]:
    sums = np.concatenate([[0.0], np.cumsum(values - values.mean())])
    seen = []
    for begin, end in _intervals(len(values), shortest):
        at, clarity = _best(sums, noise, begin, end, shortest)
        if clarity >= _CLEAR:
            seen.append((end - begin, -clarity, begin, end, at))
    taken: list[int] = []
    for _, _, begin, end, at in sorted(seen):
        if len(taken) < _CHANGES_MAX and not any(begin < other < end for other in taken):
            taken.append(at)
    return sorted(taken)


def _best(sums: Floats, noise: float, begin: int, end: int, shortest: int) -> tuple[int, float]:
    """Return the split of an interval at which both sides differ most, and how clearly."""
    at = np.arange(begin + shortest // 2, end - shortest // 2 + 1)
    at = at[(at > begin) & (at < end)]
    if not len(at):
        return begin, 0.0
    left, right = at - begin, end - at
    differ = np.abs((sums[end] - sums[at]) / right - (sums[at] - sums[begin]) / left)
    clarity = differ * np.sqrt(left * right / (end - begin)) / noise
    best = int(np.argmax(clarity))
    return int(at[best]), float(clarity[best])


def _kept(values: Floats, splits: list[int], noise: float) -> list[int]:
    """Return the splits that are clear between their neighbours, and better than one straight line there."""
    sums = np.concatenate([[0.0], np.cumsum(values - values.mean())])
    while splits:
        edges = [0, *splits, len(values)]
        clarities = []
        for number in range(len(splits)):
            begin, at, end = edges[number : number + 3]
            moved, clarity = _best(sums, noise, begin, end, 2)
            steps = np.concatenate([_departures(values[begin:at]), _departures(values[at:end])])
            straight = np.abs(values[begin:end] - line(values[begin:end]))
            clarities.append(clarity if steps.sum() < straight.sum() else 0.0)
            edges[number + 1] = moved
        if min(clarities) >= _CLEAR:
            return sorted(set(edges[1:-1]))
        splits = [split for n, split in enumerate(splits) if n != int(np.argmin(clarities))]
    return []


def _departures(values: Floats) -> Floats:
    return np.abs(values - robust.median(values))


def _change(whole: Course, smooth: Floats, noise: float, begin: int, at: int, end: int) -> Change:
    before, after = float(robust.median(whole.values[begin:at])), float(robust.median(whole.values[at:end]))
    difference = abs(after - before)
    span = 1 if difference == 0 else math.ceil(1 + _PLACE * (noise / difference) ** 2)
    left, right = at - begin, end - at
    sides = float(smooth[begin:at].mean()), float(smooth[at:end].mean())
    return Change(
        at=float(whole.times[at]),
        earliest=float(whole.times[max(begin, at - span)]),
        latest=float(whole.times[min(end - 1, at + span)]),
        before=before,
        after=after,
        clarity=abs(sides[1] - sides[0]) * math.sqrt(left * right / (end - begin)) / noise,
    )

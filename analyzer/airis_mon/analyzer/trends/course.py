"""A series made even: samples at equal distances, without what comes back each day."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.methods.robust import Floats

POINTS_MAX = 2000
"""Points that are looked at: of more samples, each point is the mean of some."""
_CYCLES = 3
"""Days, or weeks, that must have passed before what comes back with them is taken off."""
_CLEARER = 0.8
"""Share of the deviation that may be left for a profile to be taken off."""
_SPREAD = 1.4826
"""Standard deviations in a median absolute deviation of normal values."""


@dataclass(frozen=True)
class Course:
    """A series at equal distances."""

    times: NDArray[np.float64]
    """Seconds since the epoch, ascending; gaps are left out."""
    values: Floats
    """The same, without the profile of the day where there is one."""
    step: float
    """Seconds between two points that follow each other."""


_FAR = 3.0
"""Standard deviations beyond which a difference counts as one of so many: it may be a change, or a burst."""


def course(timestamps: NDArray[np.int64], values: Floats) -> Course:
    """Return the course of samples; `timestamps` ascend, values that are no finite number are gaps."""
    there = np.isfinite(values)
    times, known = timestamps[there].astype(np.float64), values[there]
    if len(times) < 2:
        return Course(times, known, 60.0)
    step = float(np.median(np.diff(times)))
    times, known = _thinned(times, known, step * max(1, -(-len(times) // POINTS_MAX)))
    step = float(np.median(np.diff(times))) if len(times) > 1 else step
    for period in (DAY, 7 * DAY):
        known = _without(times, known, period, step)
    return Course(times, known, step)


def _thinned(times: Floats, values: Floats, cell: float) -> tuple[Floats, Floats]:
    """Return the mean of each cell, at the time of its first sample: that is when it began."""
    of = np.floor((times - times[0]) / cell + 1e-9).astype(np.int64)
    first = np.flatnonzero(np.diff(of, prepend=-1))
    sizes = np.diff(first, append=len(times))
    return times[first], np.add.reduceat(values, first) / sizes


def _without(times: Floats, values: Floats, period: float, step: float) -> Floats:
    """Return the values without what comes back each period, where that is most of what moves them."""
    if times[-1] - times[0] < _CYCLES * period or step > period / 8:
        return values
    slots = int(min(round(period / step), 24 if period == DAY else 7 * 24))
    slot = np.floor((times % period) / period * slots).astype(np.int64)
    # Against the level around it: neither a change of level nor a rise is a profile.
    departures = values - smoothed(values, round(period / step))
    profile = _medians(departures, slot)[slot]
    left = robust.median(np.abs(departures - profile))
    return values - profile if left < _CLEARER * robust.median(np.abs(departures)) else values


def _medians(values: Floats, group: NDArray[np.int64]) -> Floats:
    order = np.argsort(group, kind="stable")
    size = np.bincount(group)
    grid = np.full((len(size), int(size.max())), np.nan)
    begin = np.concatenate([[0], np.cumsum(size)[:-1]])
    grid[group[order], np.arange(len(values)) - begin[group[order]]] = values[order]
    return robust.median(grid)


def smoothed(values: Floats, width: int) -> Floats:
    """Return running medians: what is shorter than half the width is gone, and edges stay where they are."""
    half = min(width // 2, len(values) - 1)
    padded = np.pad(values, half, mode="reflect", reflect_type="odd")
    return robust.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1))


def long_run(values: Floats, blocks: int = 16) -> float:
    """Return the standard deviation by which sums of n values move, divided by the root of n.

    Neighbours that are alike count as what they are: means of ever longer blocks tell how much they vary
    together, and where too few blocks are left, the memory that differences over one and two points tell
    of. The medians of differences pass over changes of level, as long as these are few.
    """
    found, length = 0.0, 1
    while len(values) // length >= blocks:
        count = len(values) // length
        means = values[: count * length].reshape(count, length).mean(axis=1)
        found = max(found, math.sqrt(length * _moved(means, 1) / 2))
        length *= 2
    return max(found, _remembered(values))


def _moved(values: Floats, lag: int) -> float:
    """Return the variance of differences over so many points, as normal values would have it."""
    if len(values) <= lag:
        return 0.0
    squares = (values[lag:] - values[:-lag]) ** 2
    usual = float(_SPREAD**2 * robust.median(squares))
    # Where most points stand still, those that move are all there is to go by.
    return float(np.minimum(squares, _FAR**2 * usual).mean() if usual else squares.mean())


def _remembered(values: Floats) -> float:
    """Return the long-run deviation of a process whose correlation falls by the same factor at each step."""
    near, far = _moved(values, 1), _moved(values, 2)
    if near == 0.0:
        return 0.0
    if np.median(np.abs(np.diff(values))) == 0.0:  # it stands still most of the time
        return math.sqrt(near / 2)
    # Of such a process the differences over k points vary by 2 s^2 (1 - f^k).
    factor = min(max(far / near - 1, 0.0), 1 - 4 / len(values))
    variance = near / 2 / (1 - factor)
    return math.sqrt(variance * (1 + factor) / (1 - factor))

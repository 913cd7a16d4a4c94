"""How far off is anomalous: learnt from how far the series was off before, towards a budget of pages.

The past is cut into days, and each day remembers its worst departure. A threshold that all but so many
days of the past stayed below is one that pages on about so many days to come. It never looks at the worst
day alone, so one incident in the history does not blind it. Both sides are held against the same days: a
series that jumps up every week says something of how it may fall.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.cells import DAY, Cells
from airis_mon.analyzer.methods.profiles import OLD
from airis_mon.analyzer.methods.robust import Floats

_LEAST = 6.0
"""Robust standard deviations that are never anomalous. Fewer find a little more and page far more often."""
_MARGIN = 1.1
_SPENT = 0.25
"""Share of the budget that is spent on days like those of the past; the rest is for days that are not."""
_PASSED_OVER = 1.0
"""Days that are passed over in the first week, once there are three: one may have been an incident."""
_RANGE_FLOOR = 0.02
"""Least standard deviation, as a share of the series' own 5-95 % range."""
_RATIO_FLOOR = 0.0025
"""Least standard deviation of a ratio: less than one percentage point off is never anomalous."""
_RELATIVE_FLOOR = 1e-6
"""Least standard deviation, as a share of the largest value: below it is the noise of floating point."""
_TINY = 1e-9
_WARM = 0.98
"""Days of history without which nothing is called anomalous."""
_COUNT_LEAST = 24
_SETTLED = 0.75
"""Days' worth of values after the first day, from which on that one says nothing of a row's noise."""
_WEEK = 7
"""Days of a row from which on its first two are not held against it."""


@dataclass(frozen=True)
class Thresholds:
    """How far off is anomalous for each row, and why."""

    distance: Floats
    """(rows,): from the expectation to where the score is 1; NaN while warming up."""
    least: Floats
    """(rows,): what noise alone asks for."""
    scale: Floats
    """(rows,): the robust standard deviation, of which `least` is a multiple."""
    passed: Floats
    """(rows,): what the past asks for: a margin upon `rare`."""
    rare: Floats
    """(rows,): the departure that few days of the past exceeded."""
    few: Floats
    """(rows,): how many days that are, part of a day included."""
    worst: Floats
    """(rows, days): the worst departure of each day, the newest last; NaN where nothing is known."""

    def take(self, rows: NDArray[np.intp]) -> Thresholds:
        """Return what is known of some rows, in their order."""
        return Thresholds(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})


def thresholds(
    values: Floats,
    off: Floats,
    pages_per_week: float,
    cells: Cells,
    *,
    ratio: bool,
    least: float = _LEAST,
) -> Thresholds:
    """Return at what distance from the expectation each row's score is 1.

    `values` and what they were `off` the expectation have shape (rows, cells); `least` robust standard
    deviations are never anomalous.
    """
    size = np.abs(off)
    low, high = robust.quantiles(values[:, -7 * cells.day :], (0.05, 0.95))
    largest = robust.most(np.abs(values))
    floor = np.fmax(_RANGE_FLOOR * (high - low), _RELATIVE_FLOOR * largest)
    scale = np.fmax(_noise(values, size, cells), floor)
    scale = np.fmax(scale, _RATIO_FLOOR if ratio else _TINY)
    worst = _worst(_remembered(values, size, cells), cells)
    rare, few = _rare(worst, _SPENT * pages_per_week)
    noise, passed = least * scale, _MARGIN * rare
    distance = np.where(_warm(values, off, cells), np.fmax(noise, passed), np.nan)
    return Thresholds(distance, noise, scale, passed, rare, few, worst)


def _noise(values: Floats, size: Floats, cells: Cells) -> Floats:
    """Return (rows,): the robust standard deviation of a week's departures.

    Of a row's first day no season was known: once more is there, the lesser of those with it and without.
    """
    week = size[:, -7 * cells.day :]
    found = _deviation(week)
    since = robust.first(values) + cells.day - (size.shape[1] - week.shape[1])
    some = np.flatnonzero(since > 0)
    if len(some):
        later = np.where(np.arange(week.shape[1]) < since[some, None], np.nan, week[some])
        known = np.sum(~np.isnan(later), axis=1) >= _SETTLED * cells.day
        found[some] = np.where(known, np.fmin(found[some], _deviation(later)), found[some])
    return found


def _deviation(size: Floats) -> Floats:
    middle, outer = robust.quantiles(size, (0.5, 0.9))
    return np.fmax(1.4826 * middle, outer / 1.645)


def _remembered(values: Floats, size: Floats, cells: Cells) -> Floats:
    """Return departures without those of a row's first two days, once a week is there, until it is old.

    What they were off by grows when the week that says how far a level may move no longer has them.
    """
    first, count = robust.first(values), values.shape[1]
    old = (count - first) / cells.day
    # Where all columns are known, something may be known of what was before the first.
    young = (first > 0) & (old >= _WEEK) & (old < OLD)
    if not young.any():
        return size
    here = np.arange(count) < (first + 2 * cells.day)[:, None]
    return np.where(here & young[:, None], np.nan, size)


def _worst(size: Floats, cells: Cells) -> Floats:
    """Return (rows, days): the worst departure of each day; of less than one day that of all there is."""
    rows, columns = size.shape
    days = columns // cells.day
    if days == 0:
        return robust.most(size)[:, None] if columns else np.full((rows, 1), np.nan)
    return robust.most(size[:, columns - days * cells.day :].reshape(rows, days, cells.day))


def _rare(worst: Floats, pages_per_week: float) -> tuple[Floats, Floats]:
    """Return the departure that as many days of the past exceeded as the budget allows, and how many."""
    worst = np.sort(-worst, axis=1)
    last = np.maximum(np.sum(~np.isnan(worst), axis=1) - 1, 0)
    few = np.where(last < 6, np.minimum(_PASSED_OVER, last / 2), 0.0)
    rank = np.minimum(np.fmax(pages_per_week * (last + 1) / 7, few), last)
    below = np.floor(rank).astype(np.intp)
    part = rank - below
    found = [
        np.take_along_axis(worst, index[:, None], 1)[:, 0] for index in (below, np.minimum(below + 1, last))
    ]
    return np.asarray(-(found[0] * (1 - part) + found[1] * part)), rank


def _warm(values: Floats, off: Floats, cells: Cells) -> np.ndarray:
    """Return which rows have a day of history behind them, and values enough to judge."""
    span = (values.shape[1] - robust.first(values)) * cells.seconds
    judged = np.sum(~np.isnan(off), axis=1)
    return np.asarray((span >= _WARM * DAY) & (judged >= max(_COUNT_LEAST, cells.day // 8)))

"""What the time of day, of the week, or growth makes a series differ from its level.

A cell's departure is its distance from the median of the day (or week) around it. A profile is the median
departure of the cells a day (or a week) ago, two, three ... ago. What a series grew over a day, from the
median of one half day to that of the next day's, it goes on to grow, less and less: a damped trend.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.cells import HOUR, Cells
from airis_mon.analyzer.methods.robust import Floats

_DAYS = 7
_WEEKS = 4
OLD = 10
"""Days of a past from which on its first ones are known in hindsight, whatever was asked for before them.

Of a shorter one too little is known to be sure of it: what its first days were off by is held against it.
"""
_EXCURSION = 5.0
"""Robust standard deviations beyond which a cell says nothing of the day's shape, in less than a week."""
_GROWN = 12 * HOUR
"""Seconds over which the medians are taken whose difference over a day is growth."""
_DAMPED = 24 * HOUR
"""Seconds in which growth comes down to a third of what it was."""
_SMOOTHED = 600
"""Seconds to each side over which departures are smoothed."""
_REACH = 2
"""Cells to each side that are smoothed at most: six hours of hourly values are no neighbours."""


def profiles(values: Floats, ahead: int, cells: Cells) -> dict[str, Floats]:
    """Return by name what each cell of (rows, n), and each of `ahead` to come, differs from its level.

    Shape (rows, n + ahead) each, NaN where the past is too short; a profile that no row can have is left out.
    """
    rows, count = values.shape
    begins = first_cells(values, cells)
    found = {"flat": np.zeros((rows, count + ahead))}
    for name, period, most in (("daily", cells.day, _DAYS), ("weekly", 7 * cells.day, _WEEKS)):
        if count > period:
            around = np.clip(np.arange(count) + period // 2, period, count)
            level = hourly(values, period * cells.seconds, 0, cells)[:, around]
            departures = _smoothed(values - level, cells)
            if count <= _DAYS * cells.day:
                departures = _tamed(departures, cells.day)
            found[name] = _repeated(departures, period, min(most, count // period), ahead, begins)
    if count > cells.day:
        found["trend"] = _trend(values, ahead, cells)
    return found


def first_cells(values: Floats, cells: Cells) -> NDArray[np.intp]:
    """Return (rows,): the first cell of each row that is there; 0 for a row that is not old enough."""
    count, first = values.shape[1], robust.first(values)
    return np.where(count - first >= OLD * cells.day, first, 0)


def hourly(values: Floats, span: int, least: int, cells: Cells) -> Floats:
    """Return the median of the medians of the hours in the `span` seconds before each cell.

    Taken anew each hour, over `least` cells at least; shape (rows, n + 1), the last for the cells to come.
    """
    rows, count = values.shape
    size = cells.count(HOUR)
    blocks = -(-count // size)
    padded = np.full((rows, blocks * size), np.nan)
    padded[:, blocks * size - count :] = values
    medians = robust.median(padded.reshape(rows, blocks, size))
    width = max(span // (size * cells.seconds), least // size, 1)
    level = robust.trailing_median(medians, width, max(1, width // 4))
    held = np.repeat(level[:, :-1], size, axis=1)[:, blocks * size - count :]
    return np.concatenate([held, level[:, -1:]], axis=1)


def _trend(values: Floats, ahead: int, cells: Cells) -> Floats:
    """Return what each cell has grown to, 0 being the last one; NaN where growth is unknown."""
    half = hourly(values, _GROWN, 0, cells)
    slope = (half[:, cells.day :] - half[:, : -cells.day]) / cells.day
    known = np.nan_to_num(slope)
    grown = np.cumsum(known[:, :-1], axis=1)
    kept = math.exp(-cells.seconds / _DAMPED)
    later = known[:, -1:] * (1 - kept ** np.arange(1, ahead + 1)) / (1 - kept)
    before = np.where(np.isnan(slope[:, :-1]), np.nan, grown - grown[:, -1:])
    return np.concatenate([np.full((len(values), cells.day), np.nan), before, later], axis=1)


def _repeated(departures: Floats, period: int, most: int, ahead: int, begins: NDArray[np.intp]) -> Floats:
    rows, count = departures.shape
    earlier = np.full((rows, most, count + ahead), np.nan)
    for times in range(1, most + 1):
        here = departures[:, : count + ahead - times * period]
        earlier[:, times - 1, times * period : times * period + here.shape[1]] = here
    # Beyond one period ahead the latest one is not known yet: older ones speak for it.
    found = robust.median(earlier, axis=1)
    # Nothing is before the first period: the second one speaks for it, lest a cut off past look wild.
    first = begins[:, None] + np.arange(min(period, max(0, count - period)))
    later = np.where(
        first + period < count,
        np.take_along_axis(departures, np.minimum(first + period, count - 1), 1),
        np.take_along_axis(found, first, 1),
    )
    np.put_along_axis(found, first, later, 1)
    return found


def _tamed(departures: Floats, day: int) -> Floats:
    """Return departures whose excursions are cut down to what the other days make likely.

    Of two days a median is a mean, and one incident would stand in the profile.
    """
    rows, count = departures.shape
    days = -(-count // day)
    whole = np.full((rows, days * day), np.nan)
    whole[:, days * day - count :] = departures
    parts = whole.reshape(rows, days, day)
    usual = robust.median(parts, axis=1)[:, None, :]
    off = parts - usual
    limit = _EXCURSION * 1.4826 * robust.median(robust.flattened(np.abs(off)))[:, None, None]
    tamed = np.where(np.isnan(limit), parts, usual + np.clip(off, -limit, limit))
    return robust.flattened(tamed)[:, days * day - count :]


def _smoothed(values: Floats, cells: Cells) -> Floats:
    """Return the median of each cell and its neighbours."""
    reach = min(_SMOOTHED // cells.seconds, _REACH)
    if reach == 0 or not values.shape[1]:
        return values
    padded = np.pad(values, ((0, 0), (reach, reach)), constant_values=np.nan)
    return robust.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1))

"""Readings of some minutes -> hours, and the busy hour of each day (UTC): what has to be built for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.methods.robust import Floats

_HOURS = DAY // HOUR
_FULL = 0.75
"""Share of an hour's readings, and of a day's hours, that have to be there for it to count."""


class CapacityError(Exception):
    """A past from which no plan follows; the text says what is missing, and what to do."""


def hours(timestamps: NDArray[np.int64], values: Floats) -> tuple[int, Floats]:
    """Return the day that the first reading lies in, and the mean of each hour from its midnight on.

    Days are counted from the epoch, and the last one is there whole. NaN where too little was read.
    """
    step = int(timestamps[1] - timestamps[0])
    first, last = int(timestamps[0]) // DAY, int(timestamps[-1]) // DAY
    cells = np.full((last - first + 1) * DAY // step, np.nan)
    cells[(timestamps - first * DAY) // step] = values
    by_hour = cells.reshape(-1, HOUR // step)
    enough = np.sum(~np.isnan(by_hour), axis=1) >= _FULL * by_hour.shape[1]
    return first, np.where(enough, robust.mean(by_hour), np.nan)


def busy_hours(by_hour: Floats) -> Floats:
    """Return the busiest hour's mean of each day; NaN where too few hours of the day are known."""
    days = by_hour.reshape(-1, _HOURS)
    enough = np.sum(~np.isnan(days), axis=1) >= _FULL * _HOURS
    return np.where(enough, robust.most(days), np.nan)

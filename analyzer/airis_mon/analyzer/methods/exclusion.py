"""Which points of the past are left out, because what was measured then is not as usual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from airis_mon.analyzer.maintenance import Times
from airis_mon.spec import Window

Flags = npt.NDArray[np.bool_]


def touched(some: Sequence[Times], timestamps: npt.NDArray[np.int64], lookback: int) -> Flags:
    """Say of each time, whether one of `some` held then or within `lookback` seconds before.

    The times are in order and equally far apart; a value that looks back speaks of all that it looks at.
    """
    found = np.zeros(len(timestamps), dtype=bool)
    if not some or not len(timestamps):
        return found
    step = int(timestamps[1] - timestamps[0]) if len(timestamps) > 1 else 60
    before = -(-lookback // step)
    # What came before the first of them counts as well.
    grid = np.concatenate((timestamps[0] - step * np.arange(before, 0, -1), timestamps))
    held = np.zeros(len(grid), dtype=bool)
    for one in some:
        held |= _within(one, grid, step)
    for shift in range(before + 1):
        found |= held[before - shift : len(held) - shift]
    return found


def _within(one: Times, moments: npt.NDArray[np.int64], step: int) -> Flags:
    """Say whether a time holds at each moment; a window that falls between two counts for the later."""
    if isinstance(one, Window):
        flags: Flags = (one.begin <= moments) & (moments - step < one.end)
        return flags
    found = np.ones(len(moments), dtype=bool)
    seconds = moments.astype("datetime64[s]")
    days, months = seconds.astype("datetime64[D]"), seconds.astype("datetime64[M]")
    if one.times:
        minutes = moments // 60 % (24 * 60)
        found &= _any([(first <= minutes) & (minutes < last) for first, last in one.times])
    if one.weekdays:
        # The first day of Unix was a Thursday, three days after a Monday.
        found &= np.isin((moments // 86400 + 3) % 7, one.weekdays)
    if one.days_of_month:
        day = (days - months.astype("datetime64[D]")).astype(int) + 1
        length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(int)
        found &= _any([_in_month(day, length, *span) for span in one.days_of_month])
    if one.months:
        found &= np.isin(months.astype(int) % 12 + 1, one.months)
    return found


def _in_month(day: Any, length: Any, first: int, last: int) -> Flags:
    begin, end = ((length + 1 + one) if one < 0 else one for one in (first, last))
    flags: Flags = (begin <= day) & (day <= end)
    return flags


def _any(flags: Sequence[Flags]) -> Flags:
    found: Flags = np.logical_or.reduce(flags)
    return found

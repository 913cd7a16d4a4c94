"""Forecasters that learn nothing: the last value, its drift, and the same time of past days and weeks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from airis_mon.analyzer.forecasting.past import Past
from airis_mon.analyzer.methods.robust import Floats

_DAYS = 4
_WEEKS = 2
_DAMPED = 0.9
"""What is left of a drift after as many columns as it was measured over, and so on."""
_SMOOTH = 3


def naive(past: Past) -> Iterator[Floats]:
    """Yield (rows, starts, horizons) of each forecaster that the past is long enough for."""
    starts, horizons = past.starts, past.horizons
    last = past.values[:, starts][:, :, None]
    yield np.repeat(last, len(horizons), axis=2)
    smooth = past.running(_SMOOTH)
    yield np.repeat(smooth[:, starts][:, :, None], len(horizons), axis=2)
    width = past.span
    first = int(starts[0])
    if first >= width:
        slope = (past.level[:, starts] - past.level[:, starts - width])[:, :, None] / width
        share = horizons / width
        reach = width * (1 - _DAMPED**share) / -np.log(_DAMPED)
        yield smooth[:, starts][:, :, None] + slope * reach
    short, long = past.seasons.short, past.seasons.long
    days = min(_DAYS, (first + 1) // short) if short else 0
    if days:
        yield _again(past, short, 1)
    if days > 1:
        yield _again(past, short, days, level=True)
    weeks = min(_WEEKS, (first + 1) // long) if long else 0
    yield from (_again(past, long, times) for times in range(1, weeks + 1))


def seasonal_naive(past: Past) -> Floats:
    """Return (rows, starts, horizons): the last season again, or the last value where there is none."""
    if past.seasons.short and int(past.starts[0]) + 1 >= past.seasons.short:
        return _again(past, past.seasons.short, 1)
    return np.repeat(past.values[:, past.starts][:, :, None], len(past.horizons), axis=2)


def _again(past: Past, period: int, times: int, *, level: bool = False) -> Floats:
    """Return the mean of the same time in the last `times` periods, moved to the level of now if asked."""
    starts = past.starts[:, None]
    begin = -(-past.horizons // period)
    total = np.zeros((len(past.values), len(past.starts), len(past.horizons)))
    for back in range(times):
        total += past.values[:, starts + past.horizons - (begin + back) * period]
        if level:
            total += (past.level[:, past.starts] - past.level[:, past.starts - back * period])[:, :, None]
    return total / times

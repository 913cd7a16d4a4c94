"""How far off is anomalous: learnt from how far the series was off before, towards a budget of pages.

The past is cut into days, and each day remembers its worst departure. A threshold that all but so many days
of the past stayed below is one that pages on about so many days to come. It never looks at the worst day
alone, so one incident in the history does not blind it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.cells import DAY, Cells
from airis_mon.analyzer.methods.robust import Floats

_LEAST = 6.0
"""Robust standard deviations that are never anomalous. Fewer find a little more and page far more often."""
_MARGIN = 1.1
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


@dataclass(frozen=True)
class Thresholds:
    """Distances from the expectation at which the score is 1; shape (rows,), NaN while warming up."""

    above: Floats
    below: Floats


def thresholds(
    fine: Floats, errors: Floats, pages_per_week: float, cells: Cells, *, ratio: bool
) -> Thresholds:
    """Return the thresholds of each row; `fine` and `errors` have shape (rows, cells, columns)."""
    values, off = robust.flattened(fine), robust.flattened(errors)
    size = np.abs(off)
    scale = np.fmax(1.4826 * robust.median(size), robust.quantile(size, 0.9) / 1.645)
    spread = robust.quantile(values, 0.95) - robust.quantile(values, 0.05)
    largest = robust.most(np.abs(values))
    floor = np.fmax(_RANGE_FLOOR * spread, _RELATIVE_FLOOR * largest)
    scale = np.fmax(np.fmax(scale, floor), _RATIO_FLOOR if ratio else _TINY)
    warm = _warm(values, off, cells)
    above, below = (
        np.where(warm, np.fmax(_LEAST * scale, _MARGIN * _passed(side, pages_per_week / 2, cells)), np.nan)
        for side in (off, -off)
    )
    return Thresholds(above, below)


def _passed(off: Floats, pages_per_week: float, cells: Cells) -> Floats:
    """Return the departure that as many blocks of the past exceeded as the budget allows."""
    rows, columns = off.shape
    days = columns // (cells.day * cells.columns)
    blocks = days
    if days == 1:
        blocks = next(n for n in (4, 3, 2, 1) if columns % n == 0)
    worst = np.sort(-robust.most(off.reshape(rows, blocks, columns // blocks)), axis=1)
    known = np.sum(~np.isnan(worst), axis=1)
    rank = np.clip(pages_per_week * days / 7, 1.0, np.maximum(known - 1, 0))
    below = np.floor(rank).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(known - 1, 0))
    part = rank - below
    found = [np.take_along_axis(worst, index[:, None], 1)[:, 0] for index in (below, above)]
    return np.asarray(-(found[0] * (1 - part) + found[1] * part))


def _warm(values: Floats, off: Floats, cells: Cells) -> np.ndarray:
    """Return which rows have a day of history behind them, and values enough to judge."""
    known = ~np.isnan(values)
    columns = values.shape[1]
    first = np.where(known.any(axis=1), np.argmax(known, axis=1), columns)
    span = (columns - first) * cells.step
    judged = np.sum(~np.isnan(off), axis=1)
    return np.asarray((span >= _WARM * DAY) & (judged >= max(_COUNT_LEAST, DAY // cells.step // 8)))

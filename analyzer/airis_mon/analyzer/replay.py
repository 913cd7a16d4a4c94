"""A series from start to end, as the live service would have seen it: the same model, the same schedule.

Every sample is judged by a model that was fitted on samples before it, at its default configuration.
Forecasts are of the same code as the live service's; that one looks at longer histories in cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.forecasting.outlook import outlook
from airis_mon.analyzer.methods.cells import DAY, Cells
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.seasonal import Settings, learn, recent_steps
from airis_mon.analyzer.schedule import FIT_INTERVAL, HISTORY, fitted_at, learnt_at

Integers = NDArray[np.int64]

_LOOK = 32
"""Samples by whose distances the step is told; they are not judged."""
_ROWS = 16
"""Histories that are learnt from at once: four weeks of each are some megabytes on the way."""
_FORECAST_COLUMNS = 40_320
"""Newest columns that a forecast learns from: four weeks of minutes."""


def anomaly_scores(timestamps: Integers, values: Floats) -> Floats:
    """Return the score of each sample, 1 or more being anomalous.

    `timestamps` are seconds since the epoch, strictly increasing; `values` may be NaN. A score depends on
    its sample and those before it alone.
    """
    scores = np.zeros(len(values))
    if len(values) <= _LOOK:
        return scores
    step = _step(timestamps[:_LOOK])
    settings = Settings(step)
    cells = Cells.of(step)
    grid, origin = _grid(timestamps, values, step)
    ends = fitted_at(timestamps, FIT_INTERVAL) // step * step
    pasts = learnt_at(ends, cells.seconds)
    judged = np.flatnonzero((np.arange(len(values)) >= _LOOK) & (pasts > origin))
    past = cells.newest(grid, -grid.shape[1] % cells.columns)
    asked = np.unique(pasts[judged])
    for begin in range(0, len(asked), _ROWS):
        some = asked[begin : begin + _ROWS]
        learnt = learn(_windows(past, (some - origin) // cells.seconds, HISTORY // cells.seconds), settings)
        mine = judged[(pasts[judged] >= some[0]) & (pasts[judged] <= some[-1])]
        since = ends[mine] - pasts[mine]
        for seconds in np.unique(since).tolist():
            at = mine[since == seconds]
            known = np.unique(pasts[at])
            recent = _windows(grid, (known + seconds - origin) // step, recent_steps(cells))
            model = learnt.take(np.searchsorted(some, known)).at(recent, seconds)
            ahead = timestamps[at] - ends[at]
            for distance in np.unique(ahead).tolist():
                here = at[ahead == distance]
                rows = np.searchsorted(known, pasts[here])
                scores[here] = model.scores(values[here], distance, rows=rows)
    return scores


def _windows(row: Floats, ends: Integers, width: int) -> Floats:
    """Return (windows, width): the columns of one row before each of `ends`, gaps where the row is not."""
    beyond = max(0, int(ends.max()) - row.shape[1])
    padded = np.concatenate([np.full(width, np.nan), row[0], np.full(beyond, np.nan)])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, width)[ends])


def forecast(
    timestamps: Integers, values: Floats, horizon: int, level: float
) -> tuple[Floats, Floats, Floats]:
    """Return expectation, lower and upper edge of the next `horizon` steps, shape (horizon,) each.

    A step is the usual distance of two timestamps; `level` is the share of outcomes that the band should
    hold.
    Of fewer than four values nothing can be said: the answer is NaN.
    """
    row, step = _recent(timestamps, values)
    found = outlook(row[None], step, horizon, level)
    return found.mean[0], found.lower[0], found.upper[0]


def _recent(timestamps: Integers, values: Floats) -> tuple[Floats, int]:
    """Return the newest samples at equal distances, NaN where there is none, and that distance in seconds."""
    if not len(timestamps):
        return np.full(1, np.nan), 60
    step = max(1, int(np.median(np.diff(timestamps)))) if len(timestamps) > 1 else 60
    back = np.rint((timestamps[-1] - timestamps) / step).astype(np.int64)
    near = back < _FORECAST_COLUMNS
    row = np.full(int(back[near].max()) + 1, np.nan)
    row[-1 - back[near]] = np.where(np.isfinite(values[near]), values[near], np.nan)
    return row, step


def _step(timestamps: Integers) -> int:
    """Return the step of a grid that holds the samples: the longest divisor of a day up to their distance."""
    distance = int(np.median(np.diff(timestamps))) if len(timestamps) > 1 else 60
    return max(n for n in range(1, min(max(distance, 1), DAY) + 1) if DAY % n == 0)


def _grid(timestamps: Integers, values: Floats, step: int) -> tuple[Floats, int]:
    """Return the samples on a grid as one row, NaN where there is none, and the time before its first column.

    A column holds what came since the column before it; the first one begins a cell.
    """
    columns = -(-timestamps // step)
    size = Cells.of(step).columns
    origin = (int(columns[0]) - 1) // size * size
    grid = np.full((1, int(columns[-1]) - origin), np.nan)
    grid[0, columns - origin - 1] = np.where(np.isfinite(values), values, np.nan)
    return grid, origin * step

"""A series from start to end, as the live service would have seen it: the same model, the same schedule.

Every sample is judged by a model that was fitted on samples before it, at its default configuration.
Forecasts are of the same code as the live service's; that one looks at longer histories in cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from airis_mon.analyzer import arguments
from airis_mon.analyzer.forecasting.candidates import NOBODY, Candidates
from airis_mon.analyzer.forecasting.outlook import outlook
from airis_mon.analyzer.methods.beginnings import begun, unready
from airis_mon.analyzer.methods.cells import Cells
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.seasonal import Model, Settings, learn, recent_steps
from airis_mon.analyzer.recording import Integers, Recording, of_samples
from airis_mon.analyzer.schedule import FIT_INTERVAL, HISTORY, fitted_at, learnt_at

_ROWS = 16
"""Histories that are learnt from at once: four weeks of each are some megabytes on the way."""
_FORECAST_COLUMNS = 40_320
"""Newest columns that a forecast learns from: four weeks of minutes."""


@dataclass(frozen=True)
class Judgement:
    """Samples that are equally far from the end of what their models know, and these models."""

    samples: Integers
    """Which ones, in order."""
    model: Model
    """One row for each fit."""
    rows: Integers
    """Row of the model that judges each sample."""
    ahead: int
    """Seconds from the end of what the model knows to the sample."""
    learnt: Integers
    """Until when the long past was learnt from, for each sample."""


def anomaly_scores(timestamps: ArrayLike, values: ArrayLike) -> Floats:
    """Return the score of each sample, 1 or more being anomalous.

    `timestamps` are whole seconds since the epoch, in order; a local clock may be set back by an hour once a
    year. Of samples of one second the last one is learnt from. `values` may be NaN or None; beyond 1e300 they
    count as 1e300. Both are whatever numpy makes one row of numbers of; ValueError says what is wrong.
    A score depends on its sample and those before it alone.
    """
    at, measured = arguments.series(timestamps, values)
    measured = arguments.clipped(measured)
    scores = np.zeros(len(measured))
    recording = of_samples(at, measured)
    if recording is not None:
        for each in judgements(recording, Settings(recording.step)):
            scores[each.samples] = each.model.scores(measured[each.samples], each.ahead, rows=each.rows)
    return scores


def judgements(
    recording: Recording, settings: Settings, history: int = HISTORY, fit_interval: int = FIT_INTERVAL
) -> Iterator[Judgement]:
    """Yield the models that would have judged each sample live, learning from `history` seconds."""
    timestamps, step, origin = recording.timestamps, recording.step, recording.origin
    cells = Cells.of(step)
    ends = fitted_at(timestamps, fit_interval) // step * step
    pasts = learnt_at(ends, cells.seconds)
    judged = np.flatnonzero((np.arange(len(timestamps)) >= recording.first) & (pasts > origin))
    asked = np.unique(pasts[judged])
    for begin in range(0, len(asked), _ROWS):
        some = asked[begin : begin + _ROWS]
        width = max(1, history // cells.seconds)
        learnt = learn(_windows(recording.past, (some - origin) // cells.seconds, width), settings)
        mine = judged[(pasts[judged] >= some[0]) & (pasts[judged] <= some[-1])]
        since = ends[mine] - pasts[mine]
        for seconds in np.unique(since).tolist():
            at = mine[since == seconds]
            known = np.unique(pasts[at])
            recent = _windows(recording.grid, (known + seconds - origin) // step, recent_steps(cells))
            before = learnt.take(np.searchsorted(some, known))
            short = unready(before)
            day = _windows(recording.past, (known[short] + seconds - origin) // cells.seconds, cells.day)
            model = begun(before, short, day, settings).at(recent, seconds)
            ahead = timestamps[at] - ends[at]
            for distance in np.unique(ahead).tolist():
                here = at[ahead == distance]
                yield Judgement(here, model, np.searchsorted(known, pasts[here]), distance, pasts[here])


def _windows(row: Floats, ends: Integers, width: int) -> Floats:
    """Return (windows, width): the columns of one row before each of `ends`, gaps where the row is not."""
    beyond = max(0, int(ends.max(initial=0)) - row.shape[1])
    padded = np.concatenate([np.full(width, np.nan), row[0], np.full(beyond, np.nan)])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, width)[ends])


def forecast(
    timestamps: ArrayLike, values: ArrayLike, horizon: int, level: float, candidates: Candidates = NOBODY
) -> tuple[Floats, Floats, Floats]:
    """Return expectation, lower and upper edge of the next `horizon` steps, shape (horizon,) each.

    `timestamps` and `values` are as `anomaly_scores` takes them. A step is the usual distance of two
    timestamps; `level`, between 0 and 1, is the share of outcomes that the band should hold. `candidates`
    are tried as well, within their time; there are none by default.
    Of fewer than four values nothing can be said: the answer is NaN.
    """
    steps, share = arguments.horizon(horizon), arguments.level(level)
    row, step = _recent(*arguments.series(timestamps, values))
    row, power = arguments.scaled(row)
    found = outlook(row[None], step, steps, share, plan=candidates.plan([len(row)]))
    mean, lower, upper = (
        arguments.unscaled(each[0], power) for each in (found.mean, found.lower, found.upper)
    )
    return mean, lower, upper


def _recent(timestamps: Integers, values: Floats) -> tuple[Floats, int]:
    """Return the newest samples at equal distances, NaN where there is none, and that distance in seconds."""
    if not len(timestamps):
        return np.full(1, np.nan), 60
    step = max(1, int(np.median(np.diff(timestamps)))) if len(timestamps) > 1 else 60
    back = np.rint((timestamps.max() - timestamps) / step).astype(np.int64)
    near = back < _FORECAST_COLUMNS
    row = np.full(int(back[near].max()) + 1, np.nan)
    row[-1 - back[near]] = np.where(np.isfinite(values[near]), values[near], np.nan)
    return row, step

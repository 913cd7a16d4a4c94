"""The model: a daily profile that follows its level, or the level alone where that expects better.

History comes as rows of equal steps that end together; the model looks at it in cells of about five minutes.
A profile is the median over the days of what each cell differs from its day's median. A level is what the
last hours differ from the profile: the median of two hours, held near the median of half a day, so that an
incident is not learnt away while it lasts and a lasting shift is accepted after some hours. Which departures
are anomalous is read from the series' own past, in `thresholds`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.methods import robust, tracks
from airis_mon.analyzer.methods.cells import HOUR, Cells
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.thresholds import Thresholds, thresholds
from airis_mon.analyzer.methods.tracks import Track

Direction = Literal["up", "down", "both"]
Rows = slice | NDArray[np.intp]

_GAIN = 0.95
"""A profile has to bring the typical error down to this share of what it is without one."""
_FADES = 6 * HOUR
"""Seconds after which a forecast has forgotten most of what sets the last hours apart from the half day."""
_COUNT_LEAST = 24
"""Values below which a row is not spoken of."""


@dataclass(frozen=True)
class Settings:
    """What the model has to be told of a query."""

    step: int
    """Seconds between columns; divides a day."""
    pages_per_week: float = 2.0
    """False pages for each series that are accepted."""
    ratio: bool = False
    """Values are shares: between 0 and 1."""
    horizons: tuple[int, ...] = ()
    """Seconds ahead for which a forecast is wanted."""
    level: float = 0.95
    """Share of outcomes that a forecast's band should hold."""


@dataclass(frozen=True)
class Band:
    """An expectation and its band; shape (rows,), NaN where nothing can be said."""

    expected: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Ahead:
    """What a forecast needs beside the profile; shape (rows,)."""

    level: Floats
    lower: Floats
    """Distance from the expectation to the band's edges, the lower one negative."""
    upper: Floats


@dataclass(frozen=True)
class Model:
    """What one fit learnt of each row; good for the minutes that follow the end of its history."""

    cells: Cells
    profile: Floats
    """(rows, day): what the cells after the history differ from the level."""
    level: Floats
    thresholds: Thresholds
    least: Floats
    most: Floats
    """(rows,): what the series cannot fall below or exceed; infinite where nothing forbids."""
    horizons: Mapping[int, Ahead]

    @property
    def ready(self) -> NDArray[np.bool_]:
        """Which rows have left the warm-up; the scores of the others are 0."""
        return np.isfinite(self.thresholds.above + self.level)

    def expected(self, ahead: int) -> Band:
        """Return the expectation and the band of score 1, `ahead` seconds after the end of the history."""
        middle = self._middle(ahead)
        return self._possible(middle, middle - self.thresholds.below, middle + self.thresholds.above)

    def scores(
        self, values: Floats, ahead: int, direction: Direction = "both", rows: Rows = slice(None)
    ) -> Floats:
        """Return the scores of `values`, one for each of `rows`: 1 is the edge of the band.

        0 where a value is missing or the model is warming up; never infinite.
        """
        off = values - self._middle(ahead)[rows]
        up, down = off / self.thresholds.above[rows], -off / self.thresholds.below[rows]
        score = {"up": up, "down": down, "both": np.fmax(up, down)}[direction]
        return np.where(np.isfinite(score), np.maximum(score, 0.0), 0.0)

    def forecast(self, horizon: int, ahead: int) -> Band:
        """Return the forecast for `horizon` seconds after the moment that is `ahead` after the history."""
        of = self.horizons[horizon]
        middle = self.profile[:, self.cells.phase(ahead + horizon)] + of.level
        return self._possible(middle, middle + of.lower, middle + of.upper)

    def _middle(self, ahead: int) -> Floats:
        return np.asarray(self.profile[:, self.cells.phase(ahead)] + self.level)

    def _possible(self, middle: Floats, lower: Floats, upper: Floats) -> Band:
        return Band(*(np.clip(part, self.least, self.most) for part in (middle, lower, upper)))


def fit(values: Floats, settings: Settings) -> Model:
    """Learn from `values`, shape (rows, steps), NaN for gaps, the last column being the newest."""
    cells = Cells.of(settings.step)
    fine = cells.cut(values)
    coarse = robust.mean(fine)
    track = _chosen(coarse, cells)
    fine_errors = track.errors(fine)
    enough = np.sum(~np.isnan(values), axis=1) >= _COUNT_LEAST
    level = np.where(enough, track.level[:, -1], np.nan)
    lowest = np.fmin.reduce(values, axis=1) if values.shape[1] else np.full(len(values), np.nan)
    bounded = np.full(len(values), settings.ratio)
    return Model(
        cells=cells,
        profile=track.profile,
        level=level,
        thresholds=thresholds(fine, fine_errors, settings.pages_per_week, cells, ratio=settings.ratio),
        least=np.where(bounded | (lowest >= 0), 0.0, -np.inf),
        most=np.where(bounded, 1.0, np.inf),
        horizons={h: _ahead(track, fine, h, cells, settings.level) for h in settings.horizons},
    )


def _chosen(coarse: Floats, cells: Cells) -> Track:
    flat = tracks.flat(coarse, cells)
    daily = tracks.daily(coarse, cells)
    if daily is None:
        return flat
    profile_known = np.isfinite(daily.profile).all(axis=1)
    return tracks.better(daily, flat, profile_known & (_error(daily, coarse) < _GAIN * _error(flat, coarse)))


def _error(track: Track, coarse: Floats) -> Floats:
    """Return the typical error of each row: its mean, with what is beyond the ninth decile cut down to it."""
    size = np.abs(track.errors(coarse[:, :, None])[:, :, 0])
    return robust.mean(np.minimum(size, robust.quantile(size, 0.9)[:, None]))


def _ahead(track: Track, fine: Floats, horizon: int, cells: Cells, level: float) -> Ahead:
    """Return a forecast's level, and its band from how far forecasts over that distance were off."""
    fade = math.exp(-horizon / _FADES)
    levels = track.slow + (track.level - track.slow) * fade
    count = fine.shape[1]
    distance = cells.count(horizon)
    tried = min(distance, count // 2)
    errors = fine[:, tried - 1 :] - (track.base[:, tried - 1 :] + levels[:, : count - tried + 1])[:, :, None]
    errors = robust.flattened(errors)
    # History too short to have seen such a distance: errors are taken to grow as a random walk's do.
    stretch = math.sqrt(distance / tried)
    tail = (1 - level) / 2
    known = np.sum(np.isfinite(errors), axis=1) >= _COUNT_LEAST
    lower, upper = (
        np.where(known, robust.quantile(errors, share) * stretch, np.nan) for share in (tail, 1 - tail)
    )
    return Ahead(levels[:, -1], np.minimum(lower, 0.0), np.maximum(upper, 0.0))

"""The past of rows as the forecasters see it: without gaps, with running means, and cut into trials."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.forecasting.seasons import Seasons
from airis_mon.analyzer.methods.robust import Floats

Integers = NDArray[np.int64]

_TRIED = 10
"""Seasons, or horizons where that is longer, from which forecasts are tried."""
_TRIED_SHARE = 3
"""At most this part of the past is kept for trials."""
_STARTS_MOST = 80
"""Starting points of trials."""
_LEVEL_LEAST = 12
_TAIL = 0.01
"""Share of the values on each side that may lie far off."""
_FAR = 3.0
"""How many times the range of the others they are left to lie beyond it."""
_SAMPLES_MOST = 1500
"""Columns that a regression learns from; of a longer past, every second, third ... one."""


@dataclass(frozen=True)
class Past:
    """Rows of one length that end together, and the starting points from which forecasts are tried."""

    values: Floats
    """(rows, columns), no gaps."""
    measured: Floats
    """(rows, columns): what outcomes are, NaN where nothing was measured. Where a column is the mean of some
    values, one of them: bands are to hold values, not means."""
    seasons: Seasons
    horizons: Integers
    """Columns ahead, ascending."""

    @property
    def columns(self) -> int:
        """Length of the past."""
        return int(self.values.shape[1])

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """(rows, columns): where something was measured."""
        return ~np.isnan(self.measured)

    @property
    def trial_columns(self) -> int:
        """How many of the last columns are starting points."""
        wanted = _TRIED * max(self.seasons.short, int(self.horizons[-1]))
        return max(1, min(self.columns // _TRIED_SHARE, wanted))

    @property
    def stride(self) -> int:
        """Columns from sample to sample."""
        return -(-self.columns // _SAMPLES_MOST)

    @cached_property
    def starts(self) -> Integers:
        """The columns from which forecasts are tried, the newest column last; all are samples."""
        stride = -(-self.trial_columns // (_STARTS_MOST * self.stride)) * self.stride
        return np.arange(self.columns - 1, max(self.columns - 2 - self.trial_columns, -1), -stride)[::-1]

    @cached_property
    def span(self) -> int:
        """Columns over which the level is taken: a season, where there is one."""
        return self.seasons.short or max(_LEVEL_LEAST, min(4 * int(self.horizons[-1]), self.columns // 8))

    @cached_property
    def level(self) -> Floats:
        """(rows, columns): the mean of the last `span` columns."""
        return self.running(self.span)

    def running(self, width: int) -> Floats:
        """Return the mean of the last `width` columns at each column, of fewer at the front."""
        at = np.arange(self.columns)
        first = np.maximum(at + 1 - width, 0)
        return np.asarray((self._sums[:, at + 1] - self._sums[:, first]) / (at + 1 - first))

    @cached_property
    def _sums(self) -> Floats:
        # Around the row's own mean, so that large levels do not eat the digits.
        middle = self.values.mean(axis=1, keepdims=True)
        total = np.cumsum(self.values - middle, axis=1) + middle * np.arange(1, self.columns + 1)
        return np.concatenate([np.zeros((len(self.values), 1)), total], axis=1)

    @cached_property
    def outcomes(self) -> Floats:
        """(rows, starts - 1, horizons): what came; NaN where it is not known."""
        at = self.starts[:-1, None] + self.horizons
        inside = np.minimum(at, self.columns - 1)
        return np.where(at < self.columns, self.measured[:, inside], np.nan)


@dataclass(frozen=True)
class Trials:
    """Starting points from which forecasts were tried, the newest last, and what came of all but that one."""

    starts: Integers
    """Columns."""
    horizons: Integers
    outcomes: Floats
    """(rows, starts - 1, horizons); NaN where it is not known."""
    columns: int
    """How many columns they are spread over."""
    season: int
    """Columns of a season, 0 where there is none."""
    walk: Floats
    """(rows, 1): the mean step from column to column."""

    @classmethod
    def of(cls, past: Past) -> Trials:
        """Return all trials of a past."""
        walk = np.abs(np.diff(past.values, axis=1)).mean(axis=1, keepdims=True)
        return cls(past.starts, past.horizons, past.outcomes, past.trial_columns, past.seasons.short, walk)

    def until(self, place: int) -> Trials:
        """Return what was known at the start of that place: it is the newest one."""
        here = self.starts[place]
        known = self.starts[:place, None] + self.horizons <= here
        columns = max(1, self.columns - int(self.starts[-1] - here))
        outcomes = np.where(known, self.outcomes[:, :place], np.nan)
        return replace(self, starts=self.starts[: place + 1], outcomes=outcomes, columns=columns)


def filled(values: Floats) -> Floats:
    """Return rows whose gaps are bridged by straight lines; 0 where a row has no value at all."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    result = values.copy()
    at = np.arange(values.shape[1])
    for row in np.flatnonzero(missing.any(axis=1)):
        there = ~missing[row]
        result[row] = np.interp(at, at[there], values[row, there]) if there.any() else 0.0
    return result


def finite(values: Floats) -> Floats:
    """Return rows in which what is infinite is a gap."""
    return np.where(np.isfinite(values), values, np.nan)


def tamed(values: Floats, measured: Floats) -> tuple[Floats, Floats]:
    """Return both with the few values that lie far beyond the range of all others moved nearer to it.

    The newest value may be one of them, and all that comes would follow it. `values` has no gaps.
    """
    low, high = np.quantile(values, [_TAIL, 1 - _TAIL], axis=1, keepdims=True)
    room = np.where(high > low, _FAR * (high - low), np.inf)
    return np.clip(values, low - room, high + room), np.clip(measured, low - room, high + room)

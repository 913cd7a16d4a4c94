"""A linear regression for each horizon: recent values and the same time of past days and weeks.

All columns are told as departures from the level of the last season. The regression is drawn towards the
mean of the past seasons, so that with little past it is a seasonal naive forecast, and it is learnt anew some
times along the trials, from what was known before each: no trial knows its own outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.forecasting.past import Past
from airis_mon.analyzer.methods.robust import Floats

_RIDGE = 30.0
"""Observations that the prior is worth, where a feature varies as much as the series does in a season."""
_REFITS = 4
_DAYS_MOST = 7
_NEAR = 3
"""Columns of the shortest mean; each next one is four times as long, up to a season."""
_NEAR_MOST = 4
_SAMPLES_LEAST = 24
_TINY = 1e-12


@dataclass(frozen=True)
class Shape:
    """How many past seasons a regression looks at."""

    days: int
    weeks: int

    def reach(self, past: Past) -> int:
        """Return how many columns before its start the regression looks at."""
        return max((self.days + 1) * past.span, self.weeks * past.seasons.long + past.span, 2 * past.span)


def shapes(past: Past) -> tuple[Shape, ...]:
    """Return the regressions that the past is long enough for."""
    first = int(past.starts[0])
    short, long = past.seasons.short, past.seasons.long
    found: list[Shape] = []
    if short:
        days = min(_DAYS_MOST, first // (2 * short) - 1)
        found += [Shape(days, 0)] if days >= 1 else []
        weeks = next((n for n in (2, 1) if long and first >= 1.25 * (n * long + short)), 0)
        found += [Shape(2, weeks)] if weeks else []
    found = found or [Shape(0, 0)]
    return tuple(one for one in found if first >= one.reach(past) + _SAMPLES_LEAST)


def regression(past: Past, shape: Shape) -> Floats:
    """Return (rows, starts, horizons), each start judged by what was known then."""
    samples = _Samples(past, shape)
    return np.stack([samples.forecast(horizon) for horizon in past.horizons.tolist()], axis=2)


class _Samples:
    """What is the same for all horizons: the samples, their local features, and when to learn anew."""

    def __init__(self, past: Past, shape: Shape) -> None:
        self._past, self._shape = past, shape
        first = shape.reach(past)
        self._first = past.columns - 1 - (past.columns - 1 - first) // past.stride * past.stride
        self._at = np.arange(self._first, past.columns, past.stride)
        begin = past.columns - past.trial_columns
        learnt = np.unique(np.linspace(begin, past.columns, _REFITS + 1).astype(int))
        self._learnt = learnt.tolist()
        self._asked = np.searchsorted(self._at, past.starts)
        scale = np.abs(past.values[:, past.span :] - past.values[:, : -past.span]).mean(axis=1)
        # A course that repeats to the digit differs by nothing from its last season.
        spread = np.abs(past.values - past.level).mean(axis=1)
        largest = np.abs(past.values).max(axis=1)
        self._scale = np.maximum.reduce([scale, 0.01 * spread, 1e-9 * largest, np.full_like(scale, _TINY)])
        self._scale = self._scale[:, None]
        self._level = self._of(past.level)
        self._local = self._near()

    def _of(self, values: Floats, shift: int = 0) -> Floats:
        """Return what stands `shift` columns after each sample."""
        return values[:, self._first + shift : self._past.columns + min(shift, 0) : self._past.stride]

    def _near(self) -> list[Floats]:
        """Return the features that do not look at the horizon, (rows, samples) each."""
        past = self._past
        season, long = past.span, past.seasons.long
        widths = [width for n in range(_NEAR_MOST) if (width := _NEAR * 4**n) < season]
        means = [past.values, *(past.running(width) for width in widths)]
        found = [self._of(one) - self._level for one in means]
        found += [self._of(one) - self._of(one, -season) for one in means]
        found.append(self._level - self._of(past.level, -season))
        if self._shape.weeks:
            then = self._of(past.level, -long)
            found.append(self._of(past.values) - self._of(past.values, -long) - self._level + then)
            found.append(then - self._level)
        return found

    def _seasonal(self, horizon: int) -> list[Floats]:
        """Return the same time of past days and weeks; the latter less the level of their own time."""
        past = self._past
        short, long = past.seasons.short, past.seasons.long
        found = []
        for n in range(self._shape.days):
            back = (-(-horizon // short) + n) * short
            found.append(self._of(past.values, horizon - back) - self._level)
        for n in range(self._shape.weeks):
            back = (-(-horizon // long) + n) * long
            found.append(self._of(past.values, horizon - back) - self._of(past.level, -(n + 1) * long))
        return found

    def forecast(self, horizon: int) -> Floats:
        """Return (rows, starts)."""
        past = self._past
        columns = [*self._seasonal(horizon), *self._local]
        matrix = np.empty((len(self._scale), len(self._at), len(columns) + 1))
        for n, column in enumerate(columns):
            np.divide(column, self._scale, out=matrix[:, :, n])
        matrix[:, :, -1] = 1.0
        prior = self._prior(len(columns) + 1)
        targets = self._at + horizon
        targets = targets[targets < past.columns]
        count = len(targets)
        features = matrix[:, :count]
        outcome = (past.values[:, targets] - self._level[:, :count]) / self._scale - features @ prior
        if not past.known.all():
            both = past.known[:, targets] & past.known[:, self._at[:count]]
            features = features * both[:, :, None]
        slopes = self._slopes(features, outcome, targets)
        result = np.empty((len(matrix), len(past.starts)))
        for number, slope in enumerate(slopes):
            begin = self._learnt[number] - 1
            end = self._learnt[number + 1] - 1 if number + 1 < len(slopes) else past.columns
            mine = np.flatnonzero((past.starts < end) & ((past.starts >= begin) | (number == 0)))
            asked = self._asked[mine]
            off = (matrix[:, asked] @ (slope + prior)[:, :, None])[:, :, 0]
            result[:, mine] = off * self._scale + self._level[:, asked]
        return result

    def _slopes(self, features: Floats, outcome: Floats, targets: np.ndarray) -> list[Floats]:
        """Return, for each time of learning, the weights less their prior, from outcomes before it."""
        rows, _, size = features.shape
        square = np.zeros((rows, size, size)) + _RIDGE * np.eye(size)
        product = np.zeros((rows, size, 1))
        found = []
        begin = 0
        for until in self._learnt:
            end = int(np.searchsorted(targets, until))
            part = features[:, begin:end].transpose(0, 2, 1)
            square += part @ features[:, begin:end]
            product += part @ outcome[:, begin:end, None]
            begin = max(begin, end)
            found.append(np.asarray(np.linalg.solve(square, product)[:, :, 0], dtype=np.float64))
        return found

    def _prior(self, size: int) -> Floats:
        """Return where the weights are drawn to: the mean of the past seasons."""
        days, weeks = self._shape.days, self._shape.weeks
        prior = np.zeros(size)
        share = 0.5 if weeks else 1.0
        prior[:days] = share / max(days, 1)
        prior[days : days + weeks] = share / max(weeks, 1)
        return prior

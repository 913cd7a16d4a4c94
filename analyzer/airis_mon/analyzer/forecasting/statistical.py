"""statsmodels' forecasters: exponential smoothing, ARIMA, STL and Theta, as candidates beside our own.

Each is fitted at a few origins along the trials, on what was known there, and carried forward from one origin
to the next with its parameters as they are: every trial is forecast from what was known at its start. What
cannot be fitted says nothing, and harms no other series.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.holtwinters import ExponentialSmoothing
from statsmodels.tsa.seasonal import STL, seasonal_decompose
from statsmodels.tsa.statespace.sarimax import SARIMAX
from threadpoolctl import threadpool_limits

from airis_mon.analyzer.forecasting.candidates import COLUMNS_MOST, CYCLES_LEAST, Fate
from airis_mon.analyzer.forecasting.past import Integers, Past
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.spec import Candidate

_LEAST = 16
"""Columns below which nothing is fitted."""
_ORDER = (1, 1, 1)
"""Of ARIMA: autoregression, differences, moving average."""
_ITERATIONS = 50
_TINY = 1e-12


class Fitted(Protocol):
    """A forecaster with its parameters: what it says at each start, from the values up to that start."""

    def __call__(self, values: Floats, starts: Integers, horizons: Integers) -> Floats:
        """Return (starts, horizons)."""


class SilentError(Exception):
    """A candidate that has nothing to say of a past, and why."""

    def __init__(self, fate: Fate) -> None:
        super().__init__(fate.name)
        self.fate = fate


def tried(past: Past, values: Floats, name: Candidate, count: int) -> tuple[Floats, list[Fate]]:
    """Return what one candidate said, (rows, starts, horizons), NaN for nothing, and what became of each row.

    `values` are those of the past, on the scale that they are looked at; each series is fitted `count` times.
    """
    origins = np.unique(np.linspace(past.starts[0], past.starts[-1], count).astype(np.int64))
    found = np.full((len(values), len(past.starts), len(past.horizons)), np.nan)
    fates = [Fate.TRIED] * len(values)
    # Matrices are small: more threads take twenty times the CPU, and round by how many there are.
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings(), np.errstate(all="ignore"):
        # A fit that ends with a warning is no worse than its trials say.
        warnings.simplefilter("ignore")
        for row, one in enumerate(values):
            try:
                found[row] = _said(past, one, name, origins)
            except SilentError as silent:
                fates[row] = silent.fate
            except Exception:
                # Whatever an optimiser trips over, the other forecasters go on without it.
                fates[row] = Fate.FAILED
    return found, fates


def _said(past: Past, values: Floats, name: Candidate, origins: Integers) -> Floats:
    parts = []
    for n, origin in enumerate(origins.tolist()):
        end = int(origins[n + 1]) if n + 1 < len(origins) else past.columns
        starts = past.starts[(past.starts >= origin) & (past.starts < end)]
        if not len(starts):
            continue
        first = max(0, origin + 1 - COLUMNS_MOST)
        learnt = values[first : origin + 1]
        if len(learnt) < _LEAST:
            raise SilentError(Fate.SHORT)
        # All of them follow when a series is moved and stretched; their optimisers do not.
        middle, scale = float(learnt.mean()), float(learnt.std())
        if scale <= _TINY * abs(middle):
            raise SilentError(Fate.CONSTANT)
        season = past.seasons.short
        fitted = _FITS[name]((learnt - middle) / scale, season if CYCLES_LEAST * season <= len(learnt) else 0)
        seen = (values[first : int(starts[-1]) + 1] - middle) / scale
        parts.append(fitted(seen, starts - first, past.horizons) * scale + middle)
    found = np.concatenate(parts)
    if not np.isfinite(found).all():
        raise SilentError(Fate.FAILED)
    return np.asarray(found)


@dataclass(frozen=True)
class _Smoothed:
    """Additive exponential smoothing: a level, a slope that may fade, a season that may be absent."""

    alpha: float
    beta: float
    gamma: float
    phi: float
    level: float
    slope: float
    season: tuple[float, ...] = ()

    def __call__(self, values: Floats, starts: Integers, horizons: Integers) -> Floats:
        """Return (starts, horizons)."""
        period = len(self.season)
        levels, slopes, seasons = [], [], list(self.season)
        level, slope = self.level, self.slope
        for n, value in enumerate(values.tolist()):
            before = level + self.phi * slope
            usual = seasons[n] if period else 0.0
            after = self.alpha * (value - usual) + (1 - self.alpha) * before
            slope = self.beta * (after - level) + (1 - self.beta) * self.phi * slope
            if period:
                seasons.append(self.gamma * (value - before) + (1 - self.gamma) * usual)
            level = after
            levels.append(level)
            slopes.append(slope)
        reach = np.cumsum(self.phi ** np.arange(1, int(horizons[-1]) + 1))[horizons - 1]
        found = np.array(levels)[starts, None] + np.array(slopes)[starts, None] * reach
        if period:
            # The newest figure of the same time of season stands so many periods before.
            at = starts[:, None] + horizons - period * (-(-horizons // period)) + period
            found += np.array(seasons)[at]
        return np.asarray(found)


def _smoothing(learnt: Floats, season: int, *, damped: bool) -> Fitted:
    model = ExponentialSmoothing(
        learnt,
        trend="add",
        damped_trend=damped,
        seasonal="add" if season else None,
        seasonal_periods=season or None,
        # To estimate a season's figures as well takes seconds and is no better.
        initialization_method="heuristic",
    )
    found = model.fit(minimize_kwargs={"options": {"maxiter": _ITERATIONS}}).params
    return _Smoothed(
        alpha=float(found["smoothing_level"]),
        beta=float(found["smoothing_trend"]),
        gamma=float(found["smoothing_seasonal"]) if season else 0.0,
        phi=float(found["damping_trend"]) if damped else 1.0,
        level=float(found["initial_level"]),
        slope=float(found["initial_trend"]),
        season=tuple(found["initial_seasons"].tolist()) if season else (),
    )


def _ets(learnt: Floats, season: int) -> Fitted:
    return _smoothing(learnt, season, damped=False)


def _ets_damped(learnt: Floats, season: int) -> Fitted:
    return _smoothing(learnt, season, damped=True)


def _arima(learnt: Floats, _season: int) -> Fitted:
    model = SARIMAX(learnt, order=_ORDER)
    parameters = model.fit(disp=0, maxiter=_ITERATIONS, cov_type="none").params

    def said(values: Floats, starts: Integers, horizons: Integers) -> Floats:
        filtered = model.clone(values).filter(parameters, cov_type="none")
        kalman = filtered.filter_results
        state = kalman.predicted_state[:, starts + 1]
        design, transition = kalman.design[:, :, 0], kalman.transition[:, :, 0]
        found = np.empty((len(starts), len(horizons)))
        ahead = 1
        for n, horizon in enumerate(horizons.tolist()):
            state = np.linalg.matrix_power(transition, horizon - ahead) @ state
            ahead = horizon
            found[:, n] = (design @ state)[0]
        return found

    return said


def _seasonal(figure: Floats, learnt: Floats, fit: Callable[[Floats, int], Fitted]) -> Fitted:
    """Return what is fitted without a season's figure, that of the first columns, and has it put on again."""
    period = len(figure)
    within = fit(learnt - np.resize(figure, len(learnt)), 0)

    def said(values: Floats, starts: Integers, horizons: Integers) -> Floats:
        found = within(values - np.resize(figure, len(values)), starts, horizons)
        return np.asarray(found + figure[(starts[:, None] + horizons) % period])

    return said


def _stl(learnt: Floats, season: int) -> Fitted:
    if not season:
        raise SilentError(Fate.NO_SEASON)
    last = STL(learnt, period=season).fit().seasonal[-season:]
    return _seasonal(np.roll(last, len(learnt) % season), learnt, _arima)


def _theta(learnt: Floats, season: int) -> Fitted:
    if season:
        figure = seasonal_decompose(learnt, model="additive", period=season).seasonal[:season]
        return _seasonal(np.asarray(figure), learnt, _theta)
    found = ThetaModel(learnt, deseasonalize=False).fit().params
    drift, alpha = float(found["b0"]), float(found["alpha"])
    smoothed = _Smoothed(alpha=alpha, beta=0.0, gamma=0.0, phi=1.0, level=float(learnt[0]), slope=0.0)

    def said(values: Floats, starts: Integers, horizons: Integers) -> Floats:
        faded = (1 - (1 - alpha) ** (starts[:, None] + 1.0)) / max(alpha, _TINY)
        return smoothed(values, starts, horizons) + drift / 2 * (horizons - 1 + faded)

    return said


_FITS: Mapping[Candidate, Callable[[Floats, int], Fitted]] = {
    "ets": _ets,
    "ets_damped": _ets_damped,
    "arima": _arima,
    "stl": _stl,
    "theta": _theta,
}

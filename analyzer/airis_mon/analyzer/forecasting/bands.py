"""Bands from what trials were off by: conformal, for each horizon, each time of the season and each side."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from airis_mon.analyzer.forecasting.past import Trials
from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.robust import Floats

_PHASES = 24
"""Parts of a season that are told apart."""
_SMOOTHED = 12
"""Share of the horizons, one part of so many, over which errors are averaged to each side."""
_SIDED = 0.25
"""How much the two edges follow their own side; the rest is what both sides say together."""
_STRETCH_MOST = 1.5
_TINY = 1e-300


def edges(trials: Trials, tried: Floats, level: float, proportional: np.ndarray) -> tuple[Floats, Floats]:
    """Return the distances from the newest forecast to its band, the lower ones not above 0.

    `tried` is (rows, starts, horizons), the newest start last; the answers are (rows, horizons). Where a row
    is `proportional`, errors grow with the root of the value. Where no trial has an outcome, the row is taken
    for a random walk.
    """
    size = _size(tried, proportional)
    errors = (trials.outcomes - tried[:, :-1]) / size[:, :-1]
    by_horizon = _by_horizon(trials, errors, size[:, -1])
    unit = errors / np.maximum(by_horizon, _TINY)[:, None, :]
    by_phase, now = _by_phase(trials, unit)
    unit = robust.flattened(unit / by_phase)
    tail = (1 - level) / 2
    both = robust.quantile(np.abs(unit), level)
    below = _SIDED * robust.quantile(unit, tail) - (1 - _SIDED) * both
    above = _SIDED * robust.quantile(unit, 1 - tail) + (1 - _SIDED) * both
    usual = NormalDist().inv_cdf(1 - tail) / NormalDist().inv_cdf(0.75)
    below, above = (np.where(np.isnan(one), side, one) for one, side in ((below, -usual), (above, usual)))
    # Trials overlap: so many of them have really been apart, and the worst of few is not the worst to come.
    apart = trials.columns / int(trials.horizons[-1])
    stretch = min(1 + 1 / max(apart, 1.0), _STRETCH_MOST)
    width = by_horizon * now * size[:, -1] * stretch
    return np.minimum(below, 0.0)[:, None] * width, np.maximum(above, 0.0)[:, None] * width


def _size(tried: Floats, proportional: np.ndarray) -> Floats:
    large = np.abs(tried)
    floor = np.maximum(1e-3 * large.mean(axis=(1, 2), keepdims=True), _TINY)
    return np.where(proportional[:, None, None], np.sqrt(np.maximum(large, floor)), 1.0)


def _by_horizon(trials: Trials, errors: Floats, size: Floats) -> Floats:
    """Return the mean size of each horizon's errors; beyond what was tried it grows as a random walk's."""
    mean = robust.mean(np.abs(errors), axis=1)
    reach = len(trials.horizons) // _SMOOTHED
    smooth = np.stack(
        [
            robust.mean(mean[:, max(n - reach, 0) : n + reach + 1], axis=1)
            for n in range(len(trials.horizons))
        ],
        axis=1,
    )
    known = ~np.isnan(mean)
    last = np.maximum.accumulate(np.where(known, np.arange(len(trials.horizons)), 0), axis=1)
    grown = np.sqrt(trials.horizons / trials.horizons[last])
    found = np.take_along_axis(smooth, last, axis=1) * grown
    walk = trials.walk * np.sqrt(trials.horizons)
    return np.where(np.isnan(found), walk / size, found)


def _by_phase(trials: Trials, unit: Floats) -> tuple[Floats, Floats]:
    """Return how much larger errors are at the season's time of each outcome, and of each moment to come."""
    season = trials.season
    rows = len(unit)
    if not season:
        return np.ones((rows, 1, 1)), np.ones((rows, 1))
    parts = min(_PHASES, season)
    at = (trials.starts[:, None] + trials.horizons) % season * parts // season
    count = np.zeros((rows, parts))
    total = np.zeros((rows, parts))
    size = np.abs(unit)
    for part in range(parts):
        mine = np.where(at[:-1] == part, size, np.nan)
        seen = ~np.isnan(mine)
        count[:, part] = seen.sum(axis=(1, 2))
        total[:, part] = np.where(seen, mine, 0.0).sum(axis=(1, 2))
    weights = ((-1, 0.5), (0, 1.0), (1, 0.5))
    count, total = (
        np.stack([w * np.roll(one, n, axis=1) for n, w in weights]).sum(axis=0) for one in (count, total)
    )
    usual = total.sum(axis=1, keepdims=True) / np.maximum(count.sum(axis=1, keepdims=True), 1)
    # Half of the way between every time alike and each time for itself.
    ratio = (total / np.maximum(count, 1) + usual) / np.maximum(2 * usual, _TINY)
    factor = np.where((count > 0) & (usual > 0), np.maximum(ratio, 0.05), 1.0)
    return factor[:, at[:-1]], factor[:, at[-1]]

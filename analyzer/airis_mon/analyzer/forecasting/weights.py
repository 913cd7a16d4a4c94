"""The mean of several forecasters, each weighing more the less it was off.

Roots of errors are compared: the middle of them counts, not the few large ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.forecasting.past import Trials
from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.robust import Floats

_POWER = 8
"""How much better a forecaster counts that was off by less."""
_TINY = 1e-12


def weighted(trials: Trials, tried: Sequence[Floats]) -> Floats:
    """Return the mean of what forecasters said, (rows, starts, horizons), by how they did in all trials."""
    off = [robust.mean(robust.flattened(np.sqrt(np.abs(one[:, :-1] - trials.outcomes)))) for one in tried]
    return _mean(tried, [one[:, None] for one in off])


def weighted_then(trials: Trials, tried: Sequence[Floats], places: NDArray[np.intp]) -> Floats:
    """Return (rows, places, horizons): the mean at some starts, by what was known at each of them."""
    starts = trials.starts
    before = np.searchsorted(starts, starts[places, None] - trials.horizons, side="right")
    horizon = np.arange(len(trials.horizons))
    known = ~np.isnan(trials.outcomes)
    count = _before(known, before, horizon)
    off = []
    for one in tried:
        root = np.where(known, np.sqrt(np.abs(one[:, :-1] - trials.outcomes)), 0.0)
        off.append(np.where(count > 0, _before(root, before, horizon) / np.maximum(count, 1), np.nan))
    return _mean([one[:, places] for one in tried], off)


def _before(values: np.ndarray, before: NDArray[np.intp], horizon: NDArray[np.intp]) -> Floats:
    """Return (rows, places): the sum of (rows, starts, horizons) over the starts before, for each horizon."""
    total = np.zeros((len(values), values.shape[1] + 1, values.shape[2]))
    np.cumsum(values, axis=1, out=total[:, 1:])
    # In C's order a row is added up alike whichever rows are beside it.
    return np.asarray(np.ascontiguousarray(total[:, before, horizon]).sum(axis=2))


def _mean(tried: Sequence[Floats], off: Sequence[Floats]) -> Floats:
    """Return the mean of (rows, starts, horizons) by errors of (rows, 1 or starts).

    Who says nothing of a row, NaN at every start, has no part in it.
    """
    silent = np.stack([np.isnan(one[:, -1:, -1]) for one in tried])
    errors = np.stack(off)
    errors = np.where(np.isnan(errors), 1.0, errors)
    errors = np.where(silent, np.inf, errors)
    weight = ((errors + _TINY) / (errors.min(axis=0) + _TINY)) ** -_POWER
    weight /= weight.sum(axis=0)
    total = np.zeros_like(tried[0])
    for share, one, nothing in zip(weight, tried, silent, strict=True):
        heard = np.where(nothing[:, :, None], 0.0, one) if nothing.any() else one
        total += share[:, :, None] * heard
    return total

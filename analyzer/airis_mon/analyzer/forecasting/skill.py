"""How good a forecast has been lately, told by its own trials as they would have been made.

At each of the last starting points the forecasters are weighed by what was known of them there, and the band
is read from what the weighted forecast had been off by until then. What came is held against both. It follows
from the past alone, so that nothing has to be remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.forecasting.bands import edges
from airis_mon.analyzer.forecasting.past import Trials
from airis_mon.analyzer.forecasting.weights import weighted_then
from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.robust import Floats

_JUDGED = 24
"""Starting points that are judged, spread over the last ones."""
_SHARE = 2 / 3
"""Part of the starting points that may be judged: those before have to teach something."""
_APART = 3.0
"""Outcomes that are no part of each other, below which there is no verdict."""
_SURE = 1.645
"""Standard errors by which a forecast has to be worse than the naive one: one in twenty is, by chance."""
_NEAR = 0.01
"""Part of the step from value to value that no error matters within."""
_TINY = 1e-12


@dataclass(frozen=True)
class Skill:
    """How good the forecasts of each row were, (rows,) each."""

    mase: Floats
    """Mean absolute error as a multiple of the seasonal naive's; NaN where nothing has come yet."""
    demoted: NDArray[np.bool_]
    """Whether it was worse than the seasonal naive, and surely so."""
    outcomes: int
    """Starting points of which something has come."""


def judged(trials: Trials, tried: Sequence[Floats], plain: Floats) -> Skill:
    """Return how good the mean of what was `tried` has been, beside the `plain` seasonal naive."""
    places = judges(trials)
    if not len(places):
        rows = len(plain)
        return Skill(np.full(rows, np.nan), np.zeros(rows, dtype=np.bool_), 0)
    then = weighted_then(trials, tried, places)
    came = trials.outcomes[:, places]
    ours, naive = (robust.mean(np.abs(one - came), axis=2) for one in (then, plain[:, places]))
    least = _NEAR * trials.walk[:, 0] + _TINY
    mase = (robust.mean(ours) + least) / (robust.mean(naive) + least)
    worse = ours - naive
    apart = min(len(places), 1 + (trials.starts[places[-1]] - trials.starts[places[0]]) / trials.horizons[0])
    with np.errstate(over="ignore"):  # a square beyond all floats is infinite: nothing is surely worse then
        spread = np.sqrt(robust.mean((worse - robust.mean(worse)[:, None]) ** 2) / apart)
    surely = (robust.mean(worse) > _SURE * spread) & (mase > 1) & (apart >= _APART)
    return Skill(mase, surely, len(places))


def judges(trials: Trials) -> NDArray[np.intp]:
    """Return the places of the starting points that are judged, in order."""
    count = len(trials.starts) - 1
    first = count - int(_SHARE * count)
    last = int(np.searchsorted(trials.starts, trials.starts[-1] - trials.horizons[0], side="right"))
    if last <= first:
        return np.zeros(0, dtype=np.intp)
    return np.unique(np.linspace(first, last - 1, _JUDGED).astype(np.intp))


def coverage(
    trials: Trials, tried: Sequence[Floats], level: float, proportional: NDArray[np.bool_]
) -> Floats:
    """Return (rows,): the share of outcomes within the bands as they would have been drawn."""
    then = weighted_then(trials, tried, np.arange(len(trials.starts)))
    inside, known = np.zeros((2, len(then)))
    for place in judges(trials)[::-2].tolist():
        earlier = then[:, : place + 1]
        below, above = edges(trials.until(place), earlier, level, proportional)
        off = trials.outcomes[:, place] - earlier[:, -1]
        inside += ((below <= off) & (off <= above)).sum(axis=1)
        known += (~np.isnan(off)).sum(axis=1)
    return np.where(known > 0, inside / np.maximum(known, 1), np.nan)

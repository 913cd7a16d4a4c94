"""The busy hour of the days to come: growth, and what `forecasting` says of the load without it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from airis_mon.analyzer.capacity.growth import Growth, growth
from airis_mon.analyzer.forecasting.outlook import outlook
from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.methods.robust import Floats

_SMALLEST = 1e-6
"""Part of the largest value that a day is taken to have at least: nothing at all has no logarithm."""


_WANDERS = 1.25
"""How much wider the band is made: levels wander for good, which the few weeks that are known seldom show.
Chosen by every second hourly series of M4, two weeks ahead (`benchmarks/planning.py` measures the others)."""


@dataclass(frozen=True)
class Demand:
    """Busy hours to come, (days,) each."""

    expected: Floats
    upper: Floats
    growth: Growth


def demand(busy: Floats, days: int, level: float) -> Demand:
    """Forecast daily values, NaN for gaps, for so many `days`; one in `level` stays below the upper edge."""
    least = _SMALLEST * float(np.nanmax(busy, initial=0.0))
    logarithms = np.log(np.where(busy > 0, np.maximum(busy, max(least, 1e-300)), np.nan))
    found = growth(logarithms)
    back = np.arange(len(busy)) - (len(busy) - 1)
    ahead = np.arange(1, days + 1)
    # As if the whole past had been as large as it is now.
    level_now = busy * np.exp(-found.per_day * back)
    flat = outlook(level_now[None], DAY, days, 2 * level - 1)
    middle = np.maximum(flat.mean[0], max(least, 1e-300))
    above = np.log(np.maximum(flat.upper[0] / middle, 1.0))
    wrong = NormalDist().inv_cdf(level) * found.error * ahead
    expected = middle * np.exp(found.per_day * ahead)
    return Demand(expected, expected * np.exp(_WANDERS * np.sqrt(above**2 + wrong**2)), found)

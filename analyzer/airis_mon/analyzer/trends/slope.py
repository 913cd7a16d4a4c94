"""Where a series is going: the median of the slopes between its points (Theil-Sen), and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.trends.course import Course, long_run

_POINTS_MAX = 300
"""Points between which slopes are taken: 45,000 pairs."""
_FEWEST = 8


@dataclass(frozen=True)
class Slope:
    """A steady rise or fall."""

    per_second: float
    """In the series' unit."""
    lower: float
    upper: float
    """Per second, at the level that was asked for."""

    @property
    def certain(self) -> bool:
        """Whether it is known to rise, or to fall."""
        return self.lower > 0 or self.upper < 0


def slope(whole: Course, level: float = 0.95) -> Slope | None:
    """Return the slope of a course; None where too few points are there to say anything.

    The interval is Sen's, of the variance of Mann and Kendall's S times how alike neighbours are.
    """
    count = len(whole.values)
    if count < _FEWEST:
        return None
    times, values = _means(whole.times), _means(whole.values)
    slopes = np.sort(_slopes(times, values))
    middle = float(robust.median(slopes))
    alike = _alike(whole.values - middle * (whole.times - whole.times[0]))
    points = len(values)
    deviation = math.sqrt(points * (points - 1) * (2 * points + 5) / 18 * alike)
    # How alike they are is an estimate itself, of as many points as are left by it.
    reach = NormalDist().inv_cdf((1 + level) / 2) * deviation * math.sqrt(1 + 4 * alike / points)
    low = math.floor((len(slopes) - reach) / 2)
    high = math.ceil((len(slopes) + reach) / 2)
    return Slope(
        middle,
        float(slopes[low]) if low >= 0 else -math.inf,
        float(slopes[high]) if high < len(slopes) else math.inf,
    )


def line(values: Floats) -> Floats:
    """Return the straight line through points at equal distances."""
    at = np.arange(len(values), dtype=np.float64)
    slopes = _slopes(_means(at), _means(values))
    rise = float(robust.median(slopes)) if len(slopes) else 0.0
    return np.asarray(rise * at + robust.median(values - rise * at), dtype=np.float64)


def _means(values: Floats) -> Floats:
    """Return means of neighbours, so many that no more points are left than are compared."""
    size = -(-len(values) // _POINTS_MAX)
    count = len(values) // size
    return np.asarray(values[-count * size :].reshape(count, size).mean(axis=1))


def _slopes(times: Floats, values: Floats) -> Floats:
    one, other = np.triu_indices(len(values), 1)
    return np.asarray((values[other] - values[one]) / (times[other] - times[one]))


def _alike(residuals: Floats) -> float:
    """Return how many times the variance of sums is what independent points would give them."""
    size = -(-len(residuals) // _POINTS_MAX)
    single = float(np.mean(np.abs(_means(residuals) - np.median(residuals)) ** 2)) * size
    if single == 0.0:
        return 1.0
    return max(1.0, long_run(residuals) ** 2 / single)

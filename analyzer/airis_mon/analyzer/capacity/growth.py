"""How fast a load grows: the seasonal slope of Hirsch and Slack, of its logarithm.

The same day of different weeks is compared, so that weekends say nothing, and the median is taken, so that a
few odd days say little. What is no clearer than its own error is drawn towards no growth at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.robust import Floats

WEEK = 7
_LASTING_MOST = 0.8
"""Autocorrelation from day to day beyond which a few weeks cannot tell it from growth."""
_LASTING_PRIOR = 0.3
"""Autocorrelation that is taken for likely beforehand, as much as that of `_PRIOR_DAYS` days."""
_PRIOR_DAYS = 14
_MEDIAN = math.sqrt(math.pi / 2)
"""Error of a median over that of a mean, of normal values."""
_NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


@dataclass(frozen=True)
class Growth:
    """Change of the logarithm of a load per day."""

    per_day: float
    """Nearest to 0 where the past does not say it clearly."""
    error: float
    """Standard error."""

    @property
    def per_week(self) -> float:
        """Part by which the load grows from week to week: 0.05 is 5 %."""
        return math.expm1(WEEK * self.per_day)


def growth(logarithms: Floats) -> Growth:
    """Return the growth of daily values, NaN for days that are not known; of two weeks at least."""
    days = np.arange(len(logarithms))
    slopes = [(logarithms[lag:] - logarithms[:-lag]) / lag for lag in range(WEEK, len(logarithms), WEEK)]
    slope = float(robust.median(np.concatenate(slopes)))
    if math.isnan(slope):
        return Growth(0.0, math.inf)
    rest = logarithms - slope * days
    weekdays = np.array([robust.median(rest[n::WEEK]) for n in range(WEEK)])
    rest = rest - weekdays[days % WEEK]
    error = _error(rest)
    seen = (slope / error) ** 2 if error > 0 else math.inf
    return Growth(slope * max(0.0, 1 - 1 / seen) if seen else 0.0, error)


def _error(rest: Floats) -> float:
    """Return the standard error of a slope through values that hang together from day to day."""
    known = rest[~np.isnan(rest)]
    count = len(known)
    # Weekdays have taken their share of what was there to see, most of it where weeks are few.
    free = max(count - WEEK - 1, 1)
    spread = max(_NORMAL * float(np.median(np.abs(known))), float(np.std(known)))
    spread *= math.sqrt(count / free)
    pairs = rest[1:] * rest[:-1]
    lasting = float(np.nansum(pairs) / max(float(np.nansum(rest * rest)), 1e-300))
    lasting = (count * lasting + _PRIOR_DAYS * _LASTING_PRIOR) / (count + _PRIOR_DAYS)
    lasting = min(max(lasting, 0.0), _LASTING_MOST)
    return _MEDIAN * spread * math.sqrt(12 / count**3 * (1 + lasting) / (1 - lasting))

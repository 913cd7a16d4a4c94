"""Windows and burn rates: how fast an error budget may burn before somebody hears of it.

The Google SRE workbook's table, as Sloth publishes it: each pair of windows stands for a share of the budget,
and `factor = share x period / long window` is the burn rate at which that share is gone after the long
window. The short window (a twelfth of the long one) ends the alert soon after the errors end.

====== ===== ====== ===== ============ ============
tier   share long   short factor (30d) factor (28d)
====== ===== ====== ===== ============ ============
page   2 %   1h     5m    14.4         13.44
page   5 %   6h     30m   6            5.6
ticket 10 %  1d     2h    3            2.8
ticket 10 %  3d     6h    1            0.933
====== ===== ====== ===== ============ ============

Periods of 28 days and more keep the windows, and the factors follow from the period. Shorter periods keep the
factors of 30 days, and the windows shrink with the period: kept at 3 days, the last one would turn into a
factor far below 1, an alert on a promise that is being held.

The shortest window has to hold four readings: a period of 6d has a window of 1m and needs a scrape interval
of 15s or less, a period of 1d one of 2s. `impossible` refuses a shorter one; where the interval that a
document names is not the real one, `absence` says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from airis_mon.spec import Severity, format_duration

DAY = 86400.0
SCALED_BELOW = 28 * DAY
"""Periods shorter than this have shorter windows."""
SHORT_PER_LONG = 12


@dataclass(frozen=True)
class Tier:
    """One pair of windows: the alert is on while both burn faster than the factor."""

    severity: Severity
    long: float
    """Seconds."""
    short: float
    """Seconds; a twelfth of the long window."""
    factor: float
    """Times the burn rate at which the budget lasts for exactly one period."""

    def threshold(self, budget: float) -> float:
        """Return the error ratio above which both windows have to be."""
        return self.factor * budget


_WORKBOOK: tuple[tuple[Severity, int, int], ...] = (
    ("page", 2, 3600),
    ("page", 5, 6 * 3600),
    ("ticket", 10, 24 * 3600),
    ("ticket", 10, 72 * 3600),
)
"""Severity, percent of the budget, seconds of the long window in a period of 30 days."""


def tiers(period: float) -> tuple[Tier, ...]:
    """Return the four tiers of a period given in seconds, fastest first."""
    return tuple(_tier(severity, percent, long, period) for severity, percent, long in _WORKBOOK)


def _tier(severity: Severity, percent: int, long: int, period: float) -> Tier:
    reference = Decimal(30) * 86400
    span = Decimal(repr(period))
    if period < SCALED_BELOW:
        scaled = round(long * span / reference)
        return Tier(severity, scaled, round(scaled / SHORT_PER_LONG), float(percent * reference / long / 100))
    return Tier(severity, long, long // SHORT_PER_LONG, float(round(percent * span / long / 100, 9)))


def recorded(period: float) -> tuple[float, ...]:
    """Return every window of the four tiers in seconds, shortest first."""
    found = tiers(period)
    return tuple(sorted({tier.short for tier in found} | {tier.long for tier in found}))


def budget(target: float) -> float:
    """Return the share of operations that may fail: 0.999 -> 0.001, without the noise of binary fractions."""
    return float(1 - Decimal(repr(target)))


def live_tiers(target: float, period: float) -> tuple[Tier, ...]:
    """Return the tiers that can fire.

    An error ratio never exceeds 1, so a tier whose threshold is 1 or more would be an alert that can never
    fire: it is left out. A target that leaves no page at all is refused by `impossible`.
    """
    return tuple(tier for tier in tiers(period) if tier.threshold(budget(target)) < 1)


def name(window: float) -> str:
    """Return a window as it stands in names and ranges: 7200 -> `2h`."""
    return format_duration(window)

"""Calendar periods, in UTC: which one a moment lies in, told by a number that only ever grows.

A rolling window forgets an incident exactly one window later. A calendar period forgets all of them at its
end, which is what contracts and reports are about. PromQL has no range "since the first of the month": what
is counted is recorded with the number of its period as a label, and summed over as long as such a period can
last, for the current number alone.

Prometheus knows no time zones: days begin at 00:00 UTC, whatever the clocks on the walls do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from airis_mon.rules import series
from airis_mon.rules.windows import DAY
from airis_mon.spec import Calendar

FIRST_MONDAY = 4 * DAY
"""Seconds from 1970 to the first week that began in it."""


@dataclass(frozen=True)
class Period:
    """A kind of calendar period."""

    longest: float
    """Seconds that one of them has at most."""
    number: str
    """PromQL for the number of the period in which an evaluation lies."""

    @property
    def current(self) -> str:
        """PromQL for a 1 with that number as its label."""
        return f'count_values("{series.PERIOD}", {self.number})'


PERIODS: Mapping[Calendar, Period] = MappingProxyType(
    {
        "week": Period(7 * DAY, f"floor((vector(time()) - {FIRST_MONDAY:.0f}) / {7 * DAY:.0f})"),
        "month": Period(31 * DAY, "year() * 12 + month()"),
        "quarter": Period(92 * DAY, "year() * 4 + ceil(month() / 3)"),
    }
)

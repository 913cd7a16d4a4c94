"""Times that come again: working hours, weekends, the night of the backup."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from airis_mon.spec.problems import NOWHERE, Origin

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip

Span = tuple[int, int]
"""First and last."""


@dataclass(frozen=True)
class Recurrence:
    """Some minutes of some days. What is empty holds always; all that is given has to hold."""

    times: tuple[Span, ...] = ()
    """Minutes since midnight, 0 to 1440, the last not included."""
    weekdays: tuple[int, ...] = ()
    """0 is Monday, as in WEEKDAYS."""
    days_of_month: tuple[Span, ...] = ()
    """Negative ones count from the month's end: -1 is its last day."""
    months: tuple[int, ...] = ()
    """1 is January."""

    def on(self, day: date) -> bool:
        """Say whether it is about a day at all."""
        if self.weekdays and day.weekday() not in self.weekdays:
            return False
        if self.months and day.month not in self.months:
            return False
        return not self.days_of_month or any(_in_month(day, *span) for span in self.days_of_month)

    def holds(self, moment: float) -> bool:
        """Say whether a time (Unix seconds) lies in it, in UTC."""
        local = datetime.fromtimestamp(moment, UTC)
        minute = local.hour * 60 + local.minute
        return self.on(local) and (
            not self.times or any(first <= minute < last for first, last in self.times)
        )


def _in_month(day: date, first: int, last: int) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    first, last = (length + 1 + one if one < 0 else one for one in (first, last))
    return first <= length and first <= day.day <= last


@dataclass(frozen=True)
class TimeInterval:
    """A named set of times, as steps of a ladder refer to it."""

    name: str
    intervals: tuple[Recurrence, ...]
    """It is these times whenever one of them holds."""
    location: str = "UTC"
    """Name in the time zone database, whose summer time is followed."""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

"""Times that come again: working hours, weekends, the night of the backup."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from airis_mon.spec.problems import NOWHERE, Origin

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip

_DAY = 24 * 60
_CYCLE = 28 * 366
"""Days after which every date has been every day of the week."""

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

    def holds(self, moment: float, where: tzinfo = UTC) -> bool:
        """Say whether a time (Unix seconds) lies in it, by the clocks of a time zone."""
        local = datetime.fromtimestamp(moment, where)
        minute = local.hour * 60 + local.minute
        return self.on(local) and (
            not self.times or any(first <= minute < last for first, last in self.times)
        )

    def bounds(self, begin: date) -> Iterator[datetime]:
        """Yield times without a zone, from a day on, that tell it apart from others.

        Those are the last minute before and the first minute of each bound of a day, and one of each weekday,
        month and date beside a bound on which all the rest holds.
        """
        times = self.times or ((0, _DAY),)
        days = self._days(begin)
        first = next(days, None)
        if first is None:
            return
        for bounds in times:
            for minute in (bounds[0] - 1, bounds[0], bounds[1] - 1, bounds[1]):
                yield first + timedelta(minutes=minute)
        if not self.times:  # noon, when others that have times may hold as well
            yield first + timedelta(hours=12)
        # Once more on another day: a length of the day that is wrong may fit one by chance.
        yield next(days, first) + timedelta(minutes=times[0][0])
        for other in self._others():
            for month in (0, 2):  # February, where it matters from which end is counted
                day = next((day for day in other._days(begin) if month in (0, day.month)), None)
                if day is not None:
                    yield day + timedelta(minutes=times[0][0])

    def _days(self, begin: date) -> Iterator[datetime]:
        for ordinal in range(begin.toordinal(), begin.toordinal() + _CYCLE):
            day = datetime.fromordinal(ordinal)
            if self.on(day):
                yield day

    def _others(self) -> Iterator[Recurrence]:
        """Yield recurrences that differ in one part, each of a single weekday, month or date."""
        for weekday in range(7) if self.weekdays else ():
            yield replace(self, weekdays=(weekday,))
        for month in range(1, 13) if self.months else ():
            yield replace(self, months=(month,))
        for first, last in self.days_of_month:
            for bound in sorted({first - 1, first, last, last + 1} - {0, 32, -32}):
                yield replace(self, days_of_month=((bound, bound),))


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

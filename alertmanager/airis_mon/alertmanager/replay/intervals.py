"""Time intervals: at what times of day, on what days, a route is mute or active."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = tuple(name.lower() for name in calendar.month_name[1:])
_KEYS = frozenset(("times", "weekdays", "days_of_month", "months", "years", "location"))

Range = tuple[int, int]
"""First and last, both included."""


@dataclass(frozen=True)
class TimeInterval:
    """What has to hold together; None holds always."""

    times: tuple[Range, ...] | None = None
    """Minutes of the day; the end is not included."""
    weekdays: tuple[Range, ...] | None = None
    """0 is Sunday."""
    days_of_month: tuple[Range, ...] | None = None
    """Negative ones count from the month's end."""
    months: tuple[Range, ...] | None = None
    years: tuple[Range, ...] | None = None
    zone: tzinfo = UTC

    def contains(self, moment: float) -> bool:
        """Say whether a time (Unix seconds) lies in it."""
        local = datetime.fromtimestamp(moment, self.zone)
        minute = local.hour * 60 + local.minute
        return (
            (self.times is None or any(first <= minute < end for first, end in self.times))
            and (self.days_of_month is None or any(_in_month(local, days) for days in self.days_of_month))
            and _within(self.months, local.month)
            and _within(self.weekdays, local.isoweekday() % 7)
            and _within(self.years, local.year)
        )


def interval(config: Mapping[str, Any]) -> TimeInterval:
    """Return one entry of `time_intervals`. ValueError where it is none."""
    unknown = sorted(set(config) - _KEYS)
    if unknown:
        raise ValueError(f"a time interval has `{unknown[0]}`, which is not modelled")
    location = config.get("location", "UTC")
    try:
        zone: tzinfo = UTC if location == "UTC" else ZoneInfo(location)
    except (KeyError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(f"this machine knows no time zone `{location}`") from error

    def ranges(key: str, member: Callable[[str], int]) -> tuple[Range, ...] | None:
        return tuple(_range(str(text), member) for text in config[key]) if key in config else None

    times = config.get("times")
    return TimeInterval(
        times=None
        if times is None
        else tuple((_minute(each["start_time"]), _minute(each["end_time"])) for each in times),
        weekdays=ranges("weekdays", _named(_DAYS, 0)),
        days_of_month=ranges("days_of_month", int),
        months=ranges("months", _named(_MONTHS, 1)),
        years=ranges("years", int),
        zone=zone,
    )


def _named(names: Sequence[str], first: int) -> Callable[[str], int]:
    return lambda text: names.index(text) + first if text in names else int(text)


def _range(text: str, member: Callable[[str], int]) -> Range:
    begin, colon, end = text.lower().partition(":")
    return (member(begin), member(end if colon else begin))


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _within(ranges: Sequence[Range] | None, value: int) -> bool:
    return ranges is None or any(first <= value <= last for first, last in ranges)


def _in_month(local: datetime, days: Range) -> bool:
    length = calendar.monthrange(local.year, local.month)[1]
    first, last = (length + day + 1 if day < 0 else day for day in days)
    if first > length:  # the 30th of February is no day, also not the last one
        return False
    return max(first, -length) <= local.day <= min(last, length)

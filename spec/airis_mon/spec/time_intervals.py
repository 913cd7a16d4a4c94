"""Times that come again: working hours, weekends, the night of the backup."""

from __future__ import annotations

from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class TimeInterval:
    """A named set of times, as steps of a ladder refer to it."""

    name: str
    intervals: tuple[Recurrence, ...]
    """It is these times whenever one of them holds."""
    location: str = "UTC"
    """Name in the time zone database, whose summer time is followed."""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

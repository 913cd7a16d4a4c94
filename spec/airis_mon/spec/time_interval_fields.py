"""The keys of a TimeInterval."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from airis_mon.spec.reading import did_you_mean
from airis_mon.spec.records import Field, ListOf, Record
from airis_mon.spec.scalars import Parsed, Text
from airis_mon.spec.time_intervals import MONTHS, WEEKDAYS, Recurrence, Span

_DAY = 24 * 60
_TIMES = re.compile(r"([0-9]{2}):([0-9]{2}) ?- ?([0-9]{2}):([0-9]{2})")
_DAYS = re.compile(r"(-?[0-9]{1,2})(?::(-?[0-9]{1,2}))?")
_LONGEST_MONTH = 31


def _times(text: str) -> Span:
    hint = "write begin and end, such as 09:00-17:00; the day ends at 24:00"
    match = _TIMES.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text[:60]}` is no part of a day", hint)
    hours, minutes = (int(match[1]), int(match[3])), (int(match[2]), int(match[4]))
    first, last = (60 * hour + minute for hour, minute in zip(hours, minutes, strict=True))
    if max(minutes) > 59 or max(first, last) > _DAY:
        raise ValueError(f"`{text}` is no part of a day: hours go to 24:00, minutes to 59", hint)
    if first == last:
        raise ValueError(f"`{text}` is no time at all", "leave `times` out for the whole day")
    if first > last:
        # Whose night it is, Friday's or Saturday's, would be a matter of opinion.
        begin, end = re.split(" ?- ?", text)
        hint = f"write {begin}-24:00 and 00:00-{end}, each with the weekdays that it is about"
        raise ValueError(f"`{text}` goes over midnight", hint)
    return first, last


def _days(text: str) -> Span:
    hint = "write a day or a range, such as 1, 1:7, or -1 for the month's last day"
    match = _DAYS.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text[:60]}` is no day of a month", hint)
    first = int(match[1])
    last = int(match[2]) if match[2] else first
    if not all(1 <= abs(day) <= _LONGEST_MONTH for day in (first, last)):
        raise ValueError(f"`{text}` is no day of a month: they go from 1 to 31, or from -31 to -1", hint)
    if first > 0 > last and first > _LONGEST_MONTH + last + 1:
        raise ValueError(f"`{text}` begins after its end", hint)
    if (first > 0) == (last > 0) and first > last:
        raise ValueError(f"`{text}` begins after its end", hint)
    if first < 0 < last:
        raise ValueError(f"`{text}` counts from the month's end to its beginning", hint)
    return first, last


def _named(names: Sequence[str], what: str) -> Callable[[str], tuple[int, ...]]:
    """Return a parser of `monday` and `friday:monday` to positions in the list."""

    def parse(text: str) -> tuple[int, ...]:
        parts = text.split(":")
        if len(parts) > 2:
            raise ValueError(f"`{text[:60]}` is no {what}", f"write {names[0]}, or {names[0]}:{names[4]}")
        for part in parts:
            if part not in names:
                raise ValueError(f"`{part[:60]}` is no {what}", did_you_mean(part, names))
        first, last = names.index(parts[0]), names.index(parts[-1])
        return tuple((first + n) % len(names) for n in range((last - first) % len(names) + 1))

    return parse


def _recurrence(
    times: tuple[Span, ...] = (),
    weekdays: tuple[tuple[int, ...], ...] = (),
    days_of_month: tuple[Span, ...] = (),
    months: tuple[tuple[int, ...], ...] = (),
) -> Recurrence:
    return Recurrence(
        times=tuple(sorted(times)),
        weekdays=tuple(sorted({day for days in weekdays for day in days})),
        days_of_month=days_of_month,
        months=tuple(sorted({month + 1 for some in months for month in some})),
    )


def _pattern(names: Sequence[str]) -> str:
    one = "|".join(names)
    return f"^({one})(:({one}))?$"


RECURRENCE = Record(
    "Recurrence",
    (
        Field(
            "times",
            ListOf(
                Parsed("a part of a day", r"^[0-9]{2}:[0-9]{2} ?- ?[0-9]{2}:[0-9]{2}$", _times),
                "part of a day",
                most=10,
                unique=("",),
            ),
            "Parts of the day, such as 09:00-17:00; left out, all day.",
        ),
        Field(
            "weekdays",
            ListOf(
                Parsed("a weekday", _pattern(WEEKDAYS), _named(WEEKDAYS, "weekday")),
                "weekday",
                most=7,
                unique=("",),
            ),
            "Days or ranges, such as monday:friday; left out, every day.",
        ),
        Field(
            "days_of_month",
            ListOf(Parsed("a day of a month", r"^-?[0-9]{1,2}(:-?[0-9]{1,2})?$", _days), "day", most=31),
            'Days or ranges, such as "1:7", -1 for the last; left out, every day.',
        ),
        Field(
            "months",
            ListOf(
                Parsed("a month", _pattern(MONTHS), _named(MONTHS, "month")), "month", most=12, unique=("",)
            ),
            "Months or ranges, such as november:january; left out, every month.",
        ),
    ),
    _recurrence,
    at_least_one=("times", "weekdays", "days_of_month", "months"),
)
"""What is given has to hold together."""

LOCATION = Text(
    wanted="a time zone",
    pattern="^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$",
    hint="write its name in the time zone database, such as Europe/Berlin or UTC",
    longest=60,
)

TIME_INTERVAL = Record(
    "TimeInterval spec",
    (
        Field("location", LOCATION, "Time zone in which the times are meant.", default="UTC"),
        Field(
            "intervals",
            ListOf(RECURRENCE, "interval", most=10),
            "It is this time whenever one of them holds; within one, all that is given has to hold.",
            required=True,
        ),
    ),
    hints={
        "years": ("a year does not come again", "write a Maintenance for a window that comes once"),
        "time_intervals": ("the key is called otherwise", "write `intervals`"),
    },
)

"""Times that nothing is learnt from: while a model is worked on, it is not as usual."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from airis_mon.spec import MONTHS, WEEKDAYS, Maintenance, Recurrence, Window

Times = Window | Recurrence
"""A time that comes once, or one that comes again, in UTC."""

_SPAN = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")
_DAYS = re.compile(r"(-?\d{1,2}):(-?\d{1,2})")
_KEYS = ("times", "weekdays", "days_of_month", "months")
_LIST_MAX = 40


def times(planned: Sequence[Maintenance]) -> tuple[Times, ...]:
    """Return all times of some maintenance, each once."""
    found: dict[Times, None] = {}
    for each in planned:
        found |= dict.fromkeys(each.recurring if each.once is None else (each.once,))
    return tuple(found)


def written(one: Times) -> dict[str, Any]:
    """Return a time as the configuration holds it."""
    if isinstance(one, Window):
        return {"from": _iso(one.begin), "to": _iso(one.end)}
    found: dict[str, Any] = {
        "times": [f"{_clock(first)}-{_clock(last)}" for first, last in one.times],
        "weekdays": [WEEKDAYS[day] for day in one.weekdays],
        "days_of_month": [f"{first}:{last}" for first, last in one.days_of_month],
        "months": [MONTHS[month - 1] for month in one.months],
    }
    return {key: value for key, value in found.items() if value}


def read(value: Any) -> Times:
    """Return the time that an entry of the configuration says; ValueError where it is none."""
    if isinstance(value, Mapping) and set(value) == {"from", "to"}:
        begin, end = (_moment(value[key]) for key in ("from", "to"))
        if end <= begin:
            raise ValueError(f"`{value['to']}` is not after `{value['from']}`")
        return Window(begin, end)
    if not isinstance(value, Mapping) or not value or not set(value) <= set(_KEYS):
        raise ValueError(f"`from` and `to`, or some of {', '.join(_KEYS)} are needed")
    return Recurrence(
        times=_each(value, "times", _span),
        weekdays=_each(value, "weekdays", WEEKDAYS.index),
        days_of_month=_each(value, "days_of_month", _days),
        months=_each(value, "months", lambda text: MONTHS.index(text) + 1),
    )


def _each(value: Mapping[str, Any], key: str, parse: Callable[[str], Any]) -> tuple[Any, ...]:
    entries = value.get(key, ())
    if key in value and not (isinstance(entries, list) and 0 < len(entries) <= _LIST_MAX):
        raise ValueError(f"`{key}` is a list of 1 to {_LIST_MAX}")
    found = []
    for entry in entries:
        try:
            found.append(parse(entry))
        except (ValueError, TypeError, AttributeError):
            raise ValueError(f"`{str(entry)[:40]}` is none of the {key} that can be read") from None
    return tuple(found)


def _span(text: str) -> tuple[int, int]:
    match = _SPAN.fullmatch(text)
    first, last = (0, 0) if match is None else (_minute(match[1], match[2]), _minute(match[3], match[4]))
    if not 0 <= first < last <= 24 * 60:
        raise ValueError(text)
    return first, last


def _days(text: str) -> tuple[int, int]:
    match = _DAYS.fullmatch(text)
    first, last = (0, 0) if match is None else (int(match[1]), int(match[2]))
    if not all(1 <= abs(day) <= 31 for day in (first, last)):
        raise ValueError(text)
    return first, last


def _minute(hours: str, minutes: str) -> int:
    return int(hours) * 60 + int(minutes)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: Any) -> float:
    found = datetime.fromisoformat(text) if isinstance(text, str) else text
    if not isinstance(found, datetime) or found.tzinfo is None:
        raise ValueError(f"`{str(text)[:40]}` is no time with its distance from UTC")
    return found.timestamp()

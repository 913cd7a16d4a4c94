"""Over what an SLO is promised: windows that roll, and periods of the calendar."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from airis_mon.spec.monitor import CALENDAR_WINDOWS, LONGEST_WINDOW, SHORTEST_WINDOW, Calendar
from airis_mon.spec.quantities import format_duration
from airis_mon.spec.reading import Reading, quoted
from airis_mon.spec.records import Field, Record
from airis_mon.spec.scalars import Flag, Parsed
from airis_mon.spec.words import DAY, HOUR, MINUTE

SHORTHAND = r"^[1-9][0-9]{0,5}[mhdwMQY]$"
"""How OpenSLO writes a length of time."""
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_PERIODS: dict[str, Calendar] = {"1w": "week", "7d": "week", "1M": "month", "1Q": "quarter", "3M": "quarter"}
_ZONES = ("UTC", "Etc/UTC", "Z", "GMT", "Etc/GMT")
_BEGINNINGS = {
    "week": "a Monday",
    "month": "the first of a month",
    "quarter": "the first of January, April, July or October",
}


def duration(text: str) -> float:
    """Return seconds; ValueError where it has no fixed length, or is none."""
    if re.fullmatch(r"0[mhdw]?", text):
        return 0.0
    if not re.fullmatch(SHORTHAND, text):
        raise ValueError(f"`{text[:40]}` is no duration", "write a number and a unit: 5m, 1h, 30d or 4w")
    if text[-1] not in _UNITS:
        raise ValueError(f"`{text}` has no fixed length", "write it in days or weeks, such as 30d or 4w")
    return int(text[:-1]) * _UNITS[text[-1]]


def _spelled(text: str) -> str:
    if not re.fullmatch(SHORTHAND, text):
        raise ValueError(
            f"`{text[:40]}` is no duration", "write a number and a unit: 30d, 4w, or 1M with `calendar`"
        )
    return text


def _zone(text: str) -> str:
    if text not in _ZONES:
        raise ValueError(
            f"periods begin by UTC here, not by {quoted(text)}: Prometheus knows no other calendar",
            "write UTC",
        )
    return "UTC"


def _start(text: str) -> datetime:
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise ValueError(f"`{text[:40]}` is no date and time", "write it as 2026-01-01 00:00:00")


def _begins(period: Calendar, start: datetime) -> bool:
    """Tell whether a period of the calendar begins at a time."""
    if (start.hour, start.minute, start.second) != (0, 0, 0):
        return False
    if period == "week":
        return start.weekday() == 0
    return start.day == 1 and (period == "month" or start.month % 3 == 1)


def _period(window: dict[str, Any], path: str, reading: Reading) -> None:
    """Put length and calendar together: as `window` in seconds and `period`, or refuse them."""
    written, calendar = window["duration"], window.get("calendar")
    where = reading.places[f"{path}.duration"]
    if calendar is None:
        if window.get("rolls") is False:
            where = reading.places[f"{path}.isRolling"]
            message = "a window that does not roll follows the calendar"
            reading.refuse(where, f"{path}.isRolling", message, "write isRolling: true, or add `calendar`")
        try:
            seconds = duration(written)
        except ValueError as error:
            reading.refuse(where, f"{path}.duration", *error.args)
            return
        if not SHORTEST_WINDOW <= seconds <= LONGEST_WINDOW:
            limits = f"{format_duration(SHORTEST_WINDOW)} to {format_duration(LONGEST_WINDOW)}"
            message = f"an objective over {written} is not possible"
            reading.refuse(where, f"{path}.duration", message, f"write a window from {limits}")
        window.update(window=seconds, period=None)
        return
    if window.get("rolls"):
        message = "a window either rolls or follows the calendar"
        reading.refuse(
            reading.places[f"{path}.isRolling"], f"{path}.isRolling", message, "remove one of them"
        )
    period = _PERIODS.get(written)
    if period is None:
        message = f"{written} is no period of the calendar that objectives follow here"
        hint = "write 1w, 1M or 1Q; or a rolling window: {duration: 30d, isRolling: true}"
        reading.refuse(where, f"{path}.duration", message, hint)
        return
    if not _begins(period, calendar["startTime"]):
        begin = f"{path}.calendar.startTime"
        message = f"no {period} of the calendar begins then; it begins at midnight of {_BEGINNINGS[period]}"
        reading.refuse(
            reading.places[begin], begin, message, "write such a time; which one makes no difference"
        )
    window.update(window=CALENDAR_WINDOWS[period], period=period)


TIME_WINDOW = Record(
    "OpenSLO time window",
    (
        Field("duration", Parsed("a duration", SHORTHAND, _spelled), "Such as 30d or 4w; 1M of the calendar.",
              required=True),
        Field("isRolling", Flag(), "Whether it rolls.", attribute="rolls"),
        Field(
            "calendar",
            Record(
                "OpenSLO calendar",
                (
                    Field("startTime", Parsed("a date and time", "^[-0-9T: ]+$", _start), "When one begins.",
                          required=True),
                    Field("timeZone", Parsed("a time zone", "^[A-Za-z/]+$", _zone), "UTC.", required=True),
                ),
            ),
            "When periods begin.",
        ),
    ),
    check=_period,
)  # fmt: skip

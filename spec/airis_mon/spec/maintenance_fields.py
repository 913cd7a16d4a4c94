"""The keys of a Maintenance."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airis_mon.spec.maintenance import Window
from airis_mon.spec.reading import Reading
from airis_mon.spec.records import Field, ListOf, Record
from airis_mon.spec.scalars import Choice, Parsed
from airis_mon.spec.time_interval_fields import RECURRENCE
from airis_mon.spec.words import DAY, LINE, NAME

LONGEST = 31 * DAY
"""Seconds of a window: what is longer is no maintenance, and forgotten before its end."""


def _moment(text: str) -> float:
    hint = "write date, time and distance from UTC, such as 2026-12-01T22:00:00+01:00, or ...Z for UTC"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{text[:60]}` is no time", hint) from None
    if found.tzinfo is None:
        raise ValueError(f"`{text}` does not say in which time zone it is meant", hint)
    if found.microsecond or not 2000 <= found.year <= 2200:
        raise ValueError(f"`{text}` is no whole second of the years 2000 to 2200", hint)
    return found.timestamp()


def _ordered(window: Window, path: str, reading: Reading) -> None:
    where = reading.places.get(f"{path}.to")
    if window.end <= window.begin:
        reading.refuse(where, f"{path}.to", "it ends before it begins", "write a `to` that is after `from`")
    elif window.end - window.begin > LONGEST:
        message = f"it lasts {(window.end - window.begin) / DAY:.0f} days; {LONGEST / DAY:.0f} are allowed"
        reading.refuse(where, f"{path}.to", message, "write several, or take the monitor out of service")


def _window(begin: float, end: float) -> Window:
    return Window(begin, end)


def _selection(spec: dict[str, Any], path: str, reading: Reading) -> None:
    if not spec.get("monitors") and not spec.get("teams"):
        reading.refuse(
            reading.places.get(path), path, "neither `monitors` nor `teams` is given", "write one of them"
        )


_MOMENT = Parsed("a time", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{5,8}([+-][0-9:]{4,6}|Z)$", _moment)

MAINTENANCE = Record(
    "Maintenance spec",
    (
        Field("reason", LINE, "What is done; silences and dashboards show it.", required=True),
        Field(
            "once",
            Record(
                "Window",
                (
                    Field("from", _MOMENT, "When it begins.", required=True, attribute="begin"),
                    Field(
                        "to", _MOMENT, "When it ends, 31 days later at most.", required=True, attribute="end"
                    ),
                ),
                _window,
                check=_ordered,
            ),
            "A time that comes once; `airis-mon maintenance start` silences it.",
        ),
        Field(
            "recurring",
            ListOf(RECURRENCE, "interval", most=10),
            "Times that come again, in UTC, whenever one of them holds; routes are mute then.",
        ),
        Field("monitors", ListOf(NAME, "monitor", most=100, unique=("",)), "Names of ModelMonitors."),
        Field(
            "teams", ListOf(LINE, "team", most=50, unique=("",)), "Teams whose monitors it is about as well."
        ),
        Field(
            "severities",
            ListOf(Choice(("page", "ticket")), "severity", most=2, unique=("",)),
            "What nobody is told of meanwhile; left out, neither pages nor tickets.",
        ),
    ),
    exactly_one=("once", "recurring"),
    check=_selection,
    hints={
        "location": (
            "times of a maintenance are in UTC: rules know no other time zone",
            "write `recurring` in UTC, and `once` with its distance from UTC",
        ),
        "window": ("the key is called otherwise", "write `once: {from: ..., to: ...}` or `recurring`"),
    },
)

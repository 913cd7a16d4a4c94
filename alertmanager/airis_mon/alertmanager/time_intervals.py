"""Time intervals in Alertmanager's words."""

from __future__ import annotations

from typing import Any

from airis_mon.spec import MONTHS, WEEKDAYS, Bundle, Maintenance, Recurrence, TimeInterval


def time_intervals(bundle: Bundle) -> list[dict[str, Any]]:
    """Return every interval that routes may name, and every maintenance that comes again."""
    return [
        *(_interval(interval) for interval in bundle.intervals),
        *(
            {"name": muting(one), "time_intervals": [recurrence(times) for times in one.recurring]}
            for one in bundle.maintenance
            if one.recurring
        ),
    ]


def muting(maintenance: Maintenance) -> str:
    """Return what the interval of a maintenance is called; no TimeInterval can be called so."""
    return f"maintenance/{maintenance.name}"


def _interval(interval: TimeInterval) -> dict[str, Any]:
    found = [recurrence(one) for one in interval.intervals]
    if interval.location != "UTC":
        for one in found:
            one["location"] = interval.location
    return {"name": interval.name, "time_intervals": found}


def recurrence(times: Recurrence) -> dict[str, Any]:
    """Return one entry; what it leaves out holds always."""
    found: dict[str, Any] = {}
    if times.times:
        found["times"] = [
            {"start_time": _clock(first), "end_time": _clock(last)} for first, last in times.times
        ]
    if times.weekdays:
        found["weekdays"] = [WEEKDAYS[day] for day in times.weekdays]
    if times.days_of_month:
        found["days_of_month"] = [f"{first}:{last}" for first, last in times.days_of_month]
    if times.months:
        found["months"] = [MONTHS[month - 1] for month in times.months]
    return found


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"

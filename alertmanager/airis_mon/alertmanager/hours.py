"""Who is told at which hour, worked out from the documents alone: amtool knows no time and cannot test it.

A case names a moment at a bound of some time that a ladder names: just before it, at it, and on days that
the time is not about, in winter and in summer. The cases never look at the routes; a mistake there makes one
fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from airis_mon.alertmanager.coverage import FIRST_YEAR, zone
from airis_mon.rules import series
from airis_mon.spec import Bundle, Monitor, Recurrence, Severity, Step, TimeInterval

SEASONS = (date(FIRST_YEAR, 1, 1), date(FIRST_YEAR, 7, 1))
"""Whoever follows summer time has another distance from UTC in each."""

SEVERITIES: tuple[Severity, ...] = ("page", "ticket")

Intervals = Mapping[str, TimeInterval]


def cases(bundle: Bundle) -> list[dict[str, Any]]:
    """Return `{labels, at, receivers}` per monitor that has hours, severity and moment."""
    intervals = {interval.name: interval for interval in bundle.intervals}
    bounds = {name: tuple(_bounds(one.intervals, zone(one))) for name, one in intervals.items()}
    found = []
    for monitor in bundle.monitors:
        moments = set(_moments(monitor, bundle, bounds))
        for severity in SEVERITIES if moments else ():
            labels = {
                "alertname": series.BURN_ALERT,
                series.MONITOR: monitor.name,
                series.SEVERITY: severity,
                series.TEAM: monitor.alerting.team,
                series.MODEL: monitor.model.name,
            }
            for moment in sorted(moments):
                at = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                told = sorted(_told(monitor, severity, moment, bundle, intervals))
                found.append({"labels": labels, "at": at, "receivers": told})
    return found


def _moments(monitor: Monitor, bundle: Bundle, bounds: Mapping[str, tuple[float, ...]]) -> Iterator[float]:
    if monitor.alerting.escalation is None:
        return
    policy = bundle.policy(monitor.alerting.escalation)
    named = dict.fromkeys(policy.mute_time_intervals)
    for step in (*policy.page, *policy.ticket):
        named |= dict.fromkeys((*step.active_time_intervals, *step.mute_time_intervals))
    for name in named:
        yield from bounds[name]
    for maintenance in monitor.maintenance:
        yield from _bounds(maintenance.recurring, UTC)


def _bounds(recurrences: tuple[Recurrence, ...], where: tzinfo) -> Iterator[float]:
    for recurrence in recurrences:
        for season in SEASONS:
            for local in recurrence.bounds(season):
                yield local.replace(tzinfo=where).timestamp()


def _told(
    monitor: Monitor, severity: Severity, moment: float, bundle: Bundle, intervals: Intervals
) -> Iterator[str]:
    """Yield whoever is told of an alert that has stood for long."""
    assert monitor.alerting.escalation is not None
    policy = bundle.policy(monitor.alerting.escalation)
    if _within(policy.mute_time_intervals, moment, intervals):
        return
    if any(one.recurring and severity in one.severities and one.holds(moment) for one in monitor.maintenance):
        return
    for step in policy.page if severity == series.PAGE else policy.ticket:
        if _speaks(step, moment, intervals):
            yield from step.receivers


def _speaks(step: Step, moment: float, intervals: Intervals) -> bool:
    active = not step.active_time_intervals or _within(step.active_time_intervals, moment, intervals)
    return active and not _within(step.mute_time_intervals, moment, intervals)


def _within(names: tuple[str, ...], moment: float, intervals: Intervals) -> bool:
    for name in names:
        where = zone(intervals[name])
        if any(one.holds(moment, where) for one in intervals[name].intervals):
            return True
    return False

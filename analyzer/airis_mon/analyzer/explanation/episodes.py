"""When a series was anomalous, and who would have been told: as Prometheus and Alertmanager see the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.explanation.course import Course
from airis_mon.spec import Severity

LOOKBACK = 300
"""Seconds for which Prometheus takes the last sample for the present one."""
APART = 1800
"""Seconds between two anomalous samples up to which they belong to one episode."""
_STEPS = 3
"""Or so many steps, of a series with longer ones."""
WEEK = 7 * 86400
_TOLERANCE = 600
"""Seconds after an incident in which being told of it is right."""


@dataclass(frozen=True)
class Told:
    """One alert that fires."""

    at: int
    """Seconds since the epoch: the score has been anomalous for as long as that severity waits."""
    severity: Severity


@dataclass(frozen=True)
class Episode:
    """Anomalous samples that belong together."""

    first: int
    """Sample that it begins with."""
    last: int
    """Last anomalous sample."""
    peak: int
    """The sample that scored the most."""
    begin: int
    """Time of the first sample, seconds since the epoch."""
    end: int
    """Time at which the score was seen below 1 again, or the newest one."""
    told: tuple[Told, ...]
    """Who is told, in order of time."""


def episodes(course: Course, waits: Mapping[Severity, int]) -> tuple[Episode, ...]:
    """Return the episodes of a course, the oldest first; `waits` are the seconds of each severity's `for`."""
    fired = np.flatnonzero(course.firing)
    if not len(fired):
        return ()
    apart = max(APART, _STEPS * course.step)
    groups = np.split(fired, np.flatnonzero(np.diff(course.timestamps[fired]) > apart) + 1)
    return tuple(_episode(course, group, waits) for group in groups)


def _episode(course: Course, group: np.ndarray, waits: Mapping[Severity, int]) -> Episode:
    at = course.timestamps
    standing = _standing(course, group)
    told = [
        Told(begin + wait, severity)
        for begin, end in standing
        for severity, wait in waits.items()
        if begin + wait < end
    ]
    return Episode(
        first=int(group[0]),
        last=int(group[-1]),
        peak=int(group[np.argmax(course.score[group])]),
        begin=int(at[group[0]]),
        end=min(standing[-1][1], int(at[-1])),
        told=tuple(sorted(told, key=lambda one: one.at)),
    )


def _standing(course: Course, group: np.ndarray) -> list[tuple[int, int]]:
    """Return the spans over which the score is seen as anomalous without a break, their ends excluded.

    A sample is seen until the next one, and as long as Prometheus looks back or the series' step lasts.
    """
    at, seen = course.timestamps, max(LOOKBACK, course.step)
    found: list[tuple[int, int]] = []
    for sample in group.tolist():
        begin, last = int(at[sample]), sample + 1 == len(at)
        end = begin + 1 if last else min(int(at[sample + 1]), begin + seen)
        if found and found[-1][1] == begin:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def per_week(course: Course, count: int) -> float:
    """Return how many that are a week, of the time in which the score means something."""
    ready = np.flatnonzero(course.ready)
    if not len(ready):
        return 0.0
    seconds = int(course.timestamps[-1] - course.timestamps[ready[0]]) + course.step
    return WEEK * count / seconds


def in_incident(course: Course, at: int, incidents: Sequence[tuple[int, int]]) -> bool:
    """Return whether somebody who was told then was told rightly: from a step before to a little after."""
    after = max(_TOLERANCE, 2 * course.step)
    return any(begin - course.step <= at <= end + after for begin, end in incidents)


def newest_anomaly(course: Course, found: Sequence[Episode]) -> int:
    """Return the sample to explain where nobody says: the newest episode's peak, else the newest value."""
    if found:
        return found[-1].peak
    known = np.flatnonzero(np.isfinite(course.values))
    return int(known[-1]) if len(known) else len(course.values) - 1

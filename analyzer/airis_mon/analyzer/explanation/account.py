"""Everything that is told of one series: its course, its episodes, and the reasons of some moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.explanation.course import Course, Progress, course, silently
from airis_mon.analyzer.explanation.episodes import Episode, episodes, in_incident, newest_anomaly, per_week
from airis_mon.analyzer.explanation.grounds import Grounds, grounds
from airis_mon.analyzer.recording import Recording
from airis_mon.analyzer.schedule import FIT_INTERVAL
from airis_mon.spec import Severity

WAITS: Mapping[Severity, int] = {"page": 300, "ticket": 900}
"""Seconds that each severity waits where no document says it: as long as a document's default."""
REASONED = 20
"""Episodes, the newest ones, whose reasons are told."""


@dataclass(frozen=True)
class Account:
    """What happened to one series."""

    name: str
    """The series as it is written on the command line."""
    query: Query
    course: Course
    episodes: tuple[Episode, ...]
    waits: Mapping[Severity, int]
    """Seconds that each severity waits before it tells."""
    marked: int
    """The sample that is explained first."""
    why: Grounds | None = None
    """Of that sample."""
    whys: Mapping[int, Grounds] = field(default_factory=dict)
    """Of the peaks of episodes, by sample."""
    incidents: tuple[tuple[int, int], ...] = ()
    """Begin and end of what is known to have been wrong, seconds since the epoch."""

    @property
    def numbers(self) -> int:
        """How many of the values are numbers: the others are gaps, and no score says anything there."""
        return int(np.isfinite(self.course.values).sum())

    def told(self, severity: Severity) -> list[int]:
        """Return the times at which a severity tells."""
        return [told.at for episode in self.episodes for told in episode.told if told.severity == severity]

    def false(self, severity: Severity) -> list[int]:
        """Return the times at which a severity tells of no known incident; where none is known, all."""
        return [at for at in self.told(severity) if not in_incident(self.course, at, self.incidents)]

    def weekly(self, severity: Severity) -> float:
        """Return how many of a severity that are of no known incident come a week."""
        return per_week(self.course, len(self.false(severity)))


def account(
    name: str,
    recording: Recording,
    query: Query,
    *,
    at: int | None = None,
    fit_interval: int = FIT_INTERVAL,
    incidents: Sequence[tuple[int, int]] = (),
    progress: Progress = silently,
) -> Account:
    """Return what happened to a series, without reasons; marked is the last sample up to `at`.

    Where that is not given, the newest anomaly is marked.
    """
    waits = dict(query.alerts) or WAITS
    said = course(recording, query, fit_interval, progress)
    found = episodes(said, waits)
    marked = newest_anomaly(said, found)
    if at is not None:
        marked = max(0, int(np.searchsorted(said.timestamps, at, side="right")) - 1)
    return Account(name, query, said, found, waits, marked, incidents=tuple(incidents))


def reasoned(found: Account, recording: Recording, fit_interval: int = FIT_INTERVAL) -> Account:
    """Return the account with the reasons of the marked sample, and of the peaks of the newest episodes."""
    peaks = [episode.peak for episode in found.episodes[-REASONED:]]
    whys = {each: grounds(recording, found.query, each, fit_interval) for each in {*peaks, found.marked}}
    return replace(found, why=whys[found.marked], whys=whys)

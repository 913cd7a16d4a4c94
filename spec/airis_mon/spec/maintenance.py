"""Times at which a model is worked on: what happens then is expected, and is no measure of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from airis_mon.spec.problems import NOWHERE, Origin
from airis_mon.spec.severity import Severity
from airis_mon.spec.time_intervals import Recurrence


@dataclass(frozen=True)
class Window:
    """A time that comes once."""

    begin: float
    """Unix seconds, written as a time with its distance from UTC."""
    end: float
    """Unix seconds, not included."""


@dataclass(frozen=True)
class Maintenance:
    """One time for some monitors: one that comes once, or one that comes again, never both."""

    name: str
    reason: str
    """What others read of it, in silences and on dashboards."""
    once: Window | None = None
    recurring: tuple[Recurrence, ...] = ()
    """In UTC: rules know no other time zone."""
    monitors: tuple[str, ...] = ()
    """Names of ModelMonitors that it is about."""
    teams: tuple[str, ...] = ()
    """Teams whose monitors it is about as well."""
    severities: tuple[Severity, ...] = ("page", "ticket")
    """What nobody is told of meanwhile. Records and dashboards know of it in any case."""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    def holds(self, moment: float) -> bool:
        """Say whether a time (Unix seconds) lies in it."""
        if self.once is not None:
            return self.once.begin <= moment < self.once.end
        return any(recurrence.holds(moment) for recurrence in self.recurring)

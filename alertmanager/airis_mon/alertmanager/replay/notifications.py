"""What Alertmanager sends, what it keeps to itself, and what it remembers of either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from airis_mon.alertmanager.replay.matchers import Labels

Reason = Literal["first", "more", "fewer", "repeat", "resolved"]
Quiet = Literal["inhibited", "muted", "silenced"]

RETENTION = 120 * 3600.0
"""Seconds for which Alertmanager remembers at most what it has sent (`--data.retention`)."""
MAINTENANCE = 900.0
"""Seconds between two looks at what may be forgotten."""


@dataclass(frozen=True)
class Alert:
    """One alert in a group."""

    identity: Labels
    """All labels, sorted."""
    starts_at: float
    """Unix seconds at which it began to fire."""
    ends_at: float | None = None
    """Unix seconds at which it ended; None while it fires."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels by name."""
        return dict(self.identity)

    def resolved(self, now: float) -> bool:
        """Say whether it has ended by `now`."""
        return self.ends_at is not None and self.ends_at <= now


@dataclass(frozen=True)
class Notification:
    """One message to one receiver in one way."""

    at: float
    """Unix seconds at which it is sent."""
    receiver: str
    integration: str
    """`webhook`, `email` ..."""
    index: int
    """Which of that kind within the receiver."""
    group: Labels
    """Labels of the group."""
    firing: tuple[Alert, ...]
    resolved: tuple[Alert, ...]
    reason: Reason
    """Why now: the first about the group, more alerts, fewer, a repetition, or all over."""
    level: int = 1
    """Rung of the ladder, from 1."""

    @property
    def status(self) -> str:
        """`firing` or `resolved`, as the message says."""
        return "firing" if self.firing else "resolved"


@dataclass(frozen=True)
class Suppression:
    """An alert that a receiver was not told of when it would have been."""

    at: float
    """Unix seconds at which it was held back first."""
    receiver: str
    alert: Alert
    reason: Quiet


@dataclass(frozen=True)
class Outcome:
    """Everything that happened, in the order of time."""

    notifications: tuple[Notification, ...]
    suppressions: tuple[Suppression, ...]


@dataclass(frozen=True)
class Entry:
    """What was last sent about a group to a receiver in one way."""

    at: float
    firing: frozenset[Labels]
    resolved: frozenset[Labels]
    expires_at: float

    def forgotten(self, now: float) -> bool:
        """Say whether Alertmanager has dropped it by `now`."""
        return now // MAINTENANCE * MAINTENANCE >= self.expires_at


def reason(
    entry: Entry | None,
    firing: frozenset[Labels],
    resolved: frozenset[Labels],
    *,
    send_resolved: bool,
    since: float,
) -> Reason | None:
    """Return why a group has to be told of now, None where nothing is new.

    `entry` is what was told last; `since` is the time before which a repetition is due.
    """
    if entry is None:
        return "first" if firing else None
    if not firing <= entry.firing:
        return "more" if entry.firing else "first"
    if not firing:
        return "resolved" if entry.firing else None
    if send_resolved and not resolved <= entry.resolved:
        return "fewer"
    return "repeat" if entry.at < since else None

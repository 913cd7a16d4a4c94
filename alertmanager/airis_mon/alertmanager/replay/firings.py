"""What Prometheus sends to Alertmanager about an alert: that it fires, that it ended, and that again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from airis_mon.alertmanager.replay.matchers import Labels

RESEND_DELAY = 60.0
"""Seconds after which Prometheus sends an alert again (`--rules.alert.resend-delay`)."""
RESOLVED_RETENTION = 900.0
"""Seconds for which Prometheus goes on sending that an alert has ended."""


@dataclass(frozen=True)
class Firing:
    """One time for which an alert fired."""

    identity: Labels
    """All labels, sorted."""
    starts_at: float
    """Unix seconds of the evaluation at which it began to fire."""
    ends_at: float | None = None
    """Unix seconds of the evaluation at which it no longer did; None: it still fires."""
    forgotten_at: float | None = None
    """Unix seconds at which its condition held anew, which ends the talk of its end."""


@dataclass(frozen=True)
class Post:
    """One alert as it arrives at Alertmanager."""

    at: float
    """Unix seconds of arrival."""
    identity: Labels
    starts_at: float
    ends_at: float | None = None


def posts(firings: Iterable[Firing], interval: float) -> list[Post]:
    """Return what arrives, in order; `interval` is the seconds between two evaluations of the rules.

    That a standing alert is sent again and again changes nothing and is left out. That an ended one is sent
    again does: it keeps its group alive, and is told once more beside what is new there.
    """
    following: dict[Labels, float] = {}
    found: list[Post] = []
    for firing in sorted(firings, key=lambda firing: firing.starts_at, reverse=True):
        found += _posts(firing, interval, following.get(firing.identity, math.inf))
        following[firing.identity] = firing.starts_at
    return sorted(found, key=lambda post: post.at)


def _posts(firing: Firing, interval: float, following: float) -> Iterator[Post]:
    """Yield what is sent of one firing; `following` is when the same alert fires anew."""
    yield Post(firing.starts_at, firing.identity, firing.starts_at)
    if firing.ends_at is None:
        return
    # Sent again at the first evaluation that is later than the delay, not at it.
    pause = (math.floor(RESEND_DELAY / interval) + 1) * interval
    forgotten = following if firing.forgotten_at is None else min(following, firing.forgotten_at)
    at = firing.ends_at
    while at == firing.ends_at or (at <= firing.ends_at + RESOLVED_RETENTION and at < forgotten):
        yield Post(at, firing.identity, firing.starts_at, firing.ends_at)
        at += pause

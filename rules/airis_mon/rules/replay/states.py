"""The states of an alert: pending, firing, kept firing, resolved; as Prometheus goes through them."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Episode:
    """One time for which an alert fired. All times are those of evaluations, in Unix seconds."""

    active_at: float
    """When the condition began to hold."""
    fired_at: float
    """When it had held for long enough."""
    resolved_at: float | None = None
    """When it fired no longer; None: it still fires at the last evaluation."""
    forgotten_at: float | None = None
    """When the condition held again after that, whether or not for long enough."""


def episodes(
    evaluations: Sequence[float],
    holds: AbstractSet[float],
    *,
    duration: float = 0.0,
    keep_firing_for: float = 0.0,
) -> list[Episode]:
    """Return when an alert of one label set fired.

    `evaluations` are the times of all evaluations, in order; `holds` are those at which the condition held.
    """
    found: list[Episode] = []
    active_at: float | None = None
    gone_since: float | None = None
    firing = False
    for now in evaluations:
        if now in holds:
            gone_since = None
            if active_at is None:
                active_at = now
                if found and found[-1].forgotten_at is None:
                    found[-1] = replace(found[-1], forgotten_at=now)
            if not firing and _since(active_at, now) >= duration:
                firing = True
                found.append(Episode(active_at, now))
        elif firing:
            gone_since = now if gone_since is None else gone_since
            if _since(gone_since, now) >= keep_firing_for:
                found[-1] = replace(found[-1], resolved_at=now)
                firing, active_at, gone_since = False, None, None
        else:
            active_at = None
    return found


def _since(begin: float, now: float) -> float:
    # Evaluations are told apart by milliseconds; what is finer is the noise of binary fractions.
    return round(now - begin, 3)

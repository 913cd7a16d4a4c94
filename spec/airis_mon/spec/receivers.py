"""Who is told, and in what order: the sister kinds Receiver and EscalationPolicy."""

from __future__ import annotations

from dataclasses import dataclass, field

from airis_mon.spec.integrations import (
    Discord,
    Email,
    Jira,
    Opsgenie,
    PagerDuty,
    Slack,
    Sns,
    Teams,
    Telegram,
    Webhook,
)
from airis_mon.spec.problems import NOWHERE, Origin


@dataclass(frozen=True)
class Receiver:
    """A named set of ways to reach somebody."""

    name: str
    webhooks: tuple[Webhook, ...] = ()
    emails: tuple[Email, ...] = ()
    slack: tuple[Slack, ...] = ()
    teams: tuple[Teams, ...] = ()
    pagerduty: tuple[PagerDuty, ...] = ()
    opsgenie: tuple[Opsgenie, ...] = ()
    discord: tuple[Discord, ...] = ()
    telegram: tuple[Telegram, ...] = ()
    sns: tuple[Sns, ...] = ()
    jira: tuple[Jira, ...] = ()
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


INTERVAL_KEYS = ("active_time_intervals", "mute_time_intervals")
"""What a step calls its times; the names are Alertmanager's."""


@dataclass(frozen=True)
class Step:
    """One rung of a ladder: who is told, how long after the alert began."""

    receivers: tuple[str, ...]
    after: float = 0.0
    """Seconds from the alert's start; a silence or a resolution before then ends the ladder."""
    active_time_intervals: tuple[str, ...] = ()
    """Names of TimeIntervals: told only within one of them. What stands when one begins is told then."""
    mute_time_intervals: tuple[str, ...] = ()
    """Names of TimeIntervals: not told within any of them."""

    @property
    def timed(self) -> bool:
        """Whether there are times at which it is silent."""
        return bool(self.active_time_intervals or self.mute_time_intervals)


@dataclass(frozen=True)
class EscalationPolicy:
    """A ladder per severity."""

    name: str
    page: tuple[Step, ...]
    ticket: tuple[Step, ...] = ()
    group_wait: float = 30.0
    """Seconds in which alerts that belong together are gathered, first rung only."""
    group_interval: float = 300.0
    """Seconds between messages about the same group; also how soon a resolution is told."""
    repeat_interval: float = 4 * 3600.0
    """Seconds after which a standing alert is told again."""
    mute_time_intervals: tuple[str, ...] = ()
    """Names of TimeIntervals within which no step of it says anything."""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    @property
    def receivers(self) -> frozenset[str]:
        """Names of the Receivers that any step tells."""
        return frozenset(name for step in (*self.page, *self.ticket) for name in step.receivers)

    @property
    def time_intervals(self) -> frozenset[str]:
        """Names of the TimeIntervals that it or any step heeds."""
        named = (getattr(step, key) for step in (*self.page, *self.ticket) for key in INTERVAL_KEYS)
        return frozenset(self.mute_time_intervals).union(*named)

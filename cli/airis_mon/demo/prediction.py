"""The same incident once more, from what Prometheus has kept of it: which messages should have come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import requests

from airis_mon.alertmanager.replay import Alert, Delays, Notification
from airis_mon.cli.page_replay import server
from airis_mon.cli.page_replay.editions import edition
from airis_mon.cli.page_replay.replay import Span, Watcher, replay
from airis_mon.cli.targets import Target
from airis_mon.demo.inboxes import Channel, Message, Subject, about
from airis_mon.remote_read import HttpReader
from airis_mon.rules import series
from airis_mon.stack.servers import Server

TOLERANCE = 5.5
"""Seconds between a message and its prediction: one evaluation, which a busy machine may be late by."""
_CHANNELS: dict[str, Channel] = {"webhook": "http", "email": "smtp"}


@dataclass(frozen=True)
class Told:
    """A message, as far as an inbox and a prediction both know it."""

    at: float
    """Unix seconds."""
    channel: Channel
    firing: frozenset[Subject]
    resolved: frozenset[Subject]

    @property
    def content(self) -> tuple[str, list[Subject], list[Subject]]:
        """Everything but its time."""
        return self.channel, sorted(self.firing), sorted(self.resolved)

    def __str__(self) -> str:
        """As a person compares it."""
        about = [f"{each.monitor} {each.about}" for each in sorted(self.firing)]
        over = [f"{each.monitor} {each.about} (resolved)" for each in sorted(self.resolved)]
        return f"{time.strftime('%H:%M:%S', time.gmtime(self.at))} {self.channel} {', '.join(about + over)}"


def predicted(
    documents: Path,
    prometheus_url: str,
    evaluator: Server,
    times: tuple[float, float],
    alertmanager_began: float,
    tick: Callable[[], None],
) -> list[Told]:
    """Return the messages that follow from the documents and from what that Prometheus holds.

    Raises what a replay raises.
    """
    what = edition([documents], Target())
    with requests.Session() as session:
        session.trust_env = False  # loopback needs no proxy
        schedule = server.schedule(session, prometheus_url, what.plan.groups)
        # Before it was started nobody evaluated anything: the demo's past is older than its servers.
        began = server.started(session, prometheus_url) or times[0]
        span = Span(*times, schedule.interval or 60.0, schedule.offsets, began)
        result = replay(
            [what],
            span,
            HttpReader(prometheus_url, session=session),
            evaluator,
            Watcher(lambda _: None, lambda _done, _total, _what: None, tick),
            delays=Delays(began=alertmanager_began),
        )
    return [_told(note) for note in result.outcomes[0].notifications if note.at >= span.since]


def received(messages: Iterable[Message], ahead: float) -> list[Told]:
    """Return what has come; `ahead` are the seconds by which Unix time is ahead of the inbox' clock."""
    return [
        Told(message.at + ahead, message.channel, message.firing, message.resolved) for message in messages
    ]


def differences(expected: Iterable[Told], real: Iterable[Told], until: float) -> list[str]:
    """Return every message that only one side has, in words; none within the tolerance of `until`.

    Messages of one moment come in any order.
    """
    left = [one for one in real if one.at <= until]
    found = []
    for one in sorted((one for one in expected if one.at <= until), key=lambda one: one.at):
        like = [
            other for other in left if other.content == one.content and abs(other.at - one.at) <= TOLERANCE
        ]
        if like:
            left.remove(min(like, key=lambda other: abs(other.at - one.at)))
        elif one.at <= until - TOLERANCE:
            found.append(f"predicted, and never came: {one}")
    found += [f"came, and was not predicted: {one}" for one in left if one.at <= until - TOLERANCE]
    return found


def _told(note: Notification) -> Told:
    return Told(note.at, _CHANNELS[note.integration], _subjects(note.firing), _subjects(note.resolved))


def _subjects(alerts: Iterable[Alert]) -> frozenset[Subject]:
    return frozenset(map(_subject, alerts))


def _subject(alert: Alert) -> Subject:
    labels = alert.labels
    return Subject(
        labels.get(series.MONITOR, ""),
        labels.get(series.SEVERITY, ""),
        about(labels.get(series.OBJECTIVE_LABEL), labels.get(series.FOR)),
    )

"""Alertmanager's dispatcher and its notification pipeline, as a run through the events of a time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from airis_mon.alertmanager.replay.configuration import Configuration, Integration
from airis_mon.alertmanager.replay.firings import Post
from airis_mon.alertmanager.replay.inhibitions import Inhibitor
from airis_mon.alertmanager.replay.matchers import Labels, Matcher
from airis_mon.alertmanager.replay.notifications import (
    RETENTION,
    Alert,
    Entry,
    Notification,
    Outcome,
    Quiet,
    Suppression,
    reason,
)
from airis_mon.alertmanager.replay.routes import Route
from airis_mon.alertmanager.replay.silences import Silence

MOST_EVENTS = 5_000_000
"""Events of one replay; about a minute of one core."""
_POST, _FLUSH, _SWEEP = range(3)
"""Order of what happens at one time: an alert that arrives is seen by the look at its group."""


class TooManyEventsError(Exception):
    """A replay that would take too long; the text says what to shorten."""


@dataclass(frozen=True)
class Delays:
    """What takes time in Alertmanager, and when its own clocks began."""

    delivery: float = 0.2
    """Seconds until a receiver has taken a message. The next repetition counts from then: with a
    `repeat_interval` that is a multiple of `group_interval` it falls to the look after."""
    sweep: float = 30.0
    """Seconds between two looks for groups that are empty."""
    began: float = 0.0
    """Unix seconds at which Alertmanager started, from which those looks count."""


@dataclass(eq=False)
class _Group:
    """Alerts that are told together."""

    route: Route
    labels: Labels
    alerts: dict[Labels, Alert] = field(default_factory=dict)

    @property
    def key(self) -> tuple[tuple[tuple[Matcher, ...], ...], Labels]:
        """By what Alertmanager remembers it: two routes with equal matchers share their memory."""
        return self.route.path, self.labels


def replay(
    configuration: Configuration,
    posts: Iterable[Post],
    until: float,
    *,
    silences: Sequence[Silence] = (),
    delays: Delays = Delays(),
) -> Outcome:
    """Return what Alertmanager tells, and keeps to itself, from the first of `posts` to `until`.

    `posts` are in order of time. Raises TooManyEventsError.
    """
    run = _Run(configuration, silences, delays)
    return run.through(posts, until)


class _Run:
    def __init__(self, configuration: Configuration, silences: Sequence[Silence], delays: Delays) -> None:
        self._configuration = configuration
        self._silences = silences
        self._delays = delays
        self._inhibitor = Inhibitor(configuration.inhibitions)
        self._groups: dict[tuple[int, Labels], _Group] = {}
        self._sent: dict[tuple[object, ...], Entry] = {}
        self._events: list[tuple[float, int, int, Post | _Group]] = []
        self._order = itertools.count()
        self._notifications: list[Notification] = []
        self._suppressions: dict[tuple[object, ...], Suppression] = {}

    def through(self, posts: Iterable[Post], until: float) -> Outcome:
        for post in posts:
            self._plan(post.at, _POST, post)
        for done in itertools.count(1):
            if not self._events or self._events[0][0] > until:
                break
            if done > MOST_EVENTS:
                raise TooManyEventsError(
                    f"more than {MOST_EVENTS:,} events: shorten the time, or lengthen `group_interval`"
                )
            now, kind, _, what = heapq.heappop(self._events)
            if isinstance(what, Post):
                self._receive(what, now)
            elif kind == _FLUSH:
                self._look(what, now)
            else:
                self._sweep(what)
        return Outcome(tuple(self._notifications), tuple(self._suppressions.values()))

    def _plan(self, at: float, kind: int, what: Post | _Group) -> None:
        heapq.heappush(self._events, (at, kind, next(self._order), what))

    def _receive(self, post: Post, now: float) -> None:
        labels = dict(post.identity)
        alert = Alert(post.identity, post.starts_at, post.ends_at)
        self._inhibitor.hear(post.identity, post.ends_at)
        for route in self._configuration.root.reached(labels):
            kept = post.identity
            if route.group_by is not None:
                kept = tuple(pair for pair in post.identity if pair[0] in route.group_by)
            place = (id(route), kept)
            group = self._groups.get(place)
            if group is None:
                group = self._groups[place] = _Group(route, kept)
                # An alert that is old already (Alertmanager was away) has waited long enough.
                late = post.starts_at + route.group_wait < now
                self._plan(now if late else now + route.group_wait, _FLUSH, group)
            group.alerts[post.identity] = alert

    def _look(self, group: _Group, now: float) -> None:
        if self._groups.get((id(group.route), group.labels)) is not group:
            return  # swept meanwhile
        self._plan(now + group.route.group_interval, _FLUSH, group)
        if not group.alerts:
            return
        alerts = [alert for _, alert in sorted(group.alerts.items())]
        told = self._heard(group, alerts, now)
        if told:
            for integration in self._configuration.receivers[group.route.receiver]:
                self._tell(group, integration, told, now)
        for alert in alerts:
            if alert.resolved(now):
                del group.alerts[alert.identity]
        if not group.alerts:
            self._plan(self._next_sweep(now), _SWEEP, group)

    def _next_sweep(self, now: float) -> float:
        passed = (now - self._delays.began) // self._delays.sweep
        return self._delays.began + (passed + 1) * self._delays.sweep

    def _sweep(self, group: _Group) -> None:
        place = (id(group.route), group.labels)
        if not group.alerts and self._groups.get(place) is group:
            del self._groups[place]

    def _heard(self, group: _Group, alerts: Sequence[Alert], now: float) -> list[Alert]:
        """Return the alerts that nothing keeps quiet."""
        route, configuration = group.route, self._configuration
        quiet: dict[Labels, Quiet] = {}
        muted = configuration.within(route.mute, now)
        muted = muted or (bool(route.active) and not configuration.within(route.active, now))
        for alert in alerts:
            labels = alert.labels
            if self._inhibitor.inhibits(alert.identity, now):
                quiet[alert.identity] = "inhibited"
            elif muted:
                quiet[alert.identity] = "muted"
            elif any(silence.silences(labels, now) for silence in self._silences):
                quiet[alert.identity] = "silenced"
        for alert in alerts:
            why = quiet.get(alert.identity)
            if why is not None and not alert.resolved(now) and configuration.receivers[route.receiver]:
                seen = (id(route), alert.identity, alert.starts_at, why)
                self._suppressions.setdefault(seen, Suppression(now, route.receiver, alert, why))
        return [alert for alert in alerts if alert.identity not in quiet]

    def _tell(self, group: _Group, integration: Integration, alerts: Sequence[Alert], now: float) -> None:
        route = group.route
        firing = tuple(alert for alert in alerts if not alert.resolved(now))
        resolved = tuple(alert for alert in alerts if alert.resolved(now))
        key = (group.key, route.receiver, integration.kind, integration.index)
        entry = self._sent.get(key)
        if entry is not None and entry.forgotten(now):
            entry = None
        now_firing = frozenset(alert.identity for alert in firing)
        now_resolved = frozenset(alert.identity for alert in resolved)
        why = reason(
            entry,
            now_firing,
            now_resolved,
            send_resolved=integration.send_resolved,
            since=now - route.repeat_interval,
        )
        if why is None:
            return
        if firing or integration.send_resolved:
            self._notifications.append(
                Notification(
                    at=now,
                    receiver=route.receiver,
                    integration=integration.kind,
                    index=integration.index,
                    group=group.labels,
                    firing=firing,
                    resolved=resolved if integration.send_resolved else (),
                    reason=why,
                    level=route.level,
                )
            )
        taken = now + self._delays.delivery
        expires = taken + min(RETENTION, 2 * route.repeat_interval)
        self._sent[key] = Entry(taken, now_firing, now_resolved, expires)

"""The account of a replay: incidents, the pages that each made, and what that is per team and week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from airis_mon.alertmanager.replay import Alert, Notification, Outcome, Suppression
from airis_mon.cli.page_replay.evaluation import Fired
from airis_mon.cli.page_replay.workbench import Labels
from airis_mon.rules import series
from airis_mon.spec import Bundle

_Key = tuple[Labels, float]
"""An alert and when it began to fire."""
Told = dict[tuple[str, int], float]
"""Receiver and level to when it was told first."""
_TOLD = frozenset(
    (
        "alertname", series.MONITOR, series.SEVERITY, series.TEAM, series.MODEL, series.OBJECTIVE_LABEL,
        series.FOR, series.SLO_ID, series.SLO_SERVICE, series.SLO_NAME,
    )
)  # fmt: skip
"""Labels that are said in words, or that say the same once more."""
_NEWS = ("first", "more")
"""Reasons of messages that tell of something new."""


@dataclass(frozen=True)
class Subject:
    """What an alert is about, however often and however long it fires."""

    monitor: str
    severity: str
    alertname: str
    about: str
    """Objective or signal."""
    more: Labels = ()
    """Labels that keep apart what is otherwise about the same, such as a region."""

    def __str__(self) -> str:
        """As a person reads it: `ModelAnomaly error_ratio region=eu-1`."""
        return " ".join(filter(None, (self.alertname, self.about, *map("=".join, self.more))))


@dataclass(frozen=True)
class Page:
    """One message to one receiver, in whatever ways it is told."""

    at: float
    """Unix seconds."""
    receiver: str
    level: int
    """Rung of the ladder, from 1."""
    severity: str
    """`page` where any of its alerts is one."""
    team: str
    group: Labels
    """Labels of the group that is told of."""
    subjects: tuple[Subject, ...]
    """What fires, each once; of a resolution what has ended."""
    alerts: int
    """How many alerts fire."""
    reason: str
    """`first`, `more`, `fewer`, `repeat` or `resolved`."""
    channels: tuple[str, ...]
    """Ways in which the receiver is told: `webhook`, `email` ..."""

    @property
    def monitor(self) -> str:
        """Monitors that it is about."""
        return ", ".join(dict.fromkeys(subject.monitor for subject in self.subjects))

    @property
    def is_news(self) -> bool:
        """Whether it tells of an alert that the receiver did not know of."""
        return self.reason in _NEWS


@dataclass(frozen=True)
class Incident:
    """One alert, from when it began to fire until it ended."""

    subject: Subject
    team: str
    identity: Labels
    summary: str
    fired_at: float
    resolved_at: float | None
    """None: it still fires at the end of the replay."""
    told: tuple[tuple[float, str, int], ...]
    """When, to whom and at which level it was told first."""
    quiet: tuple[str, ...]
    """Why somebody was not told: `inhibited`, `muted`, `silenced`."""

    @property
    def ending(self) -> str:
        """How it ended, in a word."""
        return "still firing" if self.resolved_at is None else "resolved"


@dataclass(frozen=True)
class Week:
    """What one team heard in one week."""

    team: str
    begins: str
    """Monday, as a date."""
    pages: int
    """Times that somebody was woken by something new, at the lowest rung."""
    tickets: int
    """Likewise, for what waits for working hours."""
    repeats: int
    """Messages that told of nothing new."""
    escalations: int
    """Messages of the rungs above the lowest."""
    budget: float
    """Pages in a week that the team accepts, over all of its monitors."""


@dataclass(frozen=True)
class Account:
    """Everything that a replay found."""

    pages: tuple[Page, ...]
    """All messages, resolutions among them, in order of time."""
    incidents: tuple[Incident, ...]
    weeks: tuple[Week, ...]


def account(fired: Sequence[Fired], outcome: Outcome, bundle: Bundle, since: float) -> Account:
    """Return the account from `since` on: what was told before is not in it, nor what had ended."""
    pages = _pages(note for note in outcome.notifications if note.at >= since)
    told, quiet = _told(outcome.notifications), _quiet(outcome.suppressions)
    incidents = tuple(
        _incident(one, told, quiet)
        for one in fired
        if one.episode.resolved_at is None or one.episode.resolved_at >= since
    )
    return Account(pages, incidents, _weeks(pages, bundle))


def subject(labels: Labels) -> Subject:
    """Return what an alert with these labels is about."""
    named = dict(labels)
    about = named.get(series.OBJECTIVE_LABEL) or named.get(series.FOR) or ""
    return Subject(
        named.get(series.MONITOR, ""),
        named.get(series.SEVERITY, ""),
        named.get("alertname", ""),
        about,
        tuple((name, value) for name, value in labels if name not in _TOLD),
    )


def _pages(notes: Iterable[Notification]) -> tuple[Page, ...]:
    together: dict[tuple[object, ...], list[Notification]] = {}
    for note in notes:
        key = (note.at, note.receiver, note.level, note.group, note.reason)
        together.setdefault(key, []).append(note)
    return tuple(_page(ways) for ways in together.values())


def _page(ways: Sequence[Notification]) -> Page:
    note = ways[0]
    shown: Sequence[Alert] = note.firing or max((way.resolved for way in ways), key=len)
    subjects = tuple(dict.fromkeys(subject(alert.identity) for alert in shown))
    teams = dict.fromkeys(alert.labels.get(series.TEAM, "") for alert in shown)
    severities = {one.severity for one in subjects}
    return Page(
        at=note.at,
        receiver=note.receiver,
        level=note.level,
        severity=series.PAGE if series.PAGE in severities else min(severities, default=""),
        team=", ".join(teams),
        group=note.group,
        subjects=subjects,
        alerts=len(note.firing),
        reason=note.reason,
        channels=tuple(dict.fromkeys(way.integration for way in ways)),
    )


def _incident(fired: Fired, told: Mapping[_Key, Told], quiet: Mapping[_Key, dict[str, None]]) -> Incident:
    episode = fired.episode
    key = (fired.identity, episode.fired_at)
    return Incident(
        subject=subject(fired.identity),
        team=dict(fired.identity).get(series.TEAM, ""),
        identity=fired.identity,
        summary=fired.rule.summary,
        fired_at=episode.fired_at,
        resolved_at=episode.resolved_at,
        told=tuple(sorted((at, receiver, level) for (receiver, level), at in told.get(key, {}).items())),
        quiet=tuple(quiet.get(key, ())),
    )


def _told(notes: Iterable[Notification]) -> dict[_Key, Told]:
    found: dict[_Key, Told] = {}
    for note in notes:
        for alert in note.firing:
            known = found.setdefault((alert.identity, alert.starts_at), {})
            known.setdefault((note.receiver, note.level), note.at)
    return found


def _quiet(suppressions: Iterable[Suppression]) -> dict[_Key, dict[str, None]]:
    found: dict[_Key, dict[str, None]] = {}
    for one in suppressions:
        found.setdefault((one.alert.identity, one.alert.starts_at), {})[one.reason] = None
    return found


def _weeks(pages: Sequence[Page], bundle: Bundle) -> tuple[Week, ...]:
    budgets: defaultdict[str, float] = defaultdict(float)
    for monitor in bundle.monitors:
        budgets[monitor.alerting.team] += monitor.alerting.page_budget.pages_per_week
    rows: dict[tuple[str, str], list[Page]] = {}
    for page in pages:
        if page.reason != "resolved":
            rows.setdefault((page.team, monday(page.at)), []).append(page)
    found = []
    for (team, begins), told in sorted(rows.items()):
        # One event that several receivers of the lowest rung hear of wakes the team once.
        lowest = {(page.at, page.group, page.severity) for page in told if page.is_news and page.level == 1}
        found.append(
            Week(
                team=team,
                begins=begins,
                pages=sum(severity == series.PAGE for _, _, severity in lowest),
                tickets=sum(severity != series.PAGE for _, _, severity in lowest),
                repeats=sum(not page.is_news for page in told),
                escalations=sum(page.level > 1 and page.is_news for page in told),
                budget=budgets[team],
            )
        )
    return tuple(found)


def monday(moment: float) -> str:
    """Return the date of the Monday (UTC) of the week that a time lies in."""
    day = datetime.fromtimestamp(moment, UTC).date()
    return day.fromordinal(day.toordinal() - day.weekday()).isoformat()

"""The story: an incident, and how it travels from the model to a person and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from airis_mon.analyzer import series as analyzer
from airis_mon.demo import documents
from airis_mon.demo.inboxes import Channel, Inbox, Subject
from airis_mon.demo.servers import Alertmanager, Prometheus
from airis_mon.demo.terminal import Terminal
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series as rules

POLL = 0.5
"""Seconds between two looks: the resolution of every measured hop but the pages', which are exact."""
SIGNALS = (
    (documents.CHAT, documents.FIRST_TOKEN),
    (documents.CHAT, documents.ERRORS),
    (documents.DIGITS, documents.CONFIDENCE),
)
"""What is watched: monitor and signal, the one that pages first."""
PAGE = Subject(documents.CHAT, rules.PAGE, f"signal {documents.FIRST_TOKEN}")
TICKETS = tuple(Subject(monitor, rules.TICKET, f"signal {signal}") for monitor, signal in SIGNALS[1:])
_ALERT = {
    "alertname": rules.ANOMALY_ALERT,
    rules.MONITOR: documents.CHAT,
    rules.FOR: documents.FIRST_TOKEN,
}


class StageError(Exception):
    """A stage that did not happen within its deadline; the text says which and what was seen instead."""


@dataclass(frozen=True)
class Hop:
    """One step of the way."""

    name: str
    title: str
    seconds: float
    """From the beginning of its part of the story."""
    step: float | None
    """Seconds from the hop that it follows; None where it travels beside the others."""


@dataclass(frozen=True)
class Watch:
    """Where the story looks."""

    prometheus: Prometheus
    alertmanager: Alertmanager
    inbox: Inbox
    terminal: Terminal
    check: Callable[[], None]
    """Raises where a process that has to run has ended."""

    def score(self, monitor: str, signal: str) -> float | None:
        """Return the highest anomaly score of a signal, None while there is none."""
        chosen = matchers({analyzer.MONITOR: monitor, analyzer.FOR: signal})
        return self.prometheus.value(f"max({analyzer.SCORE}{chosen})")

    def scores(self) -> str:
        """Return all scores as a person reads them."""
        names = ("first token", "errors", "confidence")
        found = [self.score(monitor, signal) for monitor, signal in SIGNALS]
        return ", ".join(
            f"{name} {'-' if score is None else f'{score:.2f}'}"
            for name, score in zip(names, found, strict=True)
        )

    def forecasts(self) -> int:
        """Return how many series say what is to come."""
        chosen = matchers({}, f'{analyzer.HORIZON}!="{analyzer.NOW}"')
        return int(self.prometheus.value(f"count({analyzer.EXPECTED}{chosen})") or 0)

    def until(self, title: str, deadline: float, happened: Callable[[], float | None]) -> float:
        """Wait until `happened` returns a time (of `time.monotonic`), and return it.

        StageError where that takes longer than `deadline` seconds.
        """
        end = time.monotonic() + deadline
        while True:
            self.check()
            moment = happened()
            if moment is not None:
                return moment
            if time.monotonic() > end:
                raise StageError(
                    f"{title}: did not happen within {deadline:.0f} s. Scores: {self.scores()}; the alert is "
                    f"{self.prometheus.alert(_ALERT)}; {len(self.inbox.messages)} messages have come."
                )
            self.terminal.wait(f"{title} (scores: {self.scores()})")
            time.sleep(POLL)

    def until_true(self, title: str, deadline: float, holds: Callable[[], bool]) -> float:
        """Wait until `holds` is true and return when that was seen."""
        return self.until(title, deadline, lambda: time.monotonic() if holds() else None)

    def calm(self, seconds: float, deadline: float) -> None:
        """Wait until forecasts are there and no signal has been anomalous for `seconds`."""
        since: float | None = None

        def quiet() -> bool:
            nonlocal since
            found = [self.score(monitor, signal) for monitor, signal in SIGNALS]
            calm = all(score is not None and score < 1 for score in found) and self.forecasts() > 0
            calm = calm and self.prometheus.alert(_ALERT) == "inactive"
            since = (since or time.monotonic()) if calm else None
            return since is not None and time.monotonic() - since >= seconds

        self.until_true("waiting for calm", deadline, quiet)


class Itinerary:
    """The hops of one part of the story, told as they happen."""

    def __init__(self, terminal: Terminal, began: float, beginning: str, style: str) -> None:
        """`began` is of `time.monotonic`; `beginning` is what a person calls it."""
        self.hops: list[Hop] = []
        self._terminal = terminal
        self._began = began
        self._beginning = beginning
        self._style = style
        self._reached = began

    def reach(self, name: str, title: str, moment: float) -> None:
        """Take note of a hop that those after it follow."""
        self._add(Hop(name, title, moment - self._began, moment - self._reached))
        self._reached = moment

    def arrive(self, name: str, title: str, moment: float, *, beside: bool = False) -> None:
        """Take note of an end of the way, which nothing follows; `beside` for one that came another way."""
        step = None if beside else moment - self._reached
        self._add(Hop(name, title, moment - self._began, step))

    def _add(self, hop: Hop) -> None:
        self.hops.append(hop)
        text = f"{hop.title} ({hop.seconds:.1f} s after the {self._beginning})"
        self._terminal.say(text, style=self._style)


def travel_out(watch: Watch, began: float) -> list[Hop]:
    """Follow the incident, which `began` then, from the score to the last inbox."""
    way = Itinerary(watch.terminal, began, "incident", "yellow")

    def anomalous() -> bool:
        return (watch.score(*SIGNALS[0]) or 0) >= 1

    moment = watch.until_true(f"the score of {documents.FIRST_TOKEN} rises", 90, anomalous)
    score = watch.score(*SIGNALS[0]) or 0
    way.reach("score", f"analyzer: {documents.FIRST_TOKEN} scores {score:.1f}; 1 is anomalous", moment)
    moment = watch.until_true(
        "the alert is pending", 30, lambda: watch.prometheus.alert(_ALERT) != "inactive"
    )
    way.reach("pending", "Prometheus: the alert is pending", moment)
    moment = watch.until_true("the alert fires", 60, lambda: watch.prometheus.alert(_ALERT) == "firing")
    way.reach("firing", "Prometheus: the alert fires", moment)
    moment = watch.until_true("Alertmanager holds it", 30, lambda: watch.alertmanager.holds(_ALERT))
    way.reach("alertmanager", "Alertmanager: the alert is active", moment)
    for name, title, channel in _CHANNELS:
        moment = _message(watch, channel, PAGE, began, resolved=False)
        way.arrive(f"page_{name}", f"page received: {title}", moment)
    for ticket in TICKETS:
        title = f"ticket received: {ticket.monitor}, {ticket.about}"
        moment = _message(watch, "http", ticket, began, resolved=False)
        way.arrive(f"ticket_{ticket.about}", title, moment, beside=True)
    return way.hops


def travel_back(watch: Watch, began: float) -> list[Hop]:
    """Follow the repair, which `began` then, to the last inbox."""
    way = Itinerary(watch.terminal, began, "repair", "green")

    def as_expected() -> bool:
        score = watch.score(*SIGNALS[0])
        return score is not None and score < 1

    moment = watch.until_true("the score falls", 180, as_expected)
    way.reach("score_back", "analyzer: the score is back below 1", moment)
    moment = watch.until_true("the alert ends", 60, lambda: watch.prometheus.alert(_ALERT) == "inactive")
    way.reach("inactive", "Prometheus: the alert has ended", moment)
    for name, title, channel in _CHANNELS:
        moment = _message(watch, channel, PAGE, began, resolved=True)
        way.arrive(f"resolved_{name}", f"resolution received: {title}", moment)
    return way.hops


_CHANNELS: tuple[tuple[str, str, Channel], ...] = (
    ("http", "webhook in the HTTP inbox", "http"),
    ("smtp", "mail in the SMTP inbox", "smtp"),
)


def _message(watch: Watch, channel: Channel, subject: Subject, since: float, *, resolved: bool) -> float:
    def arrived() -> float | None:
        message = watch.inbox.first(channel, subject, since=since, resolved=resolved)
        return None if message is None else message.at

    what = "resolution" if resolved else subject.severity
    return watch.until(f"{what} of {subject.monitor} by {channel}", 90, arrived)


def summary(counts: Mapping[str, int], out: list[Hop], back: list[Hop]) -> dict[str, float]:
    """Return what the demo's last line says."""
    seconds = {hop.name: round(hop.seconds, 1) for hop in (*out, *back)}
    return {
        **counts,
        "score_seconds": seconds["score"],
        "pending_seconds": seconds["pending"],
        "firing_seconds": seconds["firing"],
        "page_http_seconds": seconds["page_http"],
        "page_smtp_seconds": seconds["page_smtp"],
        "resolved_seconds": max(seconds["resolved_http"], seconds["resolved_smtp"]),
    }

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
        found = {signal: self.score(monitor, signal) for monitor, signal in SIGNALS}
        return ", ".join(
            f"{name} {'-' if score is None else f'{score:.2f}'}" for name, score in found.items()
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
            self.terminal.wait(f"{title} ... (scores: {self.scores()})")
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


def travel_out(watch: Watch, began: float) -> list[Hop]:
    """Follow the incident, which `began` then, from the score to the last inbox."""
    hops: list[Hop] = []

    def hop(name: str, title: str, moment: float) -> None:
        hops.append(Hop(name, title, moment - began))
        watch.terminal.say(f"{title} ({moment - began:.1f} s after the incident)", style="yellow")

    def score() -> bool:
        return (watch.score(*SIGNALS[0]) or 0) >= 1

    moment = watch.until_true(f"the score of {documents.FIRST_TOKEN} rises", 90, score)
    value = watch.score(*SIGNALS[0]) or 0
    hop("score", f"anomaly score of {documents.FIRST_TOKEN} is {value:.1f}, 1 and more is anomalous", moment)
    state = watch.until_true("the alert is pending", 30, lambda: watch.prometheus.alert(_ALERT) != "inactive")
    hop("pending", "Prometheus: the alert is pending", state)
    state = watch.until_true("the alert fires", 60, lambda: watch.prometheus.alert(_ALERT) == "firing")
    hop("firing", "Prometheus: the alert fires", state)
    state = watch.until_true("Alertmanager holds it", 30, lambda: watch.alertmanager.holds(_ALERT))
    hop("alertmanager", "Alertmanager holds the alert", state)
    for name, title, channel in _CHANNELS:
        hop(f"page_{name}", f"page received: {title}", _message(watch, channel, PAGE, began, resolved=False))
    for ticket in TICKETS:
        title = f"ticket received: {ticket.monitor}, {ticket.about}"
        hop(f"ticket_{ticket.about}", title, _message(watch, "http", ticket, began, resolved=False))
    return hops


def travel_back(watch: Watch, began: float) -> list[Hop]:
    """Follow the repair, which `began` then, to the last inbox."""
    hops: list[Hop] = []

    def hop(name: str, title: str, moment: float) -> None:
        hops.append(Hop(name, title, moment - began))
        watch.terminal.say(f"{title} ({moment - began:.1f} s after the repair)", style="green")

    def back() -> bool:
        score = watch.score(*SIGNALS[0])
        return score is not None and score < 1

    hop("score_back", "the score is back below 1", watch.until_true("the score falls", 180, back))
    state = watch.until_true("the alert ends", 60, lambda: watch.prometheus.alert(_ALERT) == "inactive")
    hop("inactive", "Prometheus: the alert has ended", state)
    for name, title, channel in _CHANNELS:
        moment = _message(watch, channel, PAGE, began, resolved=True)
        hop(f"resolved_{name}", f"resolution received: {title}", moment)
    return hops


_CHANNELS: tuple[tuple[str, str, Channel], ...] = (
    ("http", "webhook in the HTTP inbox", "http"),
    ("smtp", "mail in the SMTP inbox", "smtp"),
)


def _message(watch: Watch, channel: Channel, subject: Subject, since: float, *, resolved: bool) -> float:
    def arrived() -> float | None:
        message = watch.inbox.first(channel, subject, since=since, resolved=resolved)
        return None if message is None else message.at

    what = "resolution" if resolved else "message"
    return watch.until(f"{what} about {subject.about} by {channel}", 60, arrived)


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

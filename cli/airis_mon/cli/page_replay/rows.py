"""The account as rows of text: what the table and the HTML page both show, said once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from airis_mon.cli.page_replay.account import Incident, Page, Week
from airis_mon.spec import format_duration

_REASONS = {
    "first": "new",
    "more": "more alerts",
    "fewer": "fewer alerts",
    "repeat": "still firing",
    "resolved": "resolved",
}


@dataclass(frozen=True)
class Row:
    """A message, with the repetitions that followed it and told nothing new."""

    page: Page
    repeats: int = 0

    @property
    def why(self) -> str:
        """Why it was sent, in words."""
        said = _REASONS[self.page.reason]
        return f"{said}, repeated {self.repeats}x" if self.repeats else said

    @property
    def what(self) -> str:
        """What it is about."""
        return ", ".join(map(str, self.page.subjects))


def rows(pages: Sequence[Page]) -> list[Row]:
    """Return the messages in order of time, repetitions folded into what they repeat."""
    found: list[Row] = []
    last: dict[Hashable, int] = {}
    for page in pages:
        key = (page.receiver, page.level, page.group)
        if page.reason == "repeat" and key in last:
            row = found[last[key]]
            found[last[key]] = replace(row, repeats=row.repeats + 1)
        else:
            last[key] = len(found)
            found.append(Row(page))
    return found


def moment(at: float) -> str:
    """Return a time as a person reads it; UTC, as everything here."""
    return datetime.fromtimestamp(at, UTC).strftime("%a %m-%d %H:%M:%S")


def lasted(incident: Incident, until: float) -> str:
    """Return how long an incident lasted, or has lasted so far."""
    seconds = round((incident.resolved_at or until) - incident.fired_at)
    return format_duration(seconds) + ("" if incident.resolved_at is not None else " so far")


def began(incident: Incident, since: float) -> str:
    """Return when an incident began."""
    return "before" if incident.fired_at < since else moment(incident.fired_at)


def heard(incident: Incident) -> str:
    """Return who was told of an incident, and how long after its beginning; or why nobody was."""
    told = ", ".join(
        f"{receiver} (level {level}) after {format_duration(round(at - incident.fired_at))}"
        for at, receiver, level in incident.told
    )
    return told or (f"nobody: {', '.join(incident.quiet)}" if incident.quiet else "nobody")


def spanned(since: float, until: float, asked_since: float | None) -> str:
    """Return the time that was replayed, and why it is less than what was asked for."""
    said = f"{moment(since)} to {moment(until)} UTC"
    if asked_since is None:
        return said
    return f"{said}; asked for from {moment(asked_since)} on, and there is no data before"


def budget(week: Week) -> str:
    """Return the pages of a week beside those that the team accepts."""
    return f"{week.pages} of {week.budget:.3g}"


def shift(seconds: float) -> str:
    """Return how much later or earlier a page comes."""
    return f"{format_duration(abs(round(seconds)))} {'later' if seconds > 0 else 'earlier'}"

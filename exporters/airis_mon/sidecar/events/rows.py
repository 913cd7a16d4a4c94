"""Events as a store holds them, and what is asked of it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

import msgspec

from airis_mon.sidecar.items import Event

_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, order=True)
class Place:
    """Where an event stands among all, newest last."""

    timestamp: float
    """Of the event; seconds since 1970."""
    sequence: int
    """Of its record in the journal."""
    position: int
    """In the record, from 0."""
    stream: str = field(default="", compare=False)
    """Of the journal, as a store says it that several share: what comes last in the order of a page."""

    def cursor(self) -> str:
        """Return it as a text for a URL."""
        text = f"{self.timestamp!r} {self.sequence} {self.position} {self.stream}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def at(cls, cursor: str) -> Place:
        """Return the place of a cursor; ValueError where it is none of ours."""
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
            timestamp, sequence, position, stream = text.split(" ")
            place = cls(float(timestamp), int(sequence), int(position), stream)
        except (binascii.Error, ValueError):
            raise ValueError("no cursor of an answer") from None
        if not (abs(place.timestamp) < 1e12 and 0 <= place.sequence < 2**63 and 0 <= place.position < 2**31):
            raise ValueError("no cursor of an answer")
        return place


@dataclass(frozen=True)
class Row:
    """One event in a store."""

    place: Place
    event_type: str
    severity: str
    source: str
    body: str
    """The whole event as JSON."""


@dataclass(frozen=True)
class Query:
    """Which events are asked for, newest first."""

    since: float | None = None
    """Seconds since 1970, included."""
    until: float | None = None
    """Seconds since 1970, excluded."""
    event_type: str | None = None
    severity: str | None = None
    source: str | None = None
    before: Place | None = None
    """Behind which the page begins."""
    limit: int = 100


def row(event: Event, sequence: int, position: int) -> Row:
    """Return an event as a row."""
    try:
        body = _ENCODER.encode(event)
    except (TypeError, ValueError, RecursionError) as error:
        # Of a version that did not refuse it: one such event must not keep all others from the store.
        body = _ENCODER.encode(msgspec.structs.replace(event, attributes={"not_kept": str(error)}))
    return Row(
        Place(event.timestamp.timestamp(), sequence, position),
        word(event.event_type),
        word(event.severity),
        word(event.source),
        body.decode(),
    )


def word(text: str) -> str:
    """Return a text that every store takes, to be compared by; PostgreSQL knows no NUL."""
    return text.replace("\x00", "\ufffd")

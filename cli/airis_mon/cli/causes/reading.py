"""Signals and events of one incident -> their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import requests

from airis_mon.analyzer.causes import Event, Ranking, Signal, Window, rank
from airis_mon.analyzer.query import Querier
from airis_mon.cli.capacity.signals import SignalError, mistyped
from airis_mon.cli.causes.happenings import Span, happenings
from airis_mon.cli.causes.reported import reported
from airis_mon.cli.causes.signals import Asked, others, symptoms, upstream
from airis_mon.spec import Monitor

Count = Callable[[int, int, str], None]
"""Told how far it is: done, of how many, of what."""
STEP = 60
"""Seconds between readings."""
_AFTER = 600
"""Seconds after the incident that are looked at as well: a course shows what goes together."""


@dataclass(frozen=True)
class Question:
    """Which incident, and how far back to look."""

    at: float
    """When it was noticed, in seconds since the epoch."""
    since: int
    """Seconds before it in which a cause is looked for."""
    history: int
    """Seconds before these that what is usual is learnt from."""
    now: float
    signal: str = ""
    """Signal or PromQL that shows the incident; empty: that of an objective."""
    also: Mapping[str, str] | None = None
    """Other expressions to look at, by name."""
    events: str = ""
    """URL of a sidecar; empty: none is asked."""


def ranking(
    monitor: Monitor,
    monitors: Sequence[Monitor],
    querier: Querier,
    session: requests.Session,
    asked: Question,
    count: Count = lambda *_: None,
) -> Ranking:
    """Return what changed before an incident; an error of one of its parts where nothing is known."""
    end = int(min(asked.at + _AFTER, asked.now)) // STEP * STEP
    begin = int(asked.at - asked.since) // STEP * STEP
    columns = (end - begin) // STEP + 1
    if columns < 3:
        raise SignalError("there is no time between --since and the incident; look at more")
    depended = upstream(monitor, monitors)
    span = Span(begin, end, STEP)
    events: list[Event] = happenings(monitor, depended, querier, span)
    if asked.events:
        events += reported(asked.events, span, session)
    window = Window(end, STEP, columns, asked.at)
    first = begin - asked.history
    groups = symptoms(monitor, asked.signal)
    best: Ranking | None = None
    for felt in groups:
        known = _signals(felt, querier, first, end, count)
        if not known:
            continue
        also = _signals(others(monitor, felt, depended, asked.also or {}), querier, first, end, count)
        found = rank(known, also, events, window)
        if found.visible:
            return found
        best = best or found
    if best is None:
        names = ", ".join(dict.fromkeys(f"`{one.name}`" for felt in groups for one in felt))
        raise SignalError(
            mistyped(monitor, asked.signal)
            or f"nothing came for {names} in all that time; `airis-mon check --live` says what is missing, "
            "and --signal names another"
        )
    return best


def _signals(asked: Sequence[Asked], querier: Querier, begin: int, end: int, count: Count) -> list[Signal]:
    found = []
    for done, one in enumerate(asked):
        count(done, len(asked), f"signals read; now {one.name}")
        frame = querier.range(one.expression, begin, end, STEP)
        if len(frame.labels) > 1:
            raise SignalError(
                f"`{one.expression}` gives {len(frame.labels)} series, and one is needed; put sum() or max() "
                "around it"
            )
        if frame.labels:
            found.append(Signal(one.name, frame.values[0], one.outside))
    return found

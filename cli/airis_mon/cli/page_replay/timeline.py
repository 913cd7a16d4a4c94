"""Incidents and messages along time, as a drawing (SVG) that needs nothing beside it."""

from __future__ import annotations

import html
import time
from collections.abc import Iterator

from airis_mon.cli.page_replay.account import Account
from airis_mon.cli.page_replay.replay import Span
from airis_mon.rules import series

_WIDTH, _NAMES, _ROW, _TOP = 1000, 170, 34, 24
_THINNEST = 2.0
"""Width that even the shortest incident has."""
_LONGEST_NAME = 24
MOST = 40
"""Monitors that are drawn; those with the most incidents."""
_STEPS = (300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 7 * 86_400, 30 * 86_400)
"""Seconds between two lines of the grid; the first that gives at most ten of them."""


def drawing(account: Account, span: Span) -> str:
    """Return the drawing; nothing where nothing happened."""
    monitors = _monitors(account)
    if not monitors:
        return ""
    height = _TOP + _ROW * len(monitors) + 6
    parts = [*_grid(span, height), *_rows(account, monitors, span)]
    label = "Incidents as bars, new messages as triangles, one row for each monitor"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">' + "".join(parts) + "</svg>"
    )


def _monitors(account: Account) -> list[str]:
    counts: dict[str, int] = {}
    for incident in account.incidents:
        counts[incident.subject.monitor] = counts.get(incident.subject.monitor, 0) + 1
    most = sorted(counts, key=lambda monitor: (-counts[monitor], monitor))[:MOST]
    return sorted(most)


def _x(at: float, span: Span) -> float:
    share = (min(max(at, span.since), span.until) - span.since) / (span.until - span.since)
    return round(_NAMES + share * (_WIDTH - _NAMES - 8), 1)


def _grid(span: Span, height: int) -> Iterator[str]:
    whole = span.until - span.since
    step = next((step for step in _STEPS if whole / step <= 10), _STEPS[-1])
    form = "%a %m-%d" if step >= 86_400 else "%H:%M"
    for number in range(int(span.since // step) + 1, int(span.until // step) + 1):
        at = _x(number * step, span)
        said = time.strftime(form, time.gmtime(number * step))
        yield f'<line class="grid" x1="{at}" x2="{at}" y1="{_TOP - 4}" y2="{height}"/>'
        yield f'<text x="{at}" y="14" text-anchor="middle">{said}</text>'


def _rows(account: Account, monitors: list[str], span: Span) -> Iterator[str]:
    places = {monitor: _TOP + _ROW * index for index, monitor in enumerate(monitors)}
    for monitor, top in places.items():
        name = monitor if len(monitor) <= _LONGEST_NAME else monitor[: _LONGEST_NAME - 1] + "…"
        yield f'<text x="8" y="{top + 20}">{html.escape(name)}</text>'
    for incident in account.incidents:
        place = places.get(incident.subject.monitor)
        if place is not None:
            begin, end = _x(incident.fired_at, span), _x(incident.resolved_at or span.until, span)
            page = incident.subject.severity == series.PAGE
            kind, offset = ("page", 4) if page else ("ticket", 17)
            width = round(max(end - begin, _THINNEST), 1)
            yield f'<rect class="bar-{kind}" x="{begin}" y="{place + offset}" width="{width}" height="10"/>'
    for told in account.pages:
        if told.is_news and told.at >= span.since:
            for monitor in dict.fromkeys(subject.monitor for subject in told.subjects):
                if monitor in places:
                    at, top = _x(told.at, span), places[monitor] + 1
                    yield f'<path class="mark" d="M{at - 4} {top} h8 l-4 7 z"/>'

"""The accounts of many series as one HTML page that needs nothing beside it; every text in it is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from airis_mon.analyzer.explanation.account import Account
from airis_mon.analyzer.explanation.drawing import Picture, svg
from airis_mon.analyzer.explanation.page import description, episode_table, legend, style
from airis_mon.analyzer.explanation.wording import moment, plural
from airis_mon.report import document

DRAWN = 30
"""Series that are drawn: those that told somebody the most often, then those with the most episodes."""
SHOWN = 2000
"""Rows of the table of series."""


def overview(accounts: Sequence[Account]) -> str:
    """Return the page."""
    return document("What the analyzer would have told", _body(accounts), style=style())


def _body(accounts: Sequence[Account]) -> Iterator[str]:
    ordered = sorted(accounts, key=lambda one: (-_told(one), -len(one.episodes), one.name))
    if not ordered:
        yield "<p>No series had a value in that time.</p>"
        return
    begin = min(int(one.course.timestamps[0]) for one in accounts)
    end = max(int(one.course.timestamps[-1]) for one in accounts)
    yield (
        f"<p>{_text(moment(begin))} to {_text(moment(end))} UTC, judged as the analyzer judges it live. "
        "Below is what would have been told; nothing was sent.</p>"
    )
    yield _table(ordered)
    drawn = [one for one in ordered[:DRAWN] if one.episodes]
    for index, account in enumerate(drawn):
        yield f'<h2 id="series-{index}">{_text(account.name)}</h2>'
        picture = Picture(account.course, account.episodes, None, account.query.unit, account.incidents)
        yield f'<div class="wide">{svg(picture, account.name, description(account), f"chart-{index}")}</div>'
        yield legend(account)
        yield episode_table(account)


def _told(account: Account) -> int:
    return sum(len(episode.told) for episode in account.episodes)


def _table(ordered: Sequence[Account]) -> str:
    columns = ("series", "episodes", "pages", "tickets", "false a week", "accepted")
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    rows = "".join(_row(columns, index, account) for index, account in enumerate(ordered[:SHOWN]))
    rest = len(ordered) - SHOWN
    more = f"<p>And {_text(plural(rest, 'quieter one'))}.</p>" if rest > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"


def _row(columns: Sequence[str], index: int, account: Account) -> str:
    name = _text(account.name)
    if index < DRAWN and account.episodes:
        name = f'<a href="#series-{index}">{name}</a>'
    weekly = max(account.weekly(severity) for severity in account.waits)
    over = weekly > account.query.false_pages_per_week
    cells = (
        name,
        f"{len(account.episodes)}",
        *(
            f"{len(account.told(severity))}" if severity in account.waits else "-"
            for severity in ("page", "ticket")
        ),
        f'<span class="{"anomalous" if over else "usual"}">{weekly:.2g}</span>',
        f"{account.query.false_pages_per_week:g}",
    )
    line = "".join(
        f'<td data-label="{column}">{cell}</td>' for column, cell in zip(columns, cells, strict=True)
    )
    return f"<tr>{line}</tr>"


def _text(text: str) -> str:
    return html.escape(text, quote=True)

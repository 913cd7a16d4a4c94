"""The account as one HTML page that needs nothing beside it; every text in it is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from importlib import resources

from airis_mon.cli.page_replay.account import Account, Incident
from airis_mon.cli.page_replay.comparison import Comparison
from airis_mon.cli.page_replay.replay import Span
from airis_mon.cli.page_replay.rows import Row, began, budget, heard, lasted, moment, rows, shift, spanned
from airis_mon.cli.page_replay.timeline import drawing
from airis_mon.cli.wording import plural
from airis_mon.report import document
from airis_mon.rules import series
from airis_mon.spec import format_duration

SHOWN = 2_000
"""Rows of one table; a browser has to scroll through them."""

_Cells = Sequence[object]


def page(
    names: Sequence[str],
    accounts: Sequence[Account],
    comparison: Comparison | None,
    span: Span,
    notes: Sequence[str],
) -> str:
    """Return the page: of one version of the documents, or of two and what changes from the second on."""
    body = [
        _paragraph(f"{spanned(span.since, span.until, span.asked_since)}. Rules evaluated every "
                   f"{format_duration(span.interval)}, from past data; nobody was told."),
        *map(_paragraph, notes),
    ]  # fmt: skip
    if comparison is not None:
        body += _changes(names[1], names[0], comparison, span)
    for name, account in zip(names, accounts, strict=True):
        body += _account(name, account, span)
    style = resources.files("airis_mon.cli.page_replay").joinpath("report.css").read_text(encoding="utf-8")
    return document("Who would have been paged", body, style=style)


def _account(name: str, account: Account, span: Span) -> list[str]:
    found = [_heading(name), _tiles(account), drawing(account, span)]
    found.append(
        _table(
            "Per team and week",
            ("team", "week of", "pages", "tickets", "escalations", "repeats"),
            (
                ("page" if week.pages > week.budget else "",
                 (week.team, week.begins, budget(week), week.tickets, week.escalations, week.repeats))
                for week in account.weeks
            ),
            len(account.weeks),
        )
    )  # fmt: skip
    found.append(_incidents("Incidents", account.incidents, span))
    folded = rows(account.pages)
    for receiver, level in sorted({(row.page.receiver, row.page.level) for row in folded}):
        own = [row for row in folded if (row.page.receiver, row.page.level) == (receiver, level)]
        found.append(_messages(f"Messages to {receiver}, level {level}", own))
    return found


def _changes(before: str, after: str, comparison: Comparison, span: Span) -> list[str]:
    moved = (
        ("", (moment(move.before.at), shift(move.seconds), move.before.receiver, move.before.level,
              Row(move.before).what, move.before.monitor))
        for move in comparison.moved
    )  # fmt: skip
    return [
        _heading(f"What changes from {before} to {after}"),
        '<div class="tiles">'
        + _tile(len(comparison.added), "messages come")
        + _tile(len(comparison.gone), "messages go")
        + _tile(len(comparison.moved), "messages move")
        + _tile(comparison.same, "messages stay")
        + "</div>",
        _messages(f"Only {after} sends", [Row(one) for one in comparison.added]),
        _messages(f"Only {before} sends", [Row(one) for one in comparison.gone]),
        _table(
            "At another time",
            ("was", "comes", "receiver", "level", "about", "monitor"),
            moved,
            len(comparison.moved),
        ),
        _incidents(f"Incidents that only {after} sees", comparison.only_after, span),
        _incidents(f"Incidents that only {before} sees", comparison.only_before, span),
    ]


def _tiles(account: Account) -> str:
    pages = sum(week.pages for week in account.weeks)
    over = any(week.pages > week.budget for week in account.weeks)
    return (
        '<div class="tiles">'
        + _tile(pages, "pages, beyond a team's budget" if over else "pages, within the budgets",
                "over" if over else "within")
        + _tile(sum(week.tickets for week in account.weeks), "tickets")
        + _tile(sum(week.escalations for week in account.weeks), "escalations")
        + _tile(sum(week.repeats for week in account.weeks), "repeats")
        + _tile(len(account.incidents), "incidents")
        + "</div>"
    )  # fmt: skip


def _tile(number: int, what: str, kind: str = "") -> str:
    return f'<div class="tile {kind}"><b>{number}</b>{_text(what)}</div>'


def _incidents(title: str, incidents: Sequence[Incident], span: Span) -> str:
    columns = ("fires", "for", "severity", "alert", "monitor", "team", "told", "ends", "summary")
    lines = (
        (one.subject.severity,
         (began(one, span.since), lasted(one, span.until), one.subject.severity, one.subject,
          one.subject.monitor, one.team, heard(one), one.ending, one.summary))
        for one in incidents
    )  # fmt: skip
    return _table(title, columns, lines, len(incidents))


def _messages(title: str, messages: Sequence[Row]) -> str:
    columns = ("at", "receiver", "level", "severity", "about", "monitor", "alerts", "why", "by")
    lines = (
        ("resolved" if row.page.reason == "resolved" else row.page.severity,
         (moment(row.page.at), row.page.receiver, row.page.level, row.page.severity, row.what,
          row.page.monitor, row.page.alerts, row.why, ", ".join(row.page.channels)))
        for row in messages
    )  # fmt: skip
    return _table(title, columns, lines, len(messages))


def _table(title: str, columns: Sequence[str], lines: Iterable[tuple[str, _Cells]], number: int) -> str:
    heading = f"{_heading(title)}"
    if not number:
        return heading + _paragraph("None.")
    head = "".join(f"<th>{_text(column)}</th>" for column in columns)
    shown = []
    for index, (kind, cells) in enumerate(lines):
        if index == SHOWN:
            break
        known = {series.PAGE: "page", series.TICKET: "ticket", "resolved": "resolved"}.get(kind, "")
        shown.append(_line(known, columns, cells))
    rest = _paragraph(f"And {plural(number - SHOWN, 'more row')}.") if number > SHOWN else ""
    return f"{heading}<table><thead><tr>{head}</tr></thead><tbody>{''.join(shown)}</tbody></table>{rest}"


def _line(kind: str, columns: Sequence[str], cells: _Cells) -> str:
    said = "".join(
        f'<td data-label="{_text(column)}"{_colour(column, kind)}>{_text(str(cell))}</td>'
        for column, cell in zip(columns, cells, strict=True)
    )
    return f'<tr class="{kind}">{said}</tr>' if kind == "resolved" else f"<tr>{said}</tr>"


def _colour(column: str, kind: str) -> str:
    coloured = column in ("severity", "pages") and kind in ("page", "ticket")
    return f' class="{kind}"' if coloured else ""


def _heading(text: str) -> str:
    return f"<h2>{_text(text)}</h2>"


def _paragraph(text: str) -> str:
    return f"<p>{_text(text)}</p>"


def _text(text: str) -> str:
    return html.escape(text, quote=True)

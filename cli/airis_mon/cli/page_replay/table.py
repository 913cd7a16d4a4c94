"""The account on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich.table import Table

from airis_mon.cli.console import add as _add
from airis_mon.cli.console import console as _console
from airis_mon.cli.console import table as _table
from airis_mon.cli.page_replay.account import Account, Incident
from airis_mon.cli.page_replay.comparison import Comparison
from airis_mon.cli.page_replay.replay import Span
from airis_mon.cli.page_replay.rows import Row, began, budget, heard, lasted, moment, rows, shift, spanned

SHOWN = 100
"""Rows of one table; the rest is counted, and in the HTML page."""


def write_span(stream: TextIO, span: Span) -> None:
    """Write which time the account is about."""
    _console(stream).print(spanned(span.since, span.until, span.asked_since))


def write(stream: TextIO, name: str, account: Account, span: Span) -> None:
    """Write one version's incidents, messages per receiver and level, and weeks."""
    console = _console(stream)
    console.print(_incidents(f"{name}: incidents", account.incidents, span))
    folded = rows(account.pages)
    for receiver, level in sorted({(row.page.receiver, row.page.level) for row in folded}):
        own = [row for row in folded if (row.page.receiver, row.page.level) == (receiver, level)]
        console.print(_messages(f"{name}: messages to {receiver}, level {level}", own))
    table = _table(
        f"{name}: per team and week", "team", "week of", "pages", "tickets", "escalations", "repeats"
    )
    for week in account.weeks:
        over = "red" if week.pages > week.budget else ""
        _add(
            table,
            (week.team, week.begins, budget(week), week.tickets, week.escalations, week.repeats),
            style=over,
        )
    console.print(table)


def write_comparison(stream: TextIO, before: str, after: str, comparison: Comparison, span: Span) -> None:
    """Write what changes between two versions."""
    console = _console(stream)
    for title, pages in (
        (f"pages that only {after} sends", comparison.added),
        (f"pages that only {before} sends", comparison.gone),
    ):
        console.print(_messages(title, [Row(page) for page in pages]))
    table = _table("pages that move", "was", "comes", "receiver", "level", "about")
    for move in comparison.moved[:SHOWN]:
        page = move.before
        _add(table, (moment(page.at), shift(move.seconds), page.receiver, page.level, Row(page).what))
    _rest(table, len(comparison.moved))
    console.print(table)
    console.print(_incidents(f"incidents that only {after} sees", comparison.only_after, span))
    console.print(_incidents(f"incidents that only {before} sees", comparison.only_before, span))
    console.print(
        f"{comparison.same} messages stay, {len(comparison.added)} come, {len(comparison.gone)} go, "
        f"{len(comparison.moved)} move."
    )


def _incidents(title: str, incidents: Sequence[Incident], span: Span) -> Table:
    table = _table(title, "fires", "for", "severity", "alert", "monitor", "team", "told", "ends")
    for one in incidents[:SHOWN]:
        subject = one.subject
        cells = (
            began(one, span.since), lasted(one, span.until), subject.severity, subject, subject.monitor,
            one.team, heard(one), one.ending,
        )  # fmt: skip
        _add(table, cells, style="bold" if subject.severity == "page" else "")
    _rest(table, len(incidents))
    return table


def _messages(title: str, messages: Sequence[Row]) -> Table:
    table = _table(title, "at", "receiver", "level", "severity", "about", "monitor", "alerts", "why", "by")
    for row in messages[:SHOWN]:
        page = row.page
        cells = (
            moment(page.at), page.receiver, page.level, page.severity, row.what, page.monitor, page.alerts,
            row.why, ", ".join(page.channels),
        )  # fmt: skip
        _add(table, cells, style="dim" if page.reason == "resolved" else "")
    _rest(table, len(messages))
    return table


def _rest(table: Table, whole: int) -> None:
    if whole > SHOWN:
        _add(table, (f"and {whole - SHOWN} more",))

"""Tables on a terminal, or in a file that somebody reads later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from airis_mon.cli.wording import printable

_WIDEST = 160
_NARROWEST = 100


def console(stream: TextIO) -> Console:
    """Return a console that prints what it is given as it is; as wide as the terminal, within limits."""
    found = Console(file=stream, highlight=False, markup=False, emoji=False)
    width = min(_WIDEST, max(_NARROWEST, found.width)) if found.is_terminal else _WIDEST
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=width)


def table(title: str, *columns: str) -> Table:
    """Return an empty table."""
    made = Table(title=Text(printable(title)), title_justify="left")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def add(to: Table, cells: Iterable[object], style: str = "") -> None:
    """Add a row; what a person wrote is never markup, nor a control character of the terminal."""
    to.add_row(*(Text(printable(str(cell))) for cell in cells), style=style)

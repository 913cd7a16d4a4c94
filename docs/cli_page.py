"""docs/cli.md: what every command says of itself under --help."""

from __future__ import annotations

import contextlib
import io
import os
import re

from airis_mon.cli.main import COMMANDS, main
from docs import markdown

LOOKS = {"COLUMNS": "100", "NO_COLOR": "1"}
"""Environment that argparse lays its help out by."""


def text() -> str:
    """Return the page."""
    before = {name: os.environ.get(name) for name in LOOKS}
    os.environ.update(LOOKS)
    try:
        parts = [_block(_help())]
        for command in COMMANDS:
            parts += [f"## airis-mon {command}", _block(_help(command))]
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return markdown.page("Commands", *parts)


def _help(*command: str) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main([*command, "--help"])
    return said.getvalue()


def _block(said: str) -> str:
    # Python 3.13 writes the value of an option once; so do we, whichever Python this runs on.
    said = re.sub(r"(-\w) ([A-Z][A-Z:]*), (--[\w.-]+ \2)(?P<gap> *)", _once, said)
    return f"```text\n{said.strip()}\n```"


def _once(match: re.Match[str]) -> str:
    gap = " " * (len(match["gap"]) + len(match[2]) + 1) if match["gap"] else ""
    return f"{match[1]}, {match[3]}{gap}"

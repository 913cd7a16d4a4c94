"""docs/cli.md: what every command, and every action of one, says of itself under --help."""

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
            said = _help(command)
            parts += [f"## airis-mon {command}", _block(said)]
            for action in _actions(said):
                parts += [f"### airis-mon {command} {action}", _block(_help(command, action))]
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return markdown.page("Commands", *parts)


def _actions(said: str) -> list[str]:
    """Return the actions that a command says it has: they stand below their place holder."""
    _, found, rest = said.partition("\n  ACTION\n")
    return re.findall(r"^    (\w+)", rest.partition("\n\n")[0], re.MULTILINE) if found else []


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

"""docs/cli.md: what every command says of itself under --help."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from docs import markdown

WIDTH = "100"


def text() -> str:
    """Return the page."""
    overview = _help()
    commands = re.findall(r"^  ([a-z]+) +\S.*$", overview.partition("commands:")[2], re.MULTILINE)
    parts = [_block(overview)]
    for command in commands:
        parts += [f"## airis-mon {command}", _block(_help(command))]
    return markdown.page("Commands", *parts)


def _help(*command: str) -> str:
    environment = {**os.environ, "COLUMNS": WIDTH, "NO_COLOR": "1", "PYTHON_COLORS": "0", "TERM": "dumb"}
    done = subprocess.run(
        [sys.executable, "-m", "airis_mon.cli", *command, "--help"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
        timeout=60,
    )
    return done.stdout


def _block(said: str) -> str:
    # Python 3.13 writes the value of an option once; so do we, whichever Python this runs on.
    said = re.sub(r"(-\w) ([A-Z][A-Z:]*), (--[\w.-]+ \2)(?P<gap> *)", _once, said)
    return f"```text\n{said.strip()}\n```"


def _once(match: re.Match[str]) -> str:
    gap = " " * (len(match["gap"]) + len(match[2]) + 1) if match["gap"] else ""
    return f"{match[1]}, {match[3]}{gap}"

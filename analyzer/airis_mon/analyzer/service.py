"""The command: `airis-mon analyzer ACTION`."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Sequence

from airis_mon.analyzer.commands import ACTIONS

_PROGRAM = "airis-mon analyzer"


def main(argv: Sequence[str]) -> int:
    """Do what the first word says, and return its exit code: 0 done, 1 refused or failed."""
    parser = _parser()
    if argv and argv[0].startswith("--") and argv[0] != "--help":
        words = f"`{argv[0].partition('=')[0]}` belongs to an action"
        parser.error(f"{words}; write `{_PROGRAM} run {argv[0]} ...`, or another one of {', '.join(ACTIONS)}")
    arguments = parser.parse_args(argv)
    return ACTIONS[arguments.action].run(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Read series from Prometheus, expect, score and forecast them, and write that back.",
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, action in ACTIONS.items():
        said = inspect.getdoc(action)
        added = actions.add_parser(name, help=action.HELP, description=said, allow_abbrev=False)
        action.add_arguments(added)
    return parser

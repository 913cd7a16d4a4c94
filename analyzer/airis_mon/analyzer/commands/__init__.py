"""`airis-mon analyzer ACTION`: what a person or a supervisor starts.

Belongs here: one module for each action, with its flags, what it prints and its exit code; and the flags that
several of them share.

Must not be here: how series are read, learnt from, scored and written; that is the packages' beside this one.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Protocol

from airis_mon.analyzer.commands import backfill, explain, once, replay, run


class Action(Protocol):
    """What a module of an action has; its docstring is the text above its flags."""

    HELP: str
    """What it does, in one line of the list of actions."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the flags of the action."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it and return the exit code: 0 done, 1 refused or failed."""


ACTIONS: Mapping[str, Action] = {
    "run": run,
    "once": once,
    "backfill": backfill,
    "explain": explain,
    "replay": replay,
}

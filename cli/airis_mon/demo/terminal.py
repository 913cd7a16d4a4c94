"""The story as it is told: a line that moves on a terminal, lines with their time anywhere else."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TextIO

from airis_mon.cli.progress import Progress

QUIET = 10.0
"""Seconds between two lines about the same wait where there is no terminal."""


class Terminal(Progress):
    """Tells what happens, and when; use as a context manager."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._began = time.monotonic()
        self._told = 0.0

    def say(self, text: str, style: str = "") -> None:
        """Tell something that has happened, and that stays."""
        self._told = time.monotonic()
        self.done(f"{datetime.now():%H:%M:%S}  {self._told - self._began:6.1f} s  {text}", style)

    def wait(self, text: str) -> None:
        """Tell what is being waited for, and how far it is; often called."""
        if self.moving:
            self.notify(text)
        elif time.monotonic() - self._told >= QUIET:
            self.say(f"... {text}")

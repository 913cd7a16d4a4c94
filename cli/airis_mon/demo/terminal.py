"""The story as it is told: a line that moves on a terminal, lines with their time anywhere else."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.status import Status

QUIET = 10.0
"""Seconds between two lines about the same wait where there is no terminal."""


class Terminal:
    """Tells what happens; use as a context manager."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._began = time.monotonic()
        self._status: Status | None = None
        self._told = 0.0
        self._ending = ExitStack()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._ending.enter_context(self._console.status(""))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status = None
        self._ending.close()

    def say(self, text: str, style: str = "") -> None:
        """Tell something that has happened, and that stays."""
        self._told = time.monotonic()
        passed = self._told - self._began
        self._console.print(f"{datetime.now():%H:%M:%S}  {passed:6.1f} s  {text}", style=style)

    def wait(self, text: str) -> None:
        """Tell what is being waited for, and how far it is; often called."""
        if self._status is not None:
            self._status.update(text)
        elif time.monotonic() - self._told >= QUIET:
            self.say(f"... {text}", style="")

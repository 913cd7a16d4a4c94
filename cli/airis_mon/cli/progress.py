"""What happens, told on stderr: a line that moves on a terminal, plain lines anywhere else."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.status import Status


class Progress:
    """Tells what is being done. Use as a context manager; call `done` for what is worth keeping."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._status: Status | None = None
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

    def notify(self, text: str) -> None:
        """Say what is being done now."""
        if self._status is not None:
            self._status.update(text)
        else:
            self.done(text)

    def count(self, done: int, total: int, what: str) -> None:
        """Say how far it is; on a terminal only, where it replaces what was there."""
        if self._status is not None:
            self._status.update(f"{done}/{total} {what}")

    def done(self, text: str, style: str = "") -> None:
        """Say something that stays."""
        self._console.print(text, style=style)

    @property
    def moving(self) -> bool:
        """Whether there is a line that can be replaced."""
        return self._status is not None

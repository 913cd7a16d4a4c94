"""Numbers of things, as people say them."""

from __future__ import annotations

from airis_mon.spec import SpecError


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return `1 file`, `2 files`; `many` where adding an s is not enough."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def problems(error: SpecError) -> str:
    """Return `3 problems in 2 files`."""
    files = {problem.location.file for problem in error.problems if problem.location is not None}
    where = f" in {plural(len(files), 'file')}" if files else ""
    return plural(len(error.problems), "problem") + where


def printable(text: str) -> str:
    """Return the text without characters that could steer a terminal, in one line."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)

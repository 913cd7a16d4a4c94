"""What is wrong, where, and what to write instead.

A problem names a place in a file when the document came from one, and a path (``spec.objectives[1].target``)
in any case, so that the same message serves a terminal, an editor and a Kubernetes status condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Location:
    """A place in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int
    text: str
    """The whole line, without its end."""
    width: int = 1
    """Characters to underline."""


@dataclass(frozen=True)
class Origin:
    """Where a document and its fields were written."""

    file: str = ""
    places: Mapping[str, Location] = field(default_factory=dict)
    """Path of a field (`spec.objectives[1].target`) to the place of its value."""

    def locate(self, path: str) -> Location | None:
        """Return the place of a field, or of the nearest field around it that was written down."""
        while path:
            if path in self.places:
                return self.places[path]
            cut = max(path.rfind("."), path.rfind("["))
            path = path[:cut] if cut > 0 else ""
        return self.places.get("")


NOWHERE = Origin()
"""The origin of a document that was built in Python."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    message: str
    path: str = ""
    location: Location | None = None
    hint: str | None = None
    """What to write instead."""

    def __str__(self) -> str:
        """Render as a few lines: message, place, source line with caret, hint."""
        place = self.path
        if self.location is not None:
            place = f"{self.location.file}:{self.location.line}:{self.location.column}" + (
                f"  ({self.path})" if self.path else ""
            )
        lines = [f"error: {self.message}"]
        if place:
            lines.append(f"  --> {place}")
        if self.location is not None and self.location.text:
            number = str(self.location.line)
            lines.append(f"{number} | {self.location.text}")
            lines.append(" " * (len(number) + 2 + self.location.column) + "^" * self.location.width)
        if self.hint:
            lines.append(f"  = {self.hint}")
        return "\n".join(lines)


class SpecError(Exception):
    """Documents that cannot be used, with every problem of every file."""

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n\n".join(str(problem) for problem in self.problems))

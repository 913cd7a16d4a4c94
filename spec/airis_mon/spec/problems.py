"""What is wrong, where, and what to write instead.

A problem names a place in a file when the document came from one, and a path (``spec.objectives[1].target``)
in any case, so that the same message serves a terminal, an editor and a Kubernetes status condition.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

EXCERPT = 160
"""Characters of a source line that a message shows; longer lines are cut around the place."""


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
    path: str = ""
    """Path of the field as it is written there, where that is not how our own documents call it."""


@dataclass(frozen=True)
class Origin:
    """Where a document and its fields were written."""

    file: str = ""
    places: Mapping[str, Location] = field(default_factory=dict)
    """Path of a field (`spec.objectives[1].target`) to the place of its value, or of its key where the value
    begins on a later line. What a profile gave is placed at the `profile:` line."""

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
    """What to write instead; may have several lines."""
    severity: Literal["error", "warning"] = "error"
    """An error refuses the documents; a warning is told, and they are used."""

    @property
    def written(self) -> str:
        """Path of the field as the person wrote it, who may have written another dialect than ours."""
        return (self.location.path if self.location is not None else "") or self.path

    def __str__(self) -> str:
        """Render as a few lines: message, place, source line with caret, hint."""
        place = self.path
        if self.location is not None:
            place = f"{self.location.file}:{self.location.line}:{self.location.column}" + (
                f"  ({self.written})" if self.written else ""
            )
        lines = [f"{self.severity}: {self.message}"]
        if place:
            lines.append(f"  --> {place}")
        if self.location is not None and self.location.text:
            lines += _excerpt(self.location)
        lines += [f"  = {line}" for line in (self.hint or "").splitlines()]
        return "\n".join(_printable(line) for line in lines)


def _excerpt(location: Location) -> list[str]:
    """Return the source line and its underline, cut to what fits around the place."""
    first = max(0, location.column - 1 - EXCERPT // 2) if len(location.text) > EXCERPT else 0
    text = location.text[first : first + EXCERPT]
    start = location.column - 1 - first
    width = max(1, min(location.width, len(text) - start))
    head = f"{location.line} | " + ("…" if first else "")
    tail = "…" if first + EXCERPT < len(location.text) else ""
    return [f"{head}{text}{tail}", _blank(head + text[:start]) + "^" * _cells(text[start : start + width])]


def _cells(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    return max(1, sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text))


def _blank(text: str) -> str:
    """Return white space as wide as the text, its tabs kept."""
    return "".join("\t" if character == "\t" else " " * _cells(character) for character in text)


def _printable(line: str) -> str:
    """Return the line without characters that could steer a terminal."""
    return "".join(
        character if character.isprintable() or character == "\t" else "\ufffd" for character in line
    )


class SpecError(Exception):
    """Documents that cannot be used, with every problem of every file."""

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n\n".join(str(problem) for problem in self.problems))

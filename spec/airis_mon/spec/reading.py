"""What is kept while one document is read: the place of every field, and every problem."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from airis_mon.spec.nodes import Node, Scalar
from airis_mon.spec.problems import Location, Problem

MAX_PROBLEMS = 100
"""Per document and per file: more would bury the first, and a hostile file could ask for millions."""

_LISTED = 40


class Refused:
    """The value of a field that could not be read; the problem is already noted."""


REFUSED: Final = Refused()


def quoted(text: str) -> str:
    """Return what a person wrote, for a message: one line, of bounded length."""
    short = text if len(text) <= 60 else text[:59] + "…"
    return "`" + " ".join(short.split()) + "`"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was most likely meant."""
    matches = difflib.get_close_matches(name[:100], list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown name: the likely one, else all that are known."""
    names = tuple(known)
    match = nearest(name, names)
    if match is not None:
        return f"did you mean `{match}`?"
    more = ", ..." if len(names) > _LISTED else ""
    return "known are " + ", ".join(names[:_LISTED]) + more if names else "none is known"


def masked(location: Location, secrets: Iterable[Location]) -> Location:
    """Return the place with what stands at `secrets` in the same line starred out; columns stay."""
    text = location.text
    for secret in secrets:
        if secret.line == location.line:
            begin = secret.column - 1
            stars = "*" * len(text[begin : begin + secret.width])
            text = text[:begin] + stars + text[begin + secret.width :]
    return replace(location, text=text)


def hidden(location: Location) -> Location:
    """Return the place with the rest of its line left out, because it may hold a secret."""
    return replace(location, text=location.text[: location.column - 1] + "***", width=3)


@dataclass
class Reading:
    """Notes on one document."""

    places: dict[str, Location] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    """How many problems there were, those included that were dropped."""
    secrets: list[Location] = field(default_factory=list)
    """Values that no message may show, wherever in their line its own place is."""
    salvaging: bool = False
    """Whether a mapping is built from what could be read of it; its problems are told by another reading."""

    @property
    def full(self) -> bool:
        """Whether further problems would be dropped."""
        return len(self.problems) >= MAX_PROBLEMS

    def refuse(
        self, where: Node | Location | None, path: str, message: str, hint: str | None = None
    ) -> Refused:
        """Note a problem."""
        self.count += 1
        if not self.full:
            location = where if isinstance(where, Location) or where is None else where.location
            self.problems.append(Problem(message, path, location, hint))
        return REFUSED

    def place(self, path: str, key: Scalar | None, value: Node) -> None:
        """Note where a field is: at its value, or at its key where the value begins on a later line."""
        self.places[path] = self.pointed(key, value)

    @staticmethod
    def pointed(key: Scalar | None, value: Node) -> Location:
        """Return the place that a message about a field should show."""
        if key is None:
            return value.location
        empty = isinstance(value, Scalar) and not value.text
        return key.location if empty or value.location.line != key.location.line else value.location

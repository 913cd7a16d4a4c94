"""Shapes of single values: each reads a node and tells its JSON Schema, so that both cannot differ."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from airis_mon.spec.nodes import Items, Node, Pairs, Scalar
from airis_mon.spec.quantities import DURATION_PATTERN, format_duration, parse_duration
from airis_mon.spec.reading import REFUSED, Reading, Refused, hidden, nearest, quoted

_NUMBER = re.compile(r"[-+]?((?:0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_WHAT = {Pairs: "a mapping", Items: "a list"}


class Shape(Protocol):
    """How a value is written."""

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """Return the value in base units, or REFUSED after noting why."""

    def schema(self) -> dict[str, Any]:
        """Return its JSON Schema (draft 2020-12)."""


def scalar(node: Node, path: str, reading: Reading, wanted: str) -> Scalar | Refused:
    """Return the node where it is a single value that is not empty."""
    if not isinstance(node, Scalar):
        return reading.refuse(node, path, f"{_WHAT[type(node)]} stands where {wanted} belongs")
    if node.type == "null":
        where = reading.places.get(path, node.location)
        return reading.refuse(where, path, f"the value is empty; {wanted} belongs here")
    return node


@dataclass(frozen=True)
class Text:
    """A string."""

    wanted: str = "a text"
    """What belongs here, for messages."""
    pattern: str = r"^[^\x00-\x20\x7f-\xa0]([^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0])?$"
    """ECMA and Python regular expression for the whole text."""
    hint: str | None = None
    """What to write where the pattern does not match."""
    longest: int = 253
    reserved: tuple[str, ...] = ()
    """Words that are taken."""
    private: bool = False
    """May hold a secret, so that no message repeats it."""

    def read(self, node: Node, path: str, reading: Reading) -> str | Refused:
        """Return the text."""
        value = scalar(node, path, reading, self.wanted)
        if isinstance(value, Scalar):
            wrong = self._wrong(value)
            if wrong is None:
                return value.text
            reading.refuse(hidden(value.location) if self.private else value.location, path, *wrong)
        if self.private:
            reading.secrets.append(node.location)
        return REFUSED

    def _wrong(self, value: Scalar) -> tuple[str, str | None] | None:
        """Return what is wrong with a value, and what to write."""
        text = value.text
        shown = "this" if self.private else quoted(text)
        if value.type != "str":
            message = f"{shown} is read as a {_spoken(value.type)}; {self.wanted} belongs here"
            return message, self.hint if self.private else f'write "{text[:60]}", in quotes'
        if len(text) > self.longest:
            return f"{shown} has {len(text)} characters; {self.longest} are allowed", None
        if not re.fullmatch(self.pattern, text):
            return self._mismatch(text, shown)
        if text in self.reserved:
            message = f"{shown} is taken: everything derived carries it already"
            return message, "taken are " + ", ".join(self.reserved)
        return None

    def _mismatch(self, text: str, shown: str) -> tuple[str, str | None]:
        """Return what is wrong with a text that does not match; some of it is unseen."""
        if not text:
            return f"{self.wanted} is empty", self.hint
        if text.strip() != text:
            return f"{shown} begins or ends with white space", "write it without, in one line"
        if any(unicodedata.category(character) == "Cc" for character in text):
            message = f"{shown} holds a line break, a tab or another control character"
            return message, "write it in one line; control characters are not allowed in it"
        return f"{shown} is not {self.wanted}", self.hint

    def schema(self) -> dict[str, Any]:
        """Return a string with a pattern."""
        schema: dict[str, Any] = {"type": "string", "pattern": self.pattern, "maxLength": self.longest}
        if self.reserved:
            schema["not"] = {"enum": list(self.reserved)}
        return schema


def _spoken(kind: str) -> str:
    return {"int": "number", "float": "number", "bool": "boolean", "timestamp": "date"}.get(kind, kind)


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, node: Node, path: str, reading: Reading) -> str | Refused:
        """Return the word."""
        value = scalar(node, path, reading, "one of " + ", ".join(self.words))
        if isinstance(value, Refused):
            return value
        if value.text not in self.words:
            match = nearest(value.text, self.words)
            *most, last = (f"`{word}`" for word in self.words)
            choices = f"{', '.join(most)} or {last}" if most else last
            message = f"{quoted(value.text)} is not {choices}"
            return reading.refuse(node, path, message, f"did you mean `{match}`?" if match else None)
        return value.text

    def schema(self) -> dict[str, Any]:
        """Return an enumeration."""
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True)
class Flag:
    """Yes or no."""

    def read(self, node: Node, path: str, reading: Reading) -> bool | Refused:
        """Return the boolean."""
        value = scalar(node, path, reading, "true or false")
        if isinstance(value, Refused):
            return value
        if value.text not in ("true", "false") or not value.plain:
            return reading.refuse(node, path, f"{quoted(value.text)} is not a boolean", "write true or false")
        return value.text == "true"

    def schema(self) -> dict[str, Any]:
        """Return a boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class Number:
    """A finite number in the base unit of what it stands for."""

    def read(self, node: Node, path: str, reading: Reading) -> float | Refused:
        """Return the number."""
        value = scalar(node, path, reading, "a number")
        if isinstance(value, Refused):
            return value
        if not value.plain or not _NUMBER.fullmatch(value.text) or not math.isfinite(float(value.text)):
            hint = "write it in the signal's base unit (seconds, ratio, tokens): 0.5 for 500ms, 0.9 for 90%"
            return reading.refuse(node, path, f"{quoted(value.text)} is not a number", hint)
        return float(value.text)

    def schema(self) -> dict[str, Any]:
        """Return a number."""
        return {"type": "number"}


@dataclass(frozen=True)
class Count:
    """A whole number."""

    fewest: int = 0
    most: int = 1_000_000
    hint: str | None = None
    """What to write where something else stands there."""

    def read(self, node: Node, path: str, reading: Reading) -> int | Refused:
        """Return the number."""
        value = scalar(node, path, reading, "a whole number")
        if isinstance(value, Refused):
            return value
        if not value.plain or not re.fullmatch(r"0|-?[1-9][0-9]{0,15}", value.text):
            hint = self.hint
            hint = hint or f"write it without quotes, unit and fraction, such as {max(self.fewest, 5)}"
            return reading.refuse(node, path, f"{quoted(value.text)} is not a whole number", hint)
        if not self.fewest <= int(value.text) <= self.most:
            few = int(value.text) < self.fewest
            message = f"{quoted(value.text)} is too {'little' if few else 'much'} here"
            hint = f"write {self.fewest if few else self.most} or {'more' if few else 'less'}"
            return reading.refuse(node, path, message, hint)
        return int(value.text)

    def schema(self) -> dict[str, Any]:
        """Return an integer."""
        return {"type": "integer", "minimum": self.fewest, "maximum": self.most}


@dataclass(frozen=True)
class Duration:
    """A length of time: `500ms`, `24h`; read as seconds."""

    shortest: float = 0.0
    """Seconds."""
    longest: float = 365 * 86400.0
    """Seconds."""

    def read(self, node: Node, path: str, reading: Reading) -> float | Refused:
        """Return seconds."""
        value = scalar(node, path, reading, "a duration")
        if isinstance(value, Refused):
            return value
        if _NUMBER.fullmatch(value.text):
            hint = f"write {value.text[:20]}s, or {value.text[:20]}ms, or another unit (m, h, d, w)"
            return reading.refuse(node, path, f"{quoted(value.text)} has no unit", hint)
        try:
            seconds = parse_duration(value.text)
        except ValueError as error:
            return reading.refuse(node, path, *_split(error))
        if not self.shortest <= seconds <= self.longest:
            short = seconds < self.shortest
            limit = format_duration(self.shortest if short else self.longest)
            message = f"{quoted(value.text)} is too {'short' if short else 'long'} here"
            return reading.refuse(node, path, message, f"write {limit} or {'more' if short else 'less'}")
        return seconds

    def schema(self) -> dict[str, Any]:
        """Return a string such as `24h`."""
        return {"type": "string", "pattern": DURATION_PATTERN, "maxLength": 40}


@dataclass(frozen=True)
class Parsed:
    """A text that a function turns into a value."""

    wanted: str
    pattern: str
    parse: Callable[[str], Any]
    """Raises ValueError(message) or ValueError(message, hint)."""

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """Return what the function makes of it."""
        value = scalar(node, path, reading, self.wanted)
        if isinstance(value, Refused):
            return value
        try:
            return self.parse(value.text)
        except ValueError as error:
            return reading.refuse(node, path, *_split(error))

    def schema(self) -> dict[str, Any]:
        """Return a string with a pattern."""
        return {"type": "string", "pattern": self.pattern, "maxLength": 60}


def _split(error: ValueError) -> tuple[str, str | None]:
    message, *hint = error.args
    return str(message), str(hint[0]) if hint else None

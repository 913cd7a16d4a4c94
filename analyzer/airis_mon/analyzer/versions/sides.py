"""Which series are whose: label matchers that keep the series of one side."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LONGEST = 1000
_MATCHER = re.compile(
    r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\\n]|\\.)*"|[a-zA-Z0-9_.:/-]+)\s*(,|$)'
)
"""One matcher; without quotes where a shell has taken them off."""


@dataclass(frozen=True)
class Side:
    """The series of one version."""

    text: str
    """Matchers in PromQL, such as `version="2"`."""
    labels: tuple[str, ...]
    """Labels that they look at."""


def side(text: str) -> Side:
    """Return what matchers keep; ValueError with what is wrong and what to write."""
    found = matched(text)
    if any(label == "__name__" for label, _ in found):
        raise ValueError(
            "names of series follow from the document", "match a label that tells the versions apart"
        )
    return Side(",".join(one for _, one in found), tuple(dict.fromkeys(label for label, _ in found)))


def matched(text: str) -> tuple[tuple[str, str], ...]:
    """Return labels with their matchers in PromQL; ValueError with what is wrong and what to write."""
    found: list[tuple[str, str]] = []
    position, more = 0, True
    while more and len(text) <= _LONGEST and (match := _MATCHER.match(text, position)):
        label, operator, value, comma = match.groups()
        quoted = value if value.startswith('"') else f'"{value}"'
        found.append((label, f"{label}{operator}{quoted}"))
        position, more = match.end(), comma == ","
    if not found or position < len(text):
        raise ValueError(f"`{text[:60]}` are no label matchers", "write some such as 'version=\"2\"'")
    return tuple(found)

"""Matchers as Alertmanager reads them: `severity="page"`, `monitor=~"chat-.*"`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Labels = tuple[tuple[str, str], ...]
"""Pairs sorted by name: what makes an alert the same alert."""

_TEXT = re.compile(
    r'\s*(?:([a-zA-Z_:][a-zA-Z0-9_:]*)|"((?:\\.|[^"\\])*)")\s*(=~|!~|!=|=)\s*(?:"((?:\\.|[^"\\])*)"|([^\s"{},]*))\s*'
)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


@dataclass(frozen=True)
class Matcher:
    """One condition on one label; a label that an alert does not carry has the empty value."""

    label: str
    operator: str
    """`=`, `!=`, `=~` or `!~`; the last two are anchored at both ends."""
    value: str

    def __post_init__(self) -> None:
        """Raise ValueError where the value is no regular expression, and has to be one."""
        if "~" in self.operator:
            try:
                re.compile(self.value)
            except re.error as error:
                raise ValueError(f"`{self.value}` is no regular expression: {error}") from error

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether these labels fulfil it."""
        value = labels.get(self.label, "")
        if "~" not in self.operator:
            return (value == self.value) == (self.operator == "=")
        return bool(re.fullmatch(self.value, value, re.DOTALL)) == (self.operator == "=~")

    @classmethod
    def parsed(cls, text: str) -> Matcher:
        """Return the matcher that a line of alertmanager.yaml says. ValueError where it says none."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f'`{text}` is no matcher; write one such as severity="page"')
        bare, quoted, operator, value, word = match.groups()
        label = bare if bare is not None else _unescaped(quoted)
        return cls(label, operator, _unescaped(value) if value is not None else word)


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Say whether the labels fulfil every matcher."""
    return all(matcher.matches(labels) for matcher in matchers)


def identity(labels: Mapping[str, str]) -> Labels:
    """Return labels as a key; an empty value is no label."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text, flags=re.DOTALL)

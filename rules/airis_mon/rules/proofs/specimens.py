"""Texts that a regular expression matches, one for each alternative that it has."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import re2

from airis_mon.rules.expressions import is_regular

MOST = 32
"""Alternatives of one expression."""
LONGEST = 200
"""Characters of one text."""
DEEPEST = 20
"""Groups within each other."""
_INTRICATE = "is too intricate to find an example for"
_QUANTIFIERS = "*+?{"
_CLASSES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a"}


def matching(expression: str) -> tuple[str, ...]:
    """Return texts that match; ValueError where none can be found, or where there are too many alternatives.

    What is found is held against RE2 itself, so that a form that is not understood here is no wrong example.
    """
    if not is_regular(expression):
        raise ValueError("is no regular expression")
    reader = _Reader(expression)
    found = dict.fromkeys(islice(reader.alternatives(), MOST + 1))
    if len(found) > MOST:
        raise ValueError(f"has more than {MOST} alternatives")
    if reader.left or not all(re2.fullmatch(expression, text) for text in found):
        raise ValueError(_INTRICATE)
    return tuple(found)


class _Reader:
    """A recursive descent: each level returns the texts that it can become, a few of them."""

    def __init__(self, expression: str) -> None:
        self.left = expression
        self._depth = 0

    def alternatives(self) -> Iterator[str]:
        """Yield one text for each alternative, up to the end of the group."""
        yield from self._sequence()
        while self.left.startswith("|"):
            self._take(1)
            yield from self._sequence()

    def _take(self, count: int) -> str:
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def _sequence(self) -> list[str]:
        texts = [""]
        while self.left and self.left[0] not in "|)":
            parts = self._repeated()
            # One text for each part that has several forms: all of them together would be too many.
            longest = max(len(texts), len(parts))
            if len(texts) > 1 and len(parts) > 1:
                texts = [
                    texts[min(index, len(texts) - 1)] + parts[min(index, len(parts) - 1)]
                    for index in range(longest)
                ]
            else:
                texts = [text + part for text in texts for part in parts]
        return texts

    def _repeated(self) -> list[str]:
        texts = self._atom()
        while self.left and self.left[0] in _QUANTIFIERS:
            if self._take(1) == "{":
                bounds, closed, self.left = self.left.partition("}")
                if not closed or not bounds.partition(",")[0].isdecimal():
                    raise ValueError(_INTRICATE)
                texts = [text * int(bounds.partition(",")[0][:4]) for text in texts]
        if any(len(text) > LONGEST for text in texts):
            raise ValueError(_INTRICATE)
        return texts

    def _atom(self) -> list[str]:
        first = self._take(1)
        if first == "(":
            return self._group()
        if first == "[":
            return [self._one_of()]
        if first == "\\":
            escaped = self._take(1)
            return [_CLASSES.get(escaped, "" if escaped in "bAz" else escaped)]
        return [{".": "0", "^": "", "$": ""}.get(first, first)]

    def _group(self) -> list[str]:
        if self.left.startswith("?"):
            _, _, self.left = self.left.partition(">" if self.left.startswith("?P<") else ":")
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError(_INTRICATE)
        texts = list(islice(self.alternatives(), MOST + 1))
        self._depth -= 1
        if self._take(1) != ")":
            raise ValueError(_INTRICATE)
        return texts

    def _one_of(self) -> str:
        negated = self.left.startswith("^")
        if negated:
            self._take(1)
        members = self._take(1)
        while self.left and not self.left.startswith("]"):
            members += self._take(1)
        self._take(1)
        if not negated:
            member = members[1:2] if members.startswith("\\") else members[:1]
            return _CLASSES.get(member, member) if members.startswith("\\") else member
        return next(
            (text for text in "a0x9-_Z" if re2.fullmatch(f"[^{members}]", text)),
            "a",
        )

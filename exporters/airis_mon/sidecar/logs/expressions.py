"""Regular expressions that people declare: searched for in linear time, whatever they are and whatever comes.

RE2, and not Python's `re`: an expression of a few characters keeps the latter busy for hours on a text that
somebody else has chosen. What RE2 does without, references back and looking around, is refused with its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

import re2

LONGEST = 500
"""Characters of an expression."""
LONGEST_SEARCHED = 2_048
"""Characters of a text in which an expression is searched for."""
_MEMORY = 1 << 20
"""Bytes that a compiled expression may take."""


class Found(Protocol):
    """What was found."""

    def __getitem__(self, group: int | str) -> str | None: ...

    def groupdict(self) -> dict[str, str | None]:
        """Return the named groups."""


class Expression(Protocol):
    """A compiled expression."""

    pattern: str

    def search(self, text: str) -> Found | None:
        """Return the first place where it is found."""

    def sub(self, replacement: str | Callable[[Any], str], text: str) -> str:
        """Return the text with all that is found replaced."""


def expression(written: str) -> Expression:
    """Return the compiled expression; ValueError(message, hint) where it is none that RE2 takes."""
    if len(written) > LONGEST:
        raise ValueError(f"the expression has {len(written)} characters; {LONGEST} are allowed")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return cast("Expression", re2.compile(written, options))
    except re2.error as error:
        said = error.args[0] if error.args else ""
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ValueError(
            f"this is no regular expression: {words}",
            "the syntax is RE2's: no references back, no looking around",
        ) from None
    except UnicodeEncodeError:
        raise ValueError("this is no regular expression: it holds half a character") from None

"""Why there is no answer, as the system says it."""

from __future__ import annotations

import re
from collections.abc import Iterator

_OPENSSL = re.compile(r"\[SSL[^]]*\] (.*?)(?: \(_ssl\.c:\d+\))?")


def cause(error: BaseException) -> str:
    """Return the innermost words of a nest of library errors, such as `Connection refused`.

    Libraries wrap what the system said in pages of their own; only its bottom says what to mend.
    """
    *_, bottom = nested(error)
    words = str(getattr(bottom, "strerror", None) or bottom) or type(bottom).__name__
    found = _OPENSSL.fullmatch(words)
    return found[1] if found is not None else words


def nested(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what lies beneath it, one after the other, down to the bottom."""
    seen = set[int]()
    inner: object = error
    while isinstance(inner, BaseException) and id(inner) not in seen:
        seen.add(id(inner))
        yield inner
        inner = inner.__cause__ or inner.__context__ or getattr(inner, "reason", None)

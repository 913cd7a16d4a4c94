"""Why there is no answer, as the system says it."""

from __future__ import annotations

from collections.abc import Iterator


def cause(error: BaseException) -> str:
    """Return the innermost words of a nest of library errors, such as `Connection refused`.

    Libraries wrap what the system said in pages of their own; only its bottom says what to mend.
    """
    *_, bottom = nested(error)
    return getattr(bottom, "strerror", None) or str(bottom) or type(bottom).__name__


def nested(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what lies beneath it, one after the other, down to the bottom."""
    seen = set[int]()
    inner: object = error
    while isinstance(inner, BaseException) and id(inner) not in seen:
        seen.add(id(inner))
        yield inner
        inner = inner.__cause__ or inner.__context__ or getattr(inner, "reason", None)

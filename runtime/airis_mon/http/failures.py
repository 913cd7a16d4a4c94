"""Why there is no answer, as the system says it."""

from __future__ import annotations


def cause(error: BaseException) -> str:
    """Return the innermost words of a nest of library errors, such as `Connection refused`.

    Libraries wrap what the system said in pages of their own; only its bottom says what to mend.
    """
    seen = {id(error)}
    while True:
        inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
        if not isinstance(inner, BaseException) or id(inner) in seen:
            return getattr(error, "strerror", None) or str(error) or type(error).__name__
        seen.add(id(inner))
        error = inner

"""Labels that a contract's matcher of failed operations keeps, and such that it does not."""

from __future__ import annotations

import re

_MATCHER = re.compile(r'([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')


def label_sets(matcher: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return labels of a good operation, and of failed ones: one set per alternative of the matcher.

    ValueError for a matcher that no example can be derived from.
    """
    found = _MATCHER.findall(matcher)
    if len(found) != 1:
        raise ValueError(f"no example of a failed operation can be derived from `{matcher}`")
    label, operator, value = found[0]
    alternatives = value.split("|") if "~" in operator else [value]
    matching = [{label: alternative} if alternative else {} for alternative in alternatives]
    other: dict[str, str] = {label: "ok" if "ok" not in alternatives else "failed"}
    if any(set(alternative) & set(r".*+?()[]{}^$\\") for alternative in alternatives):
        raise ValueError(f"no example of a failed operation can be derived from `{matcher}`")
    return (other, matching) if operator in ("=", "=~") else (matching[0], [other])

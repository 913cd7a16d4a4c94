"""Values as PromQL literals."""

from __future__ import annotations


def number(value: float) -> str:
    """Return the shortest decimal that reads back as the same value: 0.001, 3, 14.4."""
    return repr(float(value)).removesuffix(".0")

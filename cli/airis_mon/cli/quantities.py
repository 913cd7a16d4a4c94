"""Values in base units, as people read them."""

from __future__ import annotations

import math


def shown(value: float, unit: str, *, signed: bool = False) -> str:
    """Return a value with its unit: `0.12%`, `340ms`, `1.25s`, `12.5 tokens`; `?` where it is unknown."""
    if math.isnan(value):
        return "?"
    sign = "+" if signed and value > 0 else ""
    if math.isinf(value):
        return f"{'-' if value < 0 else sign}∞"
    if unit == "ratio":
        return f"{sign}{value * 100:.3g}%"
    if unit == "seconds":
        return f"{sign}{value * 1000:.3g}ms" if abs(value) < 1 else f"{sign}{value:.3g}s"
    return f"{sign}{value:.4g} {unit}".rstrip()

"""Durations of boundaries, as people write them."""

from __future__ import annotations

import math

from airis_mon.spec import format_duration


def spelled(seconds: float) -> str:
    """Return a duration as people write it, fractions of a millisecond included."""
    milliseconds = seconds * 1000
    if math.isclose(milliseconds, round(milliseconds), rel_tol=1e-9, abs_tol=1e-12) and round(milliseconds):
        return format_duration(seconds)
    return f"{milliseconds:g}ms"

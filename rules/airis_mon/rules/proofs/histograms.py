"""Native histograms as promtool's tests write them, from version 3.0 on."""

from __future__ import annotations

import math

from airis_mon.rules.literals import number


def text(count: float, total: float | None = None, bucket: int = 0) -> str:
    """Return a histogram of schema 0 with all operations in one bucket, which ends at 2 to that power.

    `total` is the sum of all observations, as many as operations where it does not matter.
    """
    held = _written(count)
    where = f"offset:{bucket} buckets:[{held}]"
    return f"{{{{schema:0 count:{held} sum:{held if total is None else _written(total)} {where}}}}}"


def steady(count: float, total: float | None, steps: int) -> str:
    """Return the same histogram for some steps."""
    return f"{text(count, total)}x{steps - 1}" if steps > 1 else text(count, total)


def _written(value: float) -> str:
    return "NaN" if math.isnan(value) else number(value)

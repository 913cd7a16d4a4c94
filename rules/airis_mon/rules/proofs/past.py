"""A past that is given to a proof, and what ranges of it hold."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from airis_mon.rules.literals import number

MODULUS, FACTOR = 10_007, 5_003


@dataclass(frozen=True)
class Past:
    """Values at equal distances, the first at 0; NaN where there is none."""

    values: Sequence[float]
    step: float
    """Seconds."""

    @property
    def end(self) -> float:
        """Seconds at which the last value stands."""
        return (len(self.values) - 1) * self.step

    def between(self, place: int, first: float, last: float) -> list[float]:
        """Return what is known from `first` to `last` seconds before a place."""
        begin = max(0, place - math.floor(first / self.step))
        end = place - math.ceil(last / self.step)
        return [one for one in self.values[begin : end + 1] if not math.isnan(one)] if end >= 0 else []

    def text(self) -> str:
        """Return it in promtool's notation: equal ones together, and an end before a gap."""
        parts, known = [], False
        for value, run in itertools.groupby(self.values, key=lambda one: None if math.isnan(one) else one):
            count = len(list(run))
            if value is None:
                rest = count - 1 if known else count
                parts += ["stale"] * known + [f"_x{rest}"] * (rest > 0)
            else:
                parts.append(number(value) if count == 1 else f"{number(value)}+0x{count - 1}")
            known = value is not None
        return " ".join(parts)


def noise(count: int) -> list[float]:
    """Return so many uneven numbers between -1 and 1, always the same."""
    found, state = [], 1
    for _ in range(count):
        state = (state * FACTOR + 17) % MODULUS
        found.append(round(2 * state / MODULUS - 1, 3))
    return found


def quantile(values: Sequence[float], share: float) -> float:
    """Return the quantile of some values, interpolated as Prometheus does."""
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] * (1 - (position - below)) + ordered[above] * (position - below)

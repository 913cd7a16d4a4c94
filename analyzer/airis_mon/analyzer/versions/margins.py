"""What a candidate is allowed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Margin:
    """By how much a candidate may be worse and still pass."""

    value: float
    """In the unit of the measure, or as a share of the baseline's where it is relative."""
    relative: bool = False

    def of(self, baseline: float) -> float:
        """Return the margin in the unit of the measure."""
        return self.value * abs(baseline) if self.relative else self.value

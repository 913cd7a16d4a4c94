"""Columns of a fixed step, seen as cells of about five minutes and as days that end with the history."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.methods.robust import Floats

HOUR = 3600
DAY = 86400
_CELL = 300


@dataclass(frozen=True)
class Cells:
    """How a row of steps is cut; all cells and days count back from the last column."""

    step: int
    """Seconds."""
    columns: int
    """Columns in a cell."""
    day: int
    """Cells in a day."""

    @classmethod
    def of(cls, step: int) -> Cells:
        """Return the cut for a step: the longest cells up to five minutes that make a whole day.

        ValueError where the step does not divide a day: a profile would drift.
        """
        if step < 1 or DAY % step:
            raise ValueError(f"a step of {step}s does not divide a day; use 15s, 30s, 1m, 2m, 5m or the like")
        columns = max(n for n in range(1, max(2, _CELL // step + 1)) if (DAY // step) % n == 0)
        return cls(step, columns, DAY // step // columns)

    @property
    def seconds(self) -> int:
        """Length of a cell."""
        return self.step * self.columns

    def cut(self, values: Floats) -> Floats:
        """Return (rows, cells, columns), whole days, the front filled with gaps."""
        rows, count = values.shape
        per_day = self.day * self.columns
        days = max(1, -(-count // per_day))
        whole = np.full((rows, days * per_day), np.nan)
        whole[:, days * per_day - count :] = values
        return whole.reshape(rows, days * self.day, self.columns)

    def phase(self, ahead: int) -> int:
        """Return which cell of the day holds the moment `ahead` seconds after the history's last column."""
        return (max(0, -(-ahead // self.seconds) - 1)) % self.day

    def count(self, seconds: int, least: int = 1) -> int:
        """Return how many cells a span takes, at least `least`."""
        return max(least, round(seconds / self.seconds))

"""Steps seen as cells of about five minutes: what a past is learnt from, and an expectation is for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.robust import Floats

HOUR = 3600
DAY = 86400
_CELL = 300


@dataclass(frozen=True)
class Cells:
    """How a row of steps is cut; all cells count back from the last column."""

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

    def cut(self, values: Floats, missing: int = 0) -> Floats:
        """Return (rows, cells, columns), the front and `missing` columns at the end filled with gaps."""
        rows, count = values.shape
        cells = -(-(count + missing) // self.columns)
        whole = np.full((rows, cells * self.columns), np.nan)
        whole[:, cells * self.columns - missing - count : cells * self.columns - missing] = values
        return whole.reshape(rows, cells, self.columns)

    def means(self, values: Floats, missing: int = 0) -> Floats:
        """Return (rows, cells): the mean of each cell's columns; see `cut`."""
        return robust.mean(self.cut(values, missing))

    def newest(self, values: Floats, missing: int = 0) -> Floats:
        """Return (rows, cells): the newest value of each cell, as a query once a cell tells; see `cut`."""
        parts = self.cut(values, missing)
        found = parts[:, :, -1].copy()
        for column in range(self.columns - 2, -1, -1):
            np.copyto(found, parts[:, :, column], where=np.isnan(found))
        return found

    def ahead(self, seconds: int) -> int:
        """Return which cell after the history, from 0 on, holds a moment `seconds` after its end."""
        return -(-seconds // self.seconds) - 1

    def count(self, seconds: int, least: int = 1) -> int:
        """Return how many cells a span takes, at least `least`."""
        return max(least, round(seconds / self.seconds))

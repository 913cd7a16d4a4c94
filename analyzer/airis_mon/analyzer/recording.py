"""One series of the past, as models see it: steps for the level, cells to learn from, samples to judge."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.methods.cells import DAY, Cells
from airis_mon.analyzer.methods.robust import Floats

Integers = NDArray[np.int64]

LOOK = 32
"""Samples by whose distances the step is told; they are not judged."""
_COLUMNS = 50_000_000
"""Columns of a grid at most, 400 MB: nineteen months of seconds, or a lifetime of minutes."""


@dataclass(frozen=True)
class Beside:
    """What the peers of one series say of each of its samples; shape (n,) each."""

    peers: int
    """How many they are."""
    accompanied: NDArray[np.bool_]
    """Whether there were enough of them."""
    score: Floats
    """0 where nothing can be said."""
    away: Floats
    """How far the value is from the middle of all; NaN where too few have one."""
    usual: Floats
    """How far it usually is."""

    def part(self, some: slice) -> Beside:
        """Return what is said of some samples."""
        return Beside(self.peers, self.accompanied[some], self.score[some], self.away[some], self.usual[some])


@dataclass(frozen=True)
class Recording:
    """A series from start to end."""

    timestamps: Integers
    """(n,): seconds since the epoch, strictly increasing."""
    values: Floats
    """(n,): what is judged; NaN for a sample that says nothing."""
    first: int
    """Samples before this one are not judged."""
    step: int
    """Seconds between two columns of `grid`; divides a day."""
    origin: int
    """Time before the first column, a multiple of a cell."""
    grid: Floats
    """(1, steps): what the level is read from, NaN where there is nothing; a column stands for its end."""
    past: Floats
    """(1, cells): what is learnt from, from the same origin on."""
    beside: Beside | None = None
    """What the other series of its query say, where it has some."""

    def times(self, row: Floats, distance: int) -> Integers:
        """Return the times of the columns of `grid` or `past`, `distance` seconds apart."""
        return self.origin + distance * np.arange(1, row.shape[1] + 1, dtype=np.int64)

    def columns(self) -> Integers:
        """Return the column of the grid that each sample lies in."""
        return -(-self.timestamps // self.step) - self.origin // self.step - 1

    def at(self, sample: int) -> Recording:
        """Return the recording with that one sample to judge."""
        return self.part(sample, sample)

    def part(self, first: int, last: int) -> Recording:
        """Return the recording with some of its samples to judge, by all of the past."""
        some = slice(first, last + 1)
        return replace(
            self,
            timestamps=self.timestamps[some],
            values=self.values[some],
            first=max(0, self.first - first),
            beside=None if self.beside is None else self.beside.part(some),
        )


def of_samples(timestamps: Integers, values: Floats) -> Recording | None:
    """Return the recording of samples at any distances; None of too few to tell the step by.

    ValueError where they lie so far apart that the steps between them are too many to be held.
    """
    if len(values) <= LOOK:
        return None
    step = _step(timestamps[:LOOK])
    cells = Cells.of(step)
    grid, origin = _grid(timestamps, values, step)
    past = cells.newest(grid, -grid.shape[1] % cells.columns)
    return Recording(timestamps, values, LOOK, step, origin, grid, past)


def _step(timestamps: Integers) -> int:
    """Return the step of a grid that holds the samples: the longest divisor of a day up to their distance."""
    distance = int(np.median(np.diff(timestamps))) if len(timestamps) > 1 else 60
    return max(n for n in range(1, min(max(distance, 1), DAY) + 1) if DAY % n == 0)


def _grid(timestamps: Integers, values: Floats, step: int) -> tuple[Floats, int]:
    """Return the samples on a grid as one row, NaN where there is none, and the time before its first column.

    A column holds what came since the column before it; the first one begins a cell.
    """
    columns = -(-timestamps // step)
    size = Cells.of(step).columns
    origin = (int(columns.min()) - 1) // size * size
    width = int(columns.max()) - origin
    if width > _COLUMNS:
        widest = int(np.argmax(np.diff(timestamps)))
        raise ValueError(
            f"{width:,} steps of {step} s from the first timestamp to the last, at most {_COLUMNS:,} can be "
            f"judged at once; the longest gap is {timestamps[widest]} to {timestamps[widest + 1]}: judge "
            "what comes before it and what comes after it apart"
        )
    grid = np.full((1, width), np.nan)
    grid[0, columns - origin - 1] = np.where(np.isfinite(values), values, np.nan)
    return grid, origin * step

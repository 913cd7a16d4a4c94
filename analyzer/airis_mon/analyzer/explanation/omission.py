"""What of a past models do not learn from, because of a maintenance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.methods.cells import Cells
from airis_mon.analyzer.methods.exclusion import touched
from airis_mon.analyzer.recording import Recording

Flags = NDArray[np.bool_]


def without_maintenance(recording: Recording, query: Query) -> Recording:
    """Return the recording that models learn from: as the service, without what a maintenance touches."""
    if not query.maintenance:
        return recording
    grid, past = left_out(recording, query)
    return replace(
        recording,
        grid=np.where(grid[None], np.nan, recording.grid),
        past=np.where(past[None], np.nan, recording.past),
    )


def left_out(recording: Recording, query: Query) -> tuple[Flags, Flags]:
    """Return which columns of the grid, and of the past, a maintenance touches."""
    cell = Cells.of(recording.step).seconds
    grid, past = (
        np.asarray(touched(query.maintenance, recording.times(row, distance), query.window))
        for row, distance in ((recording.grid, recording.step), (recording.past, cell))
    )
    return grid, past

"""One series told: its changes, where it stands now, and where it is going since the last change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.trends.changes import Change, level_changes
from airis_mon.analyzer.trends.course import Course, course
from airis_mon.analyzer.trends.slope import Slope, slope


@dataclass(frozen=True)
class Trend:
    """What became of a series."""

    since: float
    """Seconds since the epoch of the first sample."""
    until: float
    """The same of the last one."""
    changes: tuple[Change, ...]
    """Oldest first."""
    level: float
    """Median since the last change, in the series' unit."""
    slope: Slope | None
    """Rise or fall since the last change; None where that was too short a time ago."""


def trend(timestamps: NDArray[np.int64], values: Floats) -> Trend | None:
    """Return what became of a series; None where it has no value. See `changes` for the arguments."""
    whole = course(timestamps, values)
    if not len(whole.values):
        return None
    found = level_changes(whole)
    begin = int(np.searchsorted(whole.times, found[-1].at)) if found else 0
    last = Course(whole.times[begin:], whole.values[begin:], whole.step)
    return Trend(
        since=float(whole.times[0]),
        until=float(whole.times[-1]),
        changes=found,
        level=float(robust.median(last.values)),
        slope=slope(last),
    )

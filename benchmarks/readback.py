"""What was written beside what a server says: every value at its time, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airis_mon.analyzer.query import Labels
from airis_mon.remote_write import is_stale

Course = dict[int, float]
"""Time in seconds -> value."""
LOOKBACK = 300
"""Seconds for which a series without a new value is still shown, unless it was ended."""
ROUNDING = 1e-11
"""Share of a value that a server may be off by: VictoriaMetrics keeps some twelve digits."""


@dataclass(frozen=True)
class Readback:
    """How far a server says what was written."""

    series: int
    values: int
    """That were written, without the marks that end series."""
    missing: int
    """Of these, not there when they were read back."""
    largest: float
    """Largest difference between a value read back and the one written, as a share of it."""
    added: int
    """Values read back that nobody wrote: of other series, or where no earlier one explains them."""
    ended: int
    """Series that were ended by a mark."""
    outlived: int
    """Of these, shown at the time of the mark or after it."""

    @property
    def faithful(self) -> bool:
        """Whether the server says what was written, and nothing else."""
        return not (self.missing or self.added or self.outlived) and self.largest <= ROUNDING


def compared(written: Mapping[Labels, Course], found: Mapping[Labels, Course], interval: int) -> Readback:
    """Hold what was read each `interval` seconds against what was written at such times."""
    values = {
        labels: {at: value for at, value in course.items() if not is_stale(value)}
        for labels, course in written.items()
    }
    marks = {
        labels: min(at for at, value in course.items() if is_stale(value))
        for labels, course in written.items()
        if any(map(is_stale, course.values()))
    }
    pairs = [
        (value, found.get(labels, {}).get(at))
        for labels, course in values.items()
        for at, value in course.items()
    ]
    return Readback(
        series=len(values),
        values=len(pairs),
        missing=sum(there is None for _, there in pairs),
        largest=max((_off(value, there) for value, there in pairs if there is not None), default=0.0),
        added=sum(_added(values.get(labels, {}), course, interval) for labels, course in found.items()),
        ended=len(marks),
        outlived=sum(any(at >= mark for at in found.get(labels, ())) for labels, mark in marks.items()),
    )


def _off(value: float, there: float) -> float:
    return 0.0 if value == there else abs(there - value) / abs(value or 1.0)


def _added(written: Course, course: Course, interval: int) -> int:
    """Count values at times at which none was written, and for which no earlier one is looked back to."""
    before = range(interval, LOOKBACK + 1, interval)
    return sum(
        at not in written and not any(written.get(at - ago) == value for ago in before)
        for at, value in course.items()
    )

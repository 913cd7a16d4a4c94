"""The past of one expression, kept from fit to fit so that each asks only for what is new."""

from __future__ import annotations

import numpy as np

from airis_mon.analyzer.query import Frame, Querier, grid

_AGAIN = 6 * 3600
"""Seconds after which everything is read again: what arrived late, or was filled in afterwards."""
_OVERLAP = 600
"""Seconds before the last end that are read once more."""


class History:
    """A window over the values of one expression that ends where it is asked to end."""

    def __init__(self, expr: str, span: int, step: int) -> None:
        """Watch `expr` over `span` seconds, one value each `step` seconds."""
        self._expr = expr
        self._columns = max(1, span // step)
        self._step = step
        self.frame: Frame | None = None
        """The window as it was read last; None before that."""

    @property
    def end(self) -> int:
        """Time of the last column that is known; 0 before there is one."""
        return 0 if self.frame is None else int(self.frame.timestamps[-1])

    def until(self, querier: Querier, end: int) -> Frame:
        """Return the window whose last column is at `end`, a multiple of the step; raises QueryError.

        After an error the window is what it was, and the next call makes up for it.
        """
        start = end - (self._columns - 1) * self._step
        old = self.frame
        if old is not None and int(old.timestamps[-1]) == end:
            return old
        if old is None or not self._continues(int(old.timestamps[-1]), start, end):
            frame = querier.range(self._expr, start, end, self._step)
        else:
            known = int(old.timestamps[-1]) - _OVERLAP // self._step * self._step
            new = querier.range(self._expr, max(start, known + self._step), end, self._step)
            frame = _joined(old, new, grid(start, end, self._step))
        self.frame = frame
        return frame

    def between(self, querier: Querier, start: int, end: int) -> Frame:
        """Return a window that lies inside what is known, and is asked for where it does not."""
        old = self.frame
        if old is None or not int(old.timestamps[0]) <= start <= end <= int(old.timestamps[-1]):
            return querier.range(self._expr, start, end, self._step)
        first, stop = np.searchsorted(old.timestamps, (start, end + 1))
        values = old.values[:, first:stop]
        there = np.flatnonzero(~np.isnan(values).all(axis=1))
        if len(there) < len(values):
            values = values[there]
        return Frame(tuple(old.labels[row] for row in there), old.timestamps[first:stop], values)

    def _continues(self, last: int, start: int, end: int) -> bool:
        # Counted from the epoch, so that replicas read everything again in the same fit.
        return start <= last < end and last // _AGAIN == end // _AGAIN


def _joined(old: Frame, new: Frame, times: np.ndarray) -> Frame:
    labels = tuple(sorted({*old.labels, *new.labels}))
    values = np.full((len(labels), len(times)), np.nan)
    row = {one: n for n, one in enumerate(labels)}
    # The new part goes last: where both speak, it is the one that was read later.
    for part in (old, new):
        columns = np.searchsorted(times, part.timestamps)
        inside = (part.timestamps >= times[0]) & (part.timestamps <= times[-1])
        rows = [row[one] for one in part.labels]
        if rows and inside.any():
            values[np.ix_(rows, columns[inside])] = part.values[:, inside]
    present = ~np.isnan(values).all(axis=1)
    return Frame(
        tuple(one for one, there in zip(labels, present, strict=True) if there), times, values[present]
    )

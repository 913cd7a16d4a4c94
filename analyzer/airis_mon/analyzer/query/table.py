"""Series that come one after the other, in parts -> a frame, with each number in memory once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.query.querier import Frame, Labels

_ROWS_MORE = 16


class Table:
    """Rows on one grid of timestamps, that grows by series."""

    def __init__(self, times: NDArray[np.int64]) -> None:
        """Begin without a row; `times` have equal steps."""
        self._times = times
        self._start = int(times[0]) if len(times) else 0
        self._step = int(times[1] - times[0]) if len(times) > 1 else 1
        self._rows: dict[Labels, int] = {}
        self._values = np.empty((0, len(times)))

    @property
    def rows(self) -> int:
        """How many series there are."""
        return len(self._rows)

    def reserve(self, rows: int) -> None:
        """Make room for so many series."""
        more = rows - len(self._values)
        if more > 0:
            self._values = np.concatenate([self._values, np.full((more, len(self._times)), np.nan)])

    def add(self, labels: Labels, points: NDArray[np.float64]) -> None:
        """Put points, (n, 2) seconds and numbers, into the row of a series, as far as the grid has them."""
        row = self._rows.setdefault(labels, len(self._rows))
        if row == len(self._values):
            self.reserve(row + _ROWS_MORE)
        columns = (np.rint(points[:, 0]).astype(np.int64) - self._start) // self._step
        inside = (columns >= 0) & (columns < len(self._times))
        self._values[row, columns[inside]] = points[inside, 1]

    def frame(self) -> Frame:
        """Return the series in the order of their labels; nothing can be added afterwards."""
        labels = tuple(sorted(self._rows))
        order = [self._rows[one] for one in labels]
        values = self._values[: len(order)]
        # Prometheus answers in this order, as far as it knows all labels.
        return Frame(labels, self._times, values if order == list(range(len(order))) else values[order])

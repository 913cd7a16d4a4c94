"""A querier that asks for days at a time, and answers what a watch asks for out of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.query import Frame, Querier, QueryError, grid

_AHEAD = DAY
"""Seconds that are read beyond what was asked for: the times to come will ask for them."""
_KEPT = DAY
"""Seconds that are kept before the longest window: windows of one grid do not all end at the same time."""


class ReadAhead:
    """Answers for times up to an end, with one question for a day where the service has one for each time.

    Questions have to move forward in time, as those of a watch do; others are right as well, and slow.
    """

    def __init__(self, querier: Querier, until: int, interval: int) -> None:
        """Read from `querier`, nothing after `until`; instants are those of the evaluations' grid."""
        self._querier = querier
        self._until = until
        self._interval = interval
        self._blocks: dict[tuple[str, int, int], _Block] = {}
        self._unmarked: set[str] = set()

    def now(self) -> float:
        """Return the server's own time."""
        return self._querier.now()

    def range(self, expr: str, start: int, end: int, step: int) -> Frame:
        """Return the values from `start` to `end`; series without a number there are left out."""
        end -= (end - start) % step
        found = self._block(expr, start, end, step).cut(start, end)
        present = np.flatnonzero(np.isfinite(found.values).any(axis=1))
        labels = tuple(found.labels[row] for row in present)
        return Frame(labels, found.timestamps, found.values[present])

    def instant(self, expr: str, at: int) -> Frame:
        """Return the values at one time of the grid; a series whose value is no number is still there."""
        found = self._block(expr, at, at, self._interval).cut(at, at)
        there = np.isfinite(found.values[:, 0])
        if not there.all():
            there |= self._marked(expr, found, at)
        rows = np.flatnonzero(there)
        return Frame(tuple(found.labels[row] for row in rows), found.timestamps, found.values[rows])

    def close(self) -> None:
        """Let go of connections."""
        self._querier.close()

    def _block(self, expr: str, start: int, end: int, step: int) -> _Block:
        key = expr, step, start % step
        block = self._blocks.get(key)
        if block is None or not block.start <= start <= block.end + step:
            block = _Block(step)
            self._blocks[key] = block
        if block.frame is None or end > block.end:
            first = start if block.frame is None else block.end + step
            last = max(end, min(end + _AHEAD, self._until))
            last -= (last - first) % step
            block.extend(self._querier.range(expr, first, last, step))
        block.forget(start, end)
        return block

    def _marked(self, expr: str, found: Frame, at: int) -> NDArray[np.bool_]:
        """Tell which series are there at a time, though what they have may be no number.

        A range leaves both out alike, so that is asked for apart, where it makes a difference at all.
        """
        if expr not in self._unmarked:
            try:
                block = self._block(f"(\n{expr}\n) >bool -Inf", at, at, self._interval)
            except QueryError:  # of series that differ in their names alone there is no such thing
                self._unmarked.add(expr)
            else:
                marks = block.cut(at, at)
                shown = {
                    labels
                    for labels, mark in zip(marks.labels, marks.values[:, 0], strict=True)
                    if not np.isnan(mark)
                }
                unnamed = (tuple(pair for pair in labels if pair[0] != "__name__") for labels in found.labels)
                return np.array([labels in shown for labels in unnamed], dtype=np.bool_)
        return np.zeros(len(found.labels), dtype=np.bool_)


class _Block:
    """What was read of one expression on one grid."""

    def __init__(self, step: int) -> None:
        self.frame: Frame | None = None
        self._step = step
        self._longest = 0

    @property
    def start(self) -> int:
        return 0 if self.frame is None else int(self.frame.timestamps[0])

    @property
    def end(self) -> int:
        return 0 if self.frame is None else int(self.frame.timestamps[-1])

    def extend(self, new: Frame) -> None:
        """Add what follows."""
        old = self.frame
        if old is None:
            self.frame = new
            return
        labels = tuple(sorted({*old.labels, *new.labels}))
        row = {one: n for n, one in enumerate(labels)}
        values = np.full((len(labels), len(old.timestamps) + len(new.timestamps)), np.nan)
        values[[row[one] for one in old.labels], : len(old.timestamps)] = old.values
        values[[row[one] for one in new.labels], len(old.timestamps) :] = new.values
        times = grid(self.start, int(new.timestamps[-1]), self._step)
        self.frame = Frame(labels, times, values)

    def forget(self, start: int, end: int) -> None:
        """Let go of what no window of the kind that was asked for can want again."""
        self._longest = max(self._longest, end - start)
        beyond = end - self._longest - _KEPT
        if self.frame is not None and beyond - _AHEAD > self.start:
            self.frame = self.cut(self.start + -(-(beyond - self.start) // self._step) * self._step, self.end)

    def cut(self, start: int, end: int) -> Frame:
        """Return the columns of a window."""
        assert self.frame is not None
        first = (start - self.start) // self._step
        stop = (end - self.start) // self._step + 1
        return Frame(
            self.frame.labels, self.frame.timestamps[first:stop], self.frame.values[:, first:stop].copy()
        )

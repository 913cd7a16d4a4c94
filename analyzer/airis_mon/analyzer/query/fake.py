"""A server with numbers of one's own choosing, for tests of what reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.query.querier import Frame, Labels, QueryError, grid

Course = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""The values of one series at some timestamps."""


class MemoryQuerier:
    """Knows series as functions of time, under the expression that asks for them."""

    def __init__(self, expressions: Mapping[str, Mapping[Labels, Course]], now: float) -> None:
        self.expressions = dict(expressions)
        self.time = now
        self.ranges: list[tuple[str, int, int, int]] = []
        """Every range that was asked for."""

    def now(self) -> float:
        """Return the time that the test set."""
        return self.time

    def range(self, expr: str, start: int, end: int, step: int) -> Frame:
        """Return the courses of an expression."""
        self.ranges.append((expr, start, end, step))
        return self._frame(expr, grid(start, end, step))

    def instant(self, expr: str, at: int) -> Frame:
        """Return the courses of an expression at one time; a series that is NaN is still there."""
        return self._frame(expr, np.array([at], dtype=np.int64))

    def close(self) -> None:
        """Do nothing."""

    def _frame(self, expr: str, times: NDArray[np.int64]) -> Frame:
        if expr not in self.expressions:
            raise QueryError(f"bad_data: {expr}")
        courses = self.expressions[expr]
        labels = tuple(sorted(courses))
        values = np.array([courses[one](times) for one in labels], dtype=np.float64)
        return Frame(labels, times, values.reshape(len(labels), len(times)))

"""What answers an expression, and the form of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Labels = tuple[tuple[str, str], ...]
"""Pairs sorted by name: the identity of a series."""


class QueryError(Exception):
    """No numbers, and why: the server's own words where it had any."""


@dataclass(frozen=True)
class Frame:
    """Series on one grid of timestamps."""

    labels: tuple[Labels, ...]
    """One entry for each row, no two the same."""
    timestamps: NDArray[np.int64]
    """(n,) seconds since the epoch, equal steps."""
    values: NDArray[np.float64]
    """(rows, n); NaN where a series has no value, or one that is no finite number."""


def grid(start: int, end: int, step: int) -> NDArray[np.int64]:
    """Return the timestamps from `start` to `end`, both included where the step meets them."""
    return np.arange(start, end + 1, step, dtype=np.int64)


class Querier(Protocol):
    """A server that evaluates PromQL. All methods raise QueryError, and nothing else, for what it does."""

    def now(self) -> float:
        """Return the server's own time, in seconds since the epoch."""

    def range(self, expr: str, start: int, end: int, step: int) -> Frame:
        """Return the values from `start` to `end` (whole seconds, included), whatever their number."""

    def instant(self, expr: str, at: int) -> Frame:
        """Return the values at one time, as a frame of one column."""

    def close(self) -> None:
        """Let go of connections."""

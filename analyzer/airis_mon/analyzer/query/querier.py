"""What answers an expression, and the form of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

Labels = tuple[tuple[str, str], ...]
"""Pairs sorted by name: the identity of a series."""


class QueryError(Exception):
    """No numbers, and why: the server's own words where it had any."""


Limit = Literal["series", "bytes", "timeout", "learning", "judging", "comparing"]
"""What there is only so much of: series and bytes of an answer, time for one, time of a cycle."""
LIMITS: tuple[Limit, ...] = get_args(Limit)


class LimitError(QueryError):
    """No numbers, because there would have been more than are read, or because they took too long."""

    def __init__(self, limit: Limit, text: str) -> None:
        """Say which limit, and in `text` what to do about it."""
        super().__init__(text)
        self.limit: Limit = limit


@dataclass(frozen=True)
class Limits:
    """The most that one server may answer."""

    series: int = 10_000
    """Of one expression: more is a missing `by` or selector, and would fill the memory."""
    bytes: int = 256 * 1024 * 1024
    """Of one answer; long pasts are asked for in parts of some 30 MB."""
    seconds: float = 30.0
    """Until an answer begins, and between two parts of it."""


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

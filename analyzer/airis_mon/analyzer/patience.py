"""How long one round may take, so that what is slow makes nothing else late."""

from __future__ import annotations

import math
from dataclasses import dataclass

_LEARNING_LEAST = 5.0
_JUDGING_LEAST = 15.0
"""Seconds, however short the interval is."""


@dataclass(frozen=True)
class Patience:
    """How long a round may take, in seconds from its beginning; the next one begins with what is left."""

    learning: float = math.inf
    """After which no long past is read any more: a query without a model has to wait for one."""
    preparing: float = math.inf
    """After which nothing is prepared for fits to come: a share of a cycle each time is enough for that.

    0 prepares nothing: nobody will ask for it.
    """
    judging: float = math.inf
    """After which no query is judged any more: one that is slow shall not make all others late."""

    @classmethod
    def of(cls, interval: int) -> Patience:
        """Return what suits rounds that are so far apart."""
        return cls(
            learning=max(interval / 2, _LEARNING_LEAST),
            preparing=max(interval / 3, _LEARNING_LEAST),
            judging=max(float(interval), _JUDGING_LEAST),
        )

"""When a cycle evaluates and when a model is fitted: functions of Prometheus' time alone.

Two analyzers that watch the same Prometheus thereby reach the same numbers at the same timestamps, whenever
either was started.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

INTERVAL = 60
"""Seconds between evaluations."""
STEP = 60
"""Seconds between the points of history that a model learns from."""
FIT_INTERVAL = 600
"""Seconds between fits: of the level, on the last hours."""
LEARN_INTERVAL = 6 * 3600
"""Seconds between two looks at the whole history: for what is usual, and how far off is not."""
HISTORY = 28 * 86400
"""Seconds of history, where a query does not say: four weeks show how rare a departure is."""

Seconds = TypeVar("Seconds", int, NDArray[np.int64])


def evaluated_at(now: float, interval: int) -> int:
    """Return the newest time of evaluation that is not after `now`."""
    return int(now // interval) * interval


def fitted_at(evaluation: Seconds, interval: int) -> Seconds:
    """Return until when the model that judges `evaluation` has seen the series: always before it."""
    return (evaluation - 1) // interval * interval


def learnt_at(fitted: Seconds, cell: int) -> Seconds:
    """Return the end of the past that a model fitted at `fitted` has learnt from: a multiple of `cell`."""
    return fitted // LEARN_INTERVAL * LEARN_INTERVAL // cell * cell


def moment(seconds: float) -> str:
    """Return a time as people and flags write it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

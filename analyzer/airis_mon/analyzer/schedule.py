"""When a cycle evaluates and when a model is fitted: functions of Prometheus' time alone.

Two analyzers that watch the same Prometheus thereby reach the same numbers at the same timestamps, whenever
either was started.
"""

from __future__ import annotations

from dataclasses import dataclass
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
LEARN_DELAY = 3600
"""Seconds between the end of a history and the first fit that uses what was learnt from it: so long, a fleet
may take to learn, a few queries in each cycle."""
FORECAST_INTERVAL = 1800
"""Seconds between forecasts that look far ahead, and for which a fleet may take to make them."""
FAR = 6 * 3600
"""Seconds from which on a forecast looks far ahead; nearer ones are made at each fit."""
HISTORY = 28 * 86400
"""Seconds of history, where a query does not say: four weeks show how rare a departure is."""

Seconds = TypeVar("Seconds", int, NDArray[np.int64])


@dataclass(frozen=True)
class Schedule:
    """How often what is done, in whole seconds."""

    interval: int = INTERVAL
    """Between evaluations."""
    step: int = STEP
    """Between the points of history; divides a day."""
    fit_interval: int = FIT_INTERVAL
    """Between fits."""


def evaluated_at(now: float, interval: int) -> int:
    """Return the newest time of evaluation that is not after `now`."""
    return int(now // interval) * interval


def fitted_at(evaluation: Seconds, interval: int) -> Seconds:
    """Return until when the model that judges `evaluation` has seen the series: always before it."""
    return (evaluation - 1) // interval * interval


def learnt_at(fitted: Seconds, cell: int) -> Seconds:
    """Return the end of the past that a model fitted at `fitted` has learnt from: a multiple of `cell`."""
    return learnable_at(fitted - LEARN_DELAY, cell)


def learnable_at(now: Seconds, cell: int) -> Seconds:
    """Return the end of the newest past that can be learnt from: what a fit will use within the hour."""
    return now // LEARN_INTERVAL * LEARN_INTERVAL // cell * cell


def foreseen_at(fitted: int, horizon: int, cell: int) -> int:
    """Return the end of the past that a forecast knows which is told after a fit at `fitted`."""
    return foreseeable_at(fitted - FORECAST_INTERVAL if horizon >= FAR else fitted, horizon, cell)


def foreseeable_at(now: int, horizon: int, cell: int) -> int:
    """Return the end of the newest past that a forecast can be made from."""
    every = FORECAST_INTERVAL if horizon >= FAR else cell
    return now // every * every // cell * cell


def moment(seconds: float) -> str:
    """Return a time as people and flags write it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

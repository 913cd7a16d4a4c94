"""Playing a trace against a clock: which requests are due, tick by tick."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator

from airis_mon.traces.operations import Operation

TICK = 0.25
"""Seconds between two batches: well below any scrape interval, and few enough HTTP requests at any speed."""
LARGEST_BATCH = 500
"""Requests per batch, so that a body stays far below the sidecar's limit."""


def play(
    operations: Iterable[Operation],
    speed: float = 1.0,
    *,
    tick: float = TICK,
    largest: int = LARGEST_BATCH,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[list[Operation]]:
    """Yield requests in batches when they are due: those of one tick of `tick` seconds, at the tick's end.

    `speed` is trace seconds per second of the clock; `math.inf` waits for nothing. A consumer that is slower
    than the trace is never waited for twice: what has become due meanwhile follows at once.
    """
    if not speed > 0:
        raise ValueError(f"speed is {speed}; write a number above 0, or math.inf for as fast as possible")
    batch: list[Operation] = []
    began = now()
    first: float | None = None
    ends = tick
    for operation in operations:
        first = operation.at if first is None else first
        due = 0.0 if math.isinf(speed) else (operation.at - first) / speed
        if batch and (due >= ends or len(batch) >= largest):
            _wait(began + (ends if due >= ends else due), speed, now, sleep)
            yield batch
            batch = []
        if due >= ends:
            ends = (due // tick + 1) * tick
        batch.append(operation)
    if batch:
        _wait(began + ends, speed, now, sleep)
        yield batch


def _wait(until: float, speed: float, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
    if not math.isinf(speed) and (rest := until - now()) > 0:
        sleep(rest)

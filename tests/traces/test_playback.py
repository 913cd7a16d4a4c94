from __future__ import annotations

import math
from collections.abc import Iterable

import pytest

from airis_mon.traces import Operation, play


class Clock:
    """Time that passes only by sleeping, or where the test lets it."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def at(*moments: float) -> list[Operation]:
    return [Operation(moment, 1, 1) for moment in moments]


def played(
    clock: Clock, trace: Iterable[Operation], speed: float, **options: float
) -> list[tuple[float, int]]:
    batches = play(trace, speed, now=clock.now, sleep=clock.sleep, **options)  # type: ignore[arg-type]
    return [(round(clock.now() - 1000.0, 6), len(batch)) for batch in batches]


def test_requests_of_one_tick_go_together_at_its_end() -> None:
    trace = at(50.0, 50.1, 50.2, 50.3, 52.0)
    assert played(Clock(), trace, 1.0, tick=0.25) == [(0.25, 3), (0.5, 1), (2.25, 1)]


def test_speed_divides_the_time_between_requests() -> None:
    trace = at(0.0, 6.0, 12.0, 60.0)
    assert played(Clock(), trace, 60.0, tick=0.25) == [(0.25, 3), (1.25, 1)]


def test_as_fast_as_possible_waits_for_nothing_and_splits_by_size() -> None:
    assert played(Clock(), at(*range(25)), math.inf, largest=10) == [(0.0, 10), (0.0, 10), (0.0, 5)]


def test_a_slow_consumer_is_not_waited_for_again() -> None:
    clock = Clock()
    batches = play(at(0.0, 1.0, 2.0, 10.0), 1.0, tick=0.5, now=clock.now, sleep=clock.sleep)
    moments = []
    for _ in batches:
        moments.append(clock.now() - 1000.0)
        clock.time += 4.0  # the consumer
    assert moments == [0.5, 4.5, 8.5, 12.5]


def test_a_burst_is_split_and_not_delayed() -> None:
    trace = at(0.0, *[0.1] * 5, 3.0)
    assert played(Clock(), trace, 1.0, tick=1.0, largest=3) == [(0.1, 3), (1.0, 3), (4.0, 1)]


def test_a_speed_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"speed is 0; write a number above 0, or math\.inf"):
        next(play(at(0.0), 0))

from __future__ import annotations

import itertools
import math
import statistics
from pathlib import Path

import pytest

from airis_mon.traces import Operation, Traffic, operations, read, write_csv

NOON = 1_700_136_000.0  # 2023-11-16 12:00 UTC
DAY = 86400.0


def until(traffic: Traffic, seconds: float, seed: int = 1) -> list[Operation]:
    return list(itertools.takewhile(lambda o: o.at < NOON + seconds, operations(traffic, NOON, seed)))


def test_equal_seeds_give_equal_traffic_and_others_do_not() -> None:
    assert until(Traffic(), 600) == until(Traffic(), 600)
    assert until(Traffic(), 600) != until(Traffic(), 600, seed=2)


def test_mean_rate_is_the_one_stated() -> None:
    requests = until(Traffic(rate=0.5), DAY)
    # Poisson: the standard deviation of the count is its root.
    assert abs(len(requests) - 0.5 * DAY) < 4 * math.sqrt(0.5 * DAY)


def test_arrivals_follow_the_season() -> None:
    traffic = Traffic(rate=1.0, daily_swing=0.5, peak=14 * 3600)
    requests = until(traffic, DAY)
    for hour in (1, 7, 13, 19):  # after noon: about the peak, the fall, the night, the rise
        begin = NOON + hour * 3600
        expected = traffic.rate_at(begin + 3600) * 7200
        count = sum(begin <= request.at < begin + 7200 for request in requests)
        assert abs(count - expected) < 4 * math.sqrt(expected) + 0.02 * expected


def test_tokens_are_lognormal_within_their_limits() -> None:
    traffic = Traffic(input_median=300, input_sigma=0.8, output_median=20, output_sigma=0.5, output_most=40)
    requests = until(traffic, 20_000)
    logs = [math.log(request.input_tokens) for request in requests]
    assert statistics.median(logs) == pytest.approx(math.log(300), abs=0.05)
    assert statistics.stdev(logs) == pytest.approx(0.8, abs=0.05)
    assert max(request.output_tokens for request in requests) == 40
    assert min(request.output_tokens for request in requests) >= 1


def test_written_csv_reads_back(tmp_path: Path) -> None:
    requests = until(Traffic(), 300)
    path = tmp_path / "own.csv"
    with path.open("w") as file:
        write_csv(requests, file)
    back = list(read(path))
    assert [(o.input_tokens, o.output_tokens) for o in back] == [
        (o.input_tokens, o.output_tokens) for o in requests
    ]
    assert [o.at for o in back] == pytest.approx([o.at for o in requests], abs=2e-6)


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=f"rate is {rate}; write requests per second above 0"):
        Traffic(rate=rate)


def test_a_swing_that_would_turn_the_rate_negative_is_refused() -> None:
    with pytest.raises(ValueError, match=r"daily_swing is 1\.5; write a share from 0 to 1"):
        Traffic(daily_swing=1.5)

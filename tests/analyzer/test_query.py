"""Questions to the real Prometheus, and its limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.query import HttpQuerier, LimitError, QueryError


@pytest.fixture
def querier(prometheus_server: Callable[..., Any]) -> Iterator[HttpQuerier]:
    there = HttpQuerier(prometheus_server().url)
    yield there
    there.close()


def test_the_time_is_the_servers(querier: HttpQuerier) -> None:
    assert querier.now() == pytest.approx(time.time(), abs=5)


def test_a_range_of_more_points_than_one_answer_holds(querier: HttpQuerier) -> None:
    end = int(querier.now()) // 15 * 15
    frame = querier.range("vector(time())", end - 2 * DAY, end, 15)
    assert frame.values.shape == (1, 2 * DAY // 15 + 1)
    np.testing.assert_array_equal(frame.values[0], frame.timestamps)


def test_gaps_and_what_is_no_number_are_gaps(querier: HttpQuerier) -> None:
    end = int(querier.now()) // 60 * 60
    frame = querier.range("vector(1 / (time() % 120 == bool 0))", end - 600, end, 60)
    expected = np.where(frame.timestamps % 120 == 0, 1.0, np.nan)
    np.testing.assert_array_equal(frame.values[0], expected)
    assert querier.range("absent_thing", end - 600, end, 60).values.shape == (0, 11)
    assert querier.instant("1 + 1", end).values.tolist() == [[2.0]]


def test_the_words_of_prometheus_are_passed_on(querier: HttpQuerier) -> None:
    with pytest.raises(QueryError, match=r"400: bad_data: .*unclosed left parenthesis"):
        querier.range("rate(latency", 0, 600, 60)
    with pytest.raises(QueryError, match="needed"):
        querier.instant('"text"', 600)


def test_limits_are_told_with_what_to_do(prometheus_server: Callable[..., Any]) -> None:
    url = prometheus_server().url
    three = " or ".join(f'label_replace(vector(1), "a", "{n}", "", "")' for n in range(3))
    with pytest.raises(
        LimitError, match="gives 3 series, at most 2 are read: keep fewer labels apart"
    ) as told:
        HttpQuerier(url, series_max=2).instant(three, 600)
    assert told.value.limit == "series"
    with pytest.raises(LimitError, match="more than 2000 bytes") as told:
        HttpQuerier(url, bytes_max=2000).range("vector(time())", 0, 6000, 10)
    assert told.value.limit == "bytes"


def test_a_server_that_is_not_there_is_named_without_credentials(free_port: Callable[[], int]) -> None:
    with pytest.raises(QueryError, match=r"is not reachable: .*refused") as raised:
        HttpQuerier(f"http://user:hunter2@127.0.0.1:{free_port()}").now()
    assert "hunter2" not in str(raised.value)


def test_a_server_that_is_no_prometheus_is_told_so(prometheus_server: Callable[..., Any]) -> None:
    with pytest.raises(QueryError, match="answered 404, not in Prometheus' form"):
        HttpQuerier(prometheus_server().url + "/elsewhere").now()


def test_an_answer_of_many_series_is_asked_for_in_parts(prometheus_server: Callable[..., Any]) -> None:
    url = prometheus_server().url
    three = " or ".join(f'label_replace(vector(time()), "a", "{n}", "", "")' for n in range(3))
    whole, parts = HttpQuerier(url), HttpQuerier(url, answer_points=300)
    one, other = (there.range(three, 0, 60_000, 60) for there in (whole, parts))
    assert one.labels == other.labels
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.values, np.broadcast_to(one.timestamps, (3, 1001)))
    whole.close()
    parts.close()


def test_a_fleet_that_begins_in_the_middle_of_a_past_is_asked_for_in_smaller_parts(
    prometheus_server: Callable[..., Any],
) -> None:
    url = prometheus_server().url
    ten = " or ".join(f'label_replace(vector(time()), "a", "{n}", "", "")' for n in range(10))
    whole, little = HttpQuerier(url), HttpQuerier(url, bytes_max=100_000)
    asked = f"({ten}) > 40000"
    one, other = (there.range(asked, 0, 150_000, 60) for there in (whole, little))
    assert one.labels == other.labels
    np.testing.assert_array_equal(one.values, other.values)
    assert np.isnan(one.values).any(axis=1).all()
    # What one point in time has too much of is refused, however little is asked for.
    with pytest.raises(LimitError, match="more than 3000 bytes"):
        HttpQuerier(url, bytes_max=3000).range(asked, 0, 150_000, 60)
    whole.close()
    little.close()

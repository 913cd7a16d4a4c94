"""Changes of level and slopes: found where they are, and not found in noise that has a memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from airis_mon.analyzer.trends import changes, trend

Floats = NDArray[np.float64]
_DAY = 86400


def _times(count: int, step: int = 60) -> NDArray[np.int64]:
    return 1_700_000_000 + step * np.arange(count, dtype=np.int64)


def _noise(count: int, memory: float, number: int = 100, seed: int = 7) -> Floats:
    """Return series whose neighbours correlate by `memory`, of standard deviation 1."""
    drawn = np.random.default_rng(seed).standard_normal((count, number))
    rows = np.empty_like(drawn)
    rows[0] = drawn[0]
    for at in range(1, count):
        rows[at] = memory * rows[at - 1] + np.sqrt(1 - memory**2) * drawn[at]
    return rows.T


@pytest.mark.parametrize(
    ("count", "memory", "most"), [(100, 0.0, 1), (100, 0.5, 1), (500, 0.9, 1), (2000, 0.97, 1)]
)
def test_noise_has_no_changes_however_alike_its_neighbours_are(count: int, memory: float, most: int) -> None:
    rows = _noise(count, memory)
    assert sum(bool(changes(_times(count), row)) for row in rows) <= most


@pytest.mark.parametrize(("count", "memory", "by"), [(100, 0.0, 3.0), (500, 0.5, 3.0), (2000, 0.9, 6.0)])
def test_a_change_is_told_with_its_time_and_its_levels(count: int, memory: float, by: float) -> None:
    rows, times, begin = _noise(count, memory), _times(count), count * 2 // 3
    rows[:, begin:] += by
    told = [changes(times, row) for row in rows]
    single = [one[0] for one in told if len(one) == 1]
    assert len(single) >= 95
    inside = sum(one.earliest <= times[begin] <= one.latest for one in single)
    assert inside >= 0.93 * len(single)
    assert np.median([one.by for one in single]) == pytest.approx(by, rel=0.1)


def test_slopes_of_noise_are_uncertain_and_those_of_rises_are_not() -> None:
    rows, times = _noise(1000, 0.7), _times(1000)
    certain = 0
    for row in rows:
        told = trend(times, row)
        assert told is not None
        assert told.slope is not None
        certain += told.slope.certain
    assert certain <= 10
    rising = trend(times, rows[0] + (times - times[0]) / _DAY * 10)
    assert rising is not None
    assert rising.slope is not None
    assert rising.changes == ()
    assert rising.slope.lower < 10 / _DAY < rising.slope.upper
    assert rising.slope.certain


def test_what_comes_back_each_day_and_week_is_no_change() -> None:
    times = _times(30 * 288, 300)
    day = 5 * np.sin(2 * np.pi * times / _DAY) + np.where(times // _DAY % 7 < 5, 10.0, 0.0)
    values = day + _noise(len(times), 0.3, 1)[0]
    assert changes(times, values) == ()
    values[len(times) // 2 :] += 3
    (change,) = changes(times, values)
    assert change.earliest <= times[len(times) // 2] <= change.latest
    assert change.by == pytest.approx(3, abs=0.3)


def test_a_burst_is_no_change_and_a_level_that_goes_back_is_two() -> None:
    times, values = _times(2000), _noise(2000, 0.0, 1)[0]
    values[700:715] += 100
    assert changes(times, values) == ()
    values[1000:1200] += 4
    up, down = changes(times, values)
    assert (up.by > 3, down.by < -3) == (True, True)
    assert abs(up.at - times[1000]) <= 300
    assert abs(down.at - times[1200]) <= 300


def test_a_rise_is_no_stairs_and_a_step_on_a_rise_is_one_change() -> None:
    times = _times(30 * 288, 300)
    values = _noise(len(times), 0.0, 1)[0] + (times - times[0]) / _DAY
    told = trend(times, values)
    assert told is not None
    assert told.changes == ()
    assert told.slope is not None
    assert told.slope.per_second * _DAY == pytest.approx(1, rel=0.02)
    values[len(times) // 2 :] += 40
    (change,) = changes(times, values)
    assert abs(change.at - times[len(times) // 2]) <= 2400


def test_a_series_that_stands_still_changes_once_where_it_moves() -> None:
    values = np.where(np.arange(100) < 60, 5.0, 7.0)
    (change,) = changes(_times(100), values)
    assert (change.at, change.before, change.after) == (_times(100)[60], 5.0, 7.0)
    assert changes(_times(100), np.full(100, 5.0)) == ()


@pytest.mark.parametrize("count", [0, 1, 2, 23])
def test_little_data_says_nothing_and_breaks_nothing(count: int) -> None:
    times, values = _times(count), np.arange(count, dtype=np.float64) % 3
    assert changes(times, values) == ()
    assert (trend(times, values) is None) == (count == 0)
    assert trend(times, np.full(count, np.nan)) is None


def test_gaps_and_values_that_are_no_numbers_are_passed_over() -> None:
    times, values = _times(600), _noise(600, 0.0, 1)[0]
    values[300:] += 5
    whole = changes(times, values)
    values[::7] = np.nan
    values[[10, 400]] = np.inf, -np.inf
    (change,) = changes(times, values)
    assert abs(change.at - whole[0].at) <= 120


@given(
    st.floats(1e-6, 1e6),
    st.floats(-1e3, 1e3),
    st.integers(0, 2**32 - 1),
    st.integers(50, 150),
)
def test_units_do_not_matter(scale: float, offset: float, seed: int, begin: int) -> None:
    times, values = _times(200), _noise(200, 0.2, 1, seed)[0]
    values[begin:] += 4
    plain = changes(times, values)
    scaled = changes(times, (values + offset) * scale)
    assert [one.at for one in scaled] == [one.at for one in plain]
    assert [one.by / scale for one in scaled] == pytest.approx([one.by for one in plain], rel=1e-6, abs=1e-6)
    turned = changes(times, -values)
    assert [(one.at, -one.by) for one in turned] == [(one.at, one.by) for one in plain]

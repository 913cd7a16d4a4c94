"""Series as they come: weeks, summer time, counters that start anew, gaps, sparse and off-grid samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.replay import anomaly_scores

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
START = 1_700_006_400 // (7 * DAY) * 7 * DAY
STEP = 900
PER_DAY = DAY // STEP


def times(days: float) -> Integers:
    return START + np.arange(round(days * PER_DAY), dtype=np.int64) * STEP


def noise(count: int, size: float = 0.3) -> Floats:
    return np.random.default_rng(7).normal(0, size, count)


def day(at: Integers) -> Floats:
    return np.asarray(10 + 5 * np.sin(2 * np.pi * at / DAY))


def firing(at: Integers, values: Floats, after: float = 2.0) -> Integers:
    return np.flatnonzero((anomaly_scores(at, values) >= 1) & (at >= at[0] + after * DAY))


def test_a_quiet_weekend_is_no_anomaly_once_it_has_been_seen() -> None:
    at = times(28)
    weekend = (at - START) // DAY % 7 >= 5
    values = np.where(weekend, 3.0, day(at) + 10) + noise(len(at))
    assert not len(firing(at, values, after=21))
    values[-PER_DAY // 2 - 4 :] += 9
    assert len(firing(at, values, after=21))


def test_an_hour_of_summer_time_is_hardly_noticed() -> None:
    at = times(21)
    clock = at + np.where(at >= START + 14 * DAY, HOUR, 0)
    assert not len(firing(at, day(clock) + noise(len(at))))


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_constant_is_never_anomalous_and_its_first_change_is(value: float) -> None:
    at = times(5)
    values = np.full(len(at), value)
    assert not len(firing(at, values))
    values[-1] += 1
    assert firing(at, values).tolist() == [len(at) - 1]


def test_a_counter_that_starts_anew_is_told_once() -> None:
    at = times(10)
    values = np.arange(len(at), dtype=np.float64) * 5
    values[7 * PER_DAY :] -= values[7 * PER_DAY]
    found = firing(at, values, after=3)
    assert (found >= 7 * PER_DAY).all()
    assert (found < 8 * PER_DAY).all()


def test_a_spike_of_every_night_is_expected() -> None:
    at = times(30)
    values = 5 + noise(len(at), 0.1)
    values[(at % DAY) // STEP == 8] += 40  # a backup at two o'clock
    assert not len(firing(at, values, after=7))
    values[-20] += 40
    assert (len(at) - 20) in firing(at, values, after=29)


def test_half_a_day_without_data_is_passed_over() -> None:
    at = times(10)
    values = day(at) + noise(len(at))
    kept = np.ones(len(at), dtype=bool)
    kept[6 * PER_DAY : 6 * PER_DAY + PER_DAY // 2] = False
    assert not len(firing(at[kept], values[kept]))


def test_samples_beside_the_grid_are_judged_alike() -> None:
    at = times(8)
    values = day(at) + noise(len(at))
    values[-10:] += 8
    beside, on = (firing(some, values) for some in (at + 37, at))
    assert (beside[:6] == on[:6]).all()
    assert len(beside) >= 6


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([7, 60, 300, 1000, HOUR, DAY]), st.integers(0, 400), st.integers(0, 2**32 - 1))
def test_whatever_comes_scores_are_finite_and_causal(step: int, count: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    at = START + np.cumsum(chance.choice([step, step, step, 5 * step, DAY], count)).astype(np.int64)
    values = chance.choice([0.0, 1.0, 1e9, -1e-9, np.nan, 5.0], count)
    scores = anomaly_scores(at, values)
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()
    half = count // 2
    np.testing.assert_array_equal(anomaly_scores(at[:half], values[:half]), scores[:half])

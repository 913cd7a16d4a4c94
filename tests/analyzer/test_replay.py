"""A whole series, judged as the live service would have judged it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.replay import anomaly_scores, forecast

MINUTE = 60


def minutes(days: float, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    at = 1_700_006_400 + np.arange(round(days * DAY / MINUTE), dtype=np.int64) * MINUTE
    noise = np.random.default_rng(seed).normal(0, 0.3, len(at))
    return at, 10 + 5 * np.sin(2 * np.pi * at / DAY) + noise


@pytest.mark.parametrize("length", [5, 60])
def test_an_incident_is_anomalous_to_its_end_and_over_with_the_repair(length: int) -> None:
    at, values = minutes(3)
    begin = len(at) - 180
    values[begin : begin + length] += 6
    scores = anomaly_scores(at, values)
    assert (scores[begin : begin + length] >= 1).all()
    assert (scores[begin + length + 1 :] < 1).all()
    assert (scores[DAY // MINUTE + 1 : begin] >= 1).mean() < 0.002


def test_a_lasting_shift_is_accepted_within_a_day() -> None:
    at, values = minutes(4.5)
    begin = 3 * DAY // MINUTE
    values[begin:] += 6
    scores = anomaly_scores(at, values)
    assert (scores[begin : begin + 30] >= 1).all()
    assert (scores[begin + DAY // MINUTE :] < 1).all()


@pytest.mark.parametrize("every", [2, 5, 10, 30])
def test_what_comes_every_few_minutes_stands_for_no_anomaly_and_hides_none(every: int) -> None:
    # The past is looked at every five minutes, and may never see what comes in between.
    chance = np.random.default_rng(1)
    count = 5 * 1440
    timestamps = 1_760_054_400 + 60 * np.arange(count)
    values = 10 + chance.normal(0, 0.5, count)
    values[np.arange(count) % every == min(2, every - 1)] += 20
    incident = slice(count - 200, count - 140)
    values[incident] += 80
    scores = anomaly_scores(timestamps, values)
    usual = scores[2 * 1440 : incident.start] >= 1
    assert not np.any(usual[1:] & usual[:-1])
    assert np.all(scores[incident] >= 1)


def test_the_first_day_is_never_anomalous() -> None:
    at, values = minutes(0.9)
    values[500] = 1e6
    assert (anomaly_scores(at, values) == 0).all()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([1800, 1800, 1800, 1801, 3600, 40_000]), st.floats(-50, 50)),
        min_size=60,
        max_size=160,
    ),
    st.floats(0.3, 0.95),
)
def test_no_score_depends_on_what_comes_later(course: list[tuple[int, float]], share: float) -> None:
    at = np.cumsum([distance for distance, _ in course]).astype(np.int64)
    values = np.array([value for _, value in course])
    whole = anomaly_scores(at, values)
    cut = int(share * len(at))
    np.testing.assert_array_equal(anomaly_scores(at[:cut], values[:cut]), whole[:cut])
    assert np.isfinite(whole).all()
    assert (whole >= 0).all()


def test_gaps_and_missing_values_are_passed_over() -> None:
    at, values = minutes(3)
    keep = np.random.default_rng(4).random(len(at)) > 0.1
    values[100:200] = np.nan
    scores = anomaly_scores(at[keep], values[keep])
    assert scores.shape == (keep.sum(),)
    assert (scores >= 1).mean() < 0.01


def test_a_forecast_holds_what_comes() -> None:
    at, values = minutes(4)
    known = 3 * DAY // MINUTE
    mean, lower, upper = forecast(at[:known:60], values[:known:60], 24, 0.95)
    truth = values[known::60]
    assert mean.shape == lower.shape == upper.shape == (24,)
    assert np.abs(truth - mean).mean() < 1.0
    assert ((lower <= truth) & (truth <= upper)).mean() > 0.8


def test_a_narrower_level_gives_a_narrower_band() -> None:
    at, values = minutes(4)
    widths = [upper - lower for _, lower, upper in (forecast(at, values, 5, level) for level in (0.5, 0.95))]
    assert (widths[0] < widths[1]).all()


def test_too_little_is_answered_with_silence() -> None:
    assert anomaly_scores(np.array([], dtype=np.int64), np.array([])).shape == (0,)
    at = np.arange(10, dtype=np.int64) * HOUR
    assert (anomaly_scores(at, np.arange(10.0)) == 0).all()


@pytest.mark.parametrize("days", [5.5, 7.5, 8.5, 9.5])
def test_a_season_that_was_learnt_in_the_first_days_is_not_forgotten_in_the_second_week(days: float) -> None:
    found = []
    for seed in range(3):
        at = 1_790_035_200 + np.arange(0, round(days * DAY) + 2 * HOUR, 300)
        noise = np.random.default_rng(seed).normal(0, 5, len(at))
        incident = at >= at[0] + days * DAY
        scores = anomaly_scores(at, 100 + 40 * np.sin(2 * np.pi * at / DAY) + noise + 50 * incident)
        found.append((scores[incident] >= 1).sum() >= 6)
        assert (scores[~incident] >= 1).sum() <= 2
    assert all(found)


def test_a_day_without_values_after_the_first_leaves_a_noise_of_more_than_a_few_values() -> None:
    for seed in range(4):
        at = 1_790_035_200 + np.arange(0, 4 * DAY, 300)
        noise = np.random.default_rng(seed).normal(size=len(at))
        values = np.where(at % DAY > 7 * HOUR, 50 * (1 + 0.15 * noise), 2 + 0.1 * noise)
        values[(at >= at[0] + DAY) & (at < at[0] + 2.15 * DAY)] = np.nan
        scores = anomaly_scores(at, values)
        # What the morning of the second known day does is not known before it.
        assert scores.max() < 2
        assert (scores >= 1).sum() <= HOUR // 300


@pytest.mark.parametrize("off", [70, -70])
def test_an_idle_first_day_widens_nothing(off: int) -> None:
    for seed in range(4):
        at = 1_790_035_200 + np.arange(0, round(3.45 * DAY) + 2 * HOUR, 300)
        noise = np.random.default_rng(seed).normal(0, 2, len(at))
        incident = at >= at[0] + 3.45 * DAY
        usual = (100 + 40 * np.sin(2 * np.pi * at / DAY)) * np.where(at < at[0] + DAY, 0.05, 1)
        assert (anomaly_scores(at, usual + noise + off * incident)[incident] >= 1).sum() >= 6

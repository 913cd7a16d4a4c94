"""What comes next, and a band that holds as many outcomes as it says, over kinds of series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from airis_mon.analyzer.forecasting.horizons import ahead, coverages
from airis_mon.analyzer.forecasting.outlook import outlook
from airis_mon.analyzer.forecasting.seasons import Seasons, seasons
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.replay import forecast

Floats = NDArray[np.float64]


def hours(count: int) -> NDArray[np.int64]:
    return 1_700_006_400 + np.arange(count, dtype=np.int64) * HOUR


def wave(count: int, period: float = 24) -> Floats:
    return np.asarray(np.sin(2 * np.pi * np.arange(count) / period))


def noise(count: int, scale: float, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(0, scale, count)


def off(values: Floats, horizon: int) -> float:
    """Return the mean error over the last `horizon` values, of a forecast from those before."""
    known = len(values) - horizon
    mean, _, _ = forecast(hours(known), values[:known], horizon, 0.95)
    return float(np.abs(mean - values[known:]).mean())


def test_a_day_and_a_week_are_found() -> None:
    week = np.where(np.arange(24 * 28) // 24 % 7 < 5, 1.0, 0.3)
    values = 20 + 10 * week * (1.2 + wave(24 * 28)) + noise(24 * 28, 0.2)
    assert off(values, 72) < 0.5


def test_a_daily_course_that_grows_is_followed() -> None:
    values = 50 + 0.05 * np.arange(24 * 20) + 5 * wave(24 * 20) + noise(24 * 20, 0.3)
    assert off(values, 48) < 0.8


def test_a_day_is_known_once_it_has_passed_twice() -> None:
    values = 20 + 5 * wave(51 + 24) + noise(51 + 24, 0.2)
    assert seasons(values[:51], HOUR) == Seasons(24, 168)
    assert seasons(values[:47], HOUR).short == 0
    assert off(values, 24) < 0.8


def test_a_shorter_period_is_found_beside_the_first_days() -> None:
    for days in (2.5, 3.5):
        values = 10 + 3 * wave(round(288 * days), 30) + noise(round(288 * days), 0.3)
        assert seasons(values, 300) == Seasons(30)


def test_a_period_that_is_no_day_is_found() -> None:
    values = 10 + 3 * wave(900, 37) + noise(900, 0.2)
    assert seasons(values, 60) == Seasons(37)
    assert off(values, 60) < 0.5


def test_noise_has_no_period() -> None:
    assert seasons(10 + noise(2000, 1.0), 60) == Seasons()


def test_a_line_goes_on() -> None:
    values = 100 + 2.0 * np.arange(300) + noise(300, 1.0)
    mean, lower, upper = forecast(np.arange(300, dtype=np.int64) * 60, values, 30, 0.95)
    truth = 100 + 2.0 * np.arange(300, 330)
    assert np.abs(mean - truth).max() < 15
    assert ((lower <= truth) & (truth <= upper)).all()


def test_a_course_that_repeats_to_the_digit_goes_on() -> None:
    values = np.tile(np.array([*[0.0] * 100, *[80.0] * 188]), 14)
    at = np.arange(len(values), dtype=np.int64) * 300
    mean, _, _ = forecast(at, values, 288, 0.95)
    np.testing.assert_allclose(mean, values[:288], atol=0.5)


def test_what_is_constant_stays() -> None:
    for parts in forecast(hours(200), np.full(200, 7.25), 48, 0.95):
        np.testing.assert_allclose(parts, 7.25, rtol=1e-9)


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("kind", ["daily", "walk", "skewed"])
def test_the_band_holds_as_many_outcomes_as_it_says(kind: str, level: float) -> None:
    count, horizon, rows = 24 * 21, 24, 100
    chance = np.random.default_rng(5)
    shock = chance.normal(0, 1.0, (rows, count + horizon))
    values = {
        "daily": 20 + 5 * wave(count + horizon) + shock,
        "walk": 200 + np.cumsum(shock, axis=1),
        "skewed": 20 + 5 * wave(count + horizon) + np.exp(shock),
    }[kind]
    found = outlook(values[:, :count], HOUR, horizon, level)
    truth = values[:, count:]
    held = (found.lower <= truth) & (truth <= found.upper)
    assert level - 0.07 <= held.mean() <= min(level + 0.07, 0.995)


def test_gaps_change_little() -> None:
    values = 20 + 5 * wave(24 * 21) + noise(24 * 21, 0.3)
    gappy = values.copy()
    gappy[np.random.default_rng(1).random(len(values)) < 0.2] = np.nan
    gappy[100:130] = np.nan
    whole, holed = (forecast(hours(len(values)), one, 24, 0.95)[0] for one in (values, gappy))
    assert np.abs(whole - holed).max() < 1.5


def test_one_value_out_of_all_bounds_carries_nothing_away() -> None:
    values = 20 + 5 * wave(24 * 21) + noise(24 * 21, 0.3)
    broken = values.copy()
    broken[-1] = 1e6
    whole, _, _ = forecast(hours(len(values)), values, 24, 0.95)
    mean, _, upper = forecast(hours(len(values)), broken, 24, 0.95)
    assert np.abs(whole - mean).mean() < 12
    assert upper.max() < 150


def test_infinite_values_are_gaps() -> None:
    values = 20 + 5 * wave(24 * 21) + noise(24 * 21, 0.3)
    gappy, infinite = values.copy(), values.copy()
    gappy[300:303], infinite[300:303] = np.nan, np.inf
    uppers = [outlook(one[None], HOUR, 24, 0.95).upper for one in (gappy, infinite)]
    np.testing.assert_array_equal(uppers[0], uppers[1])
    uppers = [ahead(one[None], HOUR, (HOUR,), 0.95)[HOUR].at(HOUR + 60).upper for one in (gappy, infinite)]
    np.testing.assert_array_equal(uppers[0], uppers[1])


def test_no_steps_ahead_are_no_trouble() -> None:
    assert [part.shape for part in forecast(hours(100), wave(100), 0, 0.95)] == [(0,)] * 3


def test_missing_samples_are_missing_values() -> None:
    at, values = hours(24 * 14), 20 + 5 * wave(24 * 14) + noise(24 * 14, 0.3)
    keep = np.random.default_rng(2).random(len(at)) > 0.2
    keep[-1] = True
    gappy = np.where(keep, values, np.nan)
    for left_out, marked in zip(
        forecast(at[keep], values[keep], 24, 0.95), forecast(at, gappy, 24, 0.95), strict=True
    ):
        np.testing.assert_allclose(left_out, marked)


def test_a_row_is_forecast_alike_alone_and_among_others() -> None:
    rows = np.stack([20 + 5 * wave(400) + noise(400, 0.5, seed) for seed in range(4)])
    rows[2, :90] = np.nan
    rows[3] = 1.0
    together = outlook(rows, HOUR, 24, 0.95)
    for n, row in enumerate(rows):
        alone = outlook(row[None], HOUR, 24, 0.95)
        np.testing.assert_allclose(together.mean[n], alone.mean[0], rtol=1e-9)
        np.testing.assert_allclose(together.upper[n], alone.upper[0], rtol=1e-9)


def test_a_long_horizon_keeps_the_daily_course() -> None:
    at = 1_700_006_400 + np.arange(288 * 12, dtype=np.int64) * 300
    values = 10 + 5 * np.sin(2 * np.pi * at / DAY) + noise(len(at), 0.3)
    known = len(at) - 288
    mean, lower, upper = forecast(at[:known], values[:known], 288, 0.95)
    assert np.abs(mean - values[known:]).mean() < 0.8
    assert ((lower <= values[known:]) & (values[known:] <= upper)).mean() > 0.85


@pytest.mark.parametrize("count", [0, 1, 3])
def test_of_next_to_nothing_nothing_is_said(count: int) -> None:
    for part in forecast(hours(count), np.arange(float(count)), 5, 0.95):
        assert part.shape == (5,)
        assert np.isnan(part).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(st.floats(-1e9, 1e9, width=32), st.just(float("nan")), st.sampled_from([0.0, 0.0, 1.0])),
        min_size=4,
        max_size=200,
    ),
    st.integers(1, 130),
    st.sampled_from([60, 300, 3600, 7200, 86400, 7]),
    st.floats(0.5, 0.99),
)
def test_any_series_gives_ordered_finite_numbers_or_none(
    course: list[float], horizon: int, step: int, level: float
) -> None:
    values = np.array(course)
    at = np.arange(len(values), dtype=np.int64) * step
    mean, lower, upper = forecast(at, values, horizon, level)
    assert mean.shape == lower.shape == upper.shape == (horizon,)
    if np.isfinite(values).sum() < 4:
        assert np.isnan(mean).all()
        return
    known = values[np.isfinite(values)]
    assert np.isfinite(mean).all()
    assert (lower <= mean).all()
    assert (mean <= upper).all()
    if known.min() >= 0:
        assert (lower >= 0).all()
    room = np.ptp(known) * 0.5 + 1e-6 * np.abs(known).max()
    assert (mean <= known.max() + room).all()
    assert (mean >= known.min() - room).all()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=40, max_size=90), st.integers(1, 30))
def test_shares_stay_shares(course: list[float], horizon: int) -> None:
    found = outlook(np.array(course)[None], HOUR, horizon, 0.95, ratio=True)
    assert (found.lower >= 0).all()
    assert (found.upper <= 1).all()


def minutes(days: float, seed: int = 0) -> tuple[NDArray[np.int64], Floats]:
    at = np.arange(1, round(days * DAY / 60) + 1, dtype=np.int64) * 60
    return at, 10 + 5 * np.sin(2 * np.pi * at / DAY) + noise(len(at), 0.5, seed)


@pytest.mark.parametrize("horizon", [HOUR, 6 * HOUR, DAY])
def test_a_live_forecast_holds_single_values_until_the_next_fit_and_after_a_missed_one(horizon: int) -> None:
    past = 7 * DAY // 60
    rows = np.stack([minutes(9.5, seed)[1] for seed in range(12)])
    found = ahead(rows[:, :past], 60, (horizon,), 0.95)[horizon]
    held = []
    for later in (1, 5, 10, 60, 120):
        band = found.at(later * 60 + horizon)
        truth = rows[:, past + horizon // 60 + later - 1]
        clean = 10 + 5 * np.sin(2 * np.pi * (past * 60 + horizon + later * 60) / DAY)
        assert np.abs(band.mean - clean).max() < 0.7
        held.append((band.lower <= truth) & (truth <= band.upper))
    assert np.mean(held) > 0.85


def test_the_farther_a_live_forecast_looks_the_wider_its_band() -> None:
    _, values = minutes(7)
    walk = np.cumsum(noise(len(values), 0.05, 3))
    found = ahead((values + walk)[None], 60, (HOUR, DAY, 7 * DAY), 0.95)
    widths = []
    for horizon, forecasts in found.items():
        band = forecasts.at(horizon + 60)
        widths.append(float(band.upper[0] - band.lower[0]))
    assert widths == sorted(widths)


def test_a_live_forecast_of_a_series_that_has_just_begun_is_silent() -> None:
    _, values = minutes(1)
    values[: len(values) - 60] = np.nan
    found = ahead(values[None], 60, (HOUR, DAY), 0.95)
    assert np.isfinite(found[HOUR].at(HOUR + 60).upper).all()
    assert np.isnan(found[DAY].at(DAY + 60).upper).all()


def test_no_rows_are_no_trouble() -> None:
    assert ahead(np.empty((0, 500)), 60, (HOUR,), 0.95)[HOUR].at(HOUR).mean.shape == (0,)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")) | st.just(0.0), max_size=80),
    st.sampled_from([HOUR, 2 * HOUR, DAY, 7 * DAY]),
    st.booleans(),
)
def test_any_live_forecast_is_in_order_and_finite_or_silent(
    course: list[float], horizon: int, ratio: bool
) -> None:
    values = np.array(course, dtype=np.float64)
    values = np.clip(values, 0, 1) if ratio else values
    band = ahead(values[None], HOUR, (horizon,), 0.95, ratio=ratio)[horizon].at(horizon + 60)
    edges = np.array([band.lower[0], band.mean[0], band.upper[0]])
    assert np.isfinite(edges).all() or np.isnan(edges).all()
    assert np.isnan(edges).all() or (np.diff(edges) >= 0).all()
    if ratio and np.isfinite(edges).all():
        assert edges[0] >= 0
        assert edges[2] <= 1


def rows(count: int, seed: int = 0, columns: int = 10 * 288) -> Floats:
    chance = np.random.default_rng(seed)
    season = 5 * np.sin(2 * np.pi * np.arange(columns) / 288)
    return np.asarray(50 + season + chance.normal(0, 1.0, (count, columns)))


@pytest.mark.parametrize("horizon", [HOUR, 6 * HOUR])
def test_skill_is_what_forecasts_made_earlier_come_to(horizon: int) -> None:
    values = rows(24)
    begin = values.shape[1] - 2 * 288
    ours, naive, inside = [], [], []
    for cut in range(begin, values.shape[1] - horizon // 300 - 1, 36):
        past, came = values[:, :cut], values[:, cut + horizon // 300]
        said = ahead(past, 300, (horizon,), 0.95)[horizon].at(horizon)
        ours.append(np.abs(came - said.mean).mean())
        naive.append(np.abs(came - values[:, cut + horizon // 300 - 288]).mean())
        inside.append((said.lower <= came) & (came <= said.upper))
    told = ahead(values, 300, (horizon,), 0.95)[horizon]
    assert told.mase.mean() == pytest.approx(np.mean(ours) / np.mean(naive), abs=0.1)
    held = coverages(values, 300, (horizon,), 0.95)[horizon]
    assert held.mean() == pytest.approx(np.mean(inside), abs=0.04)
    assert not told.demoted.any()


def test_skill_of_a_band_that_has_become_too_narrow_is_below_its_level() -> None:
    values = rows(8)
    calm = coverages(values, 300, (HOUR,), 0.95)[HOUR]
    values[:, -288:] += np.random.default_rng(5).normal(0, 12.0, (8, 288))
    assert (coverages(values, 300, (HOUR,), 0.95)[HOUR] < calm - 0.1).all()


def test_a_forecast_that_has_lost_to_the_seasonal_naive_one_is_replaced_by_it() -> None:
    # Three weeks that only the last value tells of, and then a day that is said again and again.
    chance = np.random.default_rng(1)
    walk, day = np.cumsum(chance.normal(0, 0.3, 22 * 288)), np.repeat(chance.normal(0, 5.0, 48), 6)
    values = 500 + np.concatenate([walk, walk[-1] + np.tile(day, 6)])[None]
    found = ahead(values, 300, (DAY,), 0.95)[DAY]
    assert found.demoted[0]
    assert found.mase[0] > 1
    # A day ahead is looked at in cells of 15 minutes; a cell's mean stands for its middle.
    assert found.outlook.mean[0, 0] == pytest.approx(values[0, -3:].mean())
    assert found.outlook.lower[0, 0] < found.outlook.mean[0, 0] < found.outlook.upper[0, 0]
    assert not ahead(rows(1), 300, (DAY,), 0.95)[DAY].demoted[0]


def test_of_what_has_not_come_yet_there_is_no_skill() -> None:
    found = ahead(rows(2, columns=3 * 288), 300, (7 * DAY,), 0.95)[7 * DAY]
    assert np.isfinite(found.outlook.mean).all()
    assert np.isnan(found.mase).all()
    assert not found.demoted.any()

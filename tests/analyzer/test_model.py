"""What the model makes of a history: expectation, band, score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from airis_mon.analyzer.methods.cells import DAY, HOUR, Cells
from airis_mon.analyzer.methods.seasonal import Settings, fit

Floats = NDArray[np.float64]
STEP = 300
PER_HOUR = HOUR // STEP
PER_DAY = DAY // STEP


def season(days: float, *, noise: float = 0.3, seed: int = 0, level: float = 10.0) -> Floats:
    at = np.arange(round(days * PER_DAY)) * STEP
    return level + 5 * np.sin(2 * np.pi * at / DAY) + np.random.default_rng(seed).normal(0, noise, len(at))


def score(history: Floats, value: float, **more: object) -> float:
    model = fit(history[None], Settings(STEP, **more))  # type: ignore[arg-type]
    return float(model.scores(np.array([value]), STEP)[0])


def next_of_season(history: Floats, steps: int = 1) -> float:
    return float(10.0 + 5 * np.sin(2 * np.pi * (len(history) + steps - 1) * STEP / DAY))


@pytest.mark.parametrize("days", [2, 3.5, 7])
def test_a_daily_season_is_expected(days: float) -> None:
    history = season(days)
    model = fit(history[None], Settings(STEP))
    for steps in (1, 2):
        band = model.expected(steps * STEP)
        assert band.expected[0] == pytest.approx(next_of_season(history, steps), abs=0.6)
        assert band.lower[0] < band.expected[0] < band.upper[0]
        assert band.upper[0] - band.lower[0] < 6
    assert score(history, next_of_season(history)) < 0.5
    assert score(history, next_of_season(history) + 4) >= 1
    assert score(history, next_of_season(history) - 4) >= 1


@pytest.mark.parametrize("days", [2, 3, 7])
def test_noise_is_no_season(days: int) -> None:
    rows = 10 + np.random.default_rng(days).normal(0, 1, (20, days * PER_DAY))
    model = fit(rows, Settings(STEP))
    assert (model.profile == 0).mean() > 0.9
    assert model.expected(STEP).expected == pytest.approx(10, abs=1.2)


def test_the_edges_of_the_band_score_one() -> None:
    history = season(3)
    model = fit(history[None], Settings(STEP))
    band = model.expected(STEP)
    for edge in (band.lower, band.upper):
        assert model.scores(edge, STEP)[0] == pytest.approx(1.0)


@pytest.mark.parametrize(("direction", "up", "down"), [("up", 1, 0), ("down", 0, 1), ("both", 1, 1)])
def test_the_direction_says_which_side_counts(direction: str, up: int, down: int) -> None:
    history = season(3)
    model = fit(history[None], Settings(STEP))
    middle = model.expected(STEP).expected
    scores = [float(model.scores(middle + off, STEP, direction)[0]) for off in (8.0, -8.0)]  # type: ignore[arg-type]
    assert [value >= 1 for value in scores] == [bool(up), bool(down)]
    assert all(value == 0 for value, counts in zip(scores, (up, down), strict=True) if not counts)


@pytest.mark.parametrize("columns", [0, 1, PER_HOUR, PER_DAY // 2, PER_DAY - PER_HOUR])
def test_less_than_a_day_never_pages(columns: int) -> None:
    model = fit(season(1)[None, :columns], Settings(STEP))
    assert not model.ready[0]
    assert model.scores(np.array([1e9]), STEP)[0] == 0
    assert np.isnan(model.expected(STEP).upper[0])


def test_one_day_is_enough_to_notice_an_outage() -> None:
    history = season(1, noise=0.3)
    assert score(history, 0.0) >= 1
    assert score(history, history[-1]) < 1


def test_an_incident_in_the_past_does_not_blind() -> None:
    calm, hurt = season(3), season(3)
    hurt[PER_DAY : PER_DAY + 2 * PER_HOUR] += 60
    widths = []
    for history in (calm, hurt):
        band = fit(history[None], Settings(STEP)).expected(STEP)
        assert band.expected[0] == pytest.approx(next_of_season(history), abs=1.0)
        widths.append(band.upper[0] - band.lower[0])
    assert widths[1] < 2 * widths[0]


def test_a_spike_of_every_day_is_no_news() -> None:
    history = season(5)
    quiet = fit(history[None], Settings(STEP)).expected(STEP)
    for day in range(5):
        history[day * PER_DAY + day * 7 + 20] += 9  # never at the same time of day
    band = fit(history[None], Settings(STEP)).expected(STEP)
    assert band.upper[0] - band.expected[0] > 2 * (quiet.upper[0] - quiet.expected[0])


def test_a_larger_budget_pages_sooner() -> None:
    history = season(7, noise=0.3) + np.random.default_rng(1).standard_t(2, 7 * PER_DAY)
    value = next_of_season(history) + 12
    generous, strict = (score(history, value, pages_per_week=pages) for pages in (14.0, 0.5))
    assert generous > strict


@pytest.mark.parametrize("value", [0.0, 7.0, -3.0, 1e12])
def test_a_constant_series_expects_its_constant(value: float) -> None:
    history = np.full(3 * PER_DAY, value)
    band = fit(history[None], Settings(STEP)).expected(STEP)
    assert band.expected[0] == value
    assert score(history, value) == 0
    assert 1 <= score(history, value * 1.1 + 1) < np.inf


def test_a_ratio_is_given_a_percentage_point() -> None:
    history = np.zeros(3 * PER_DAY)
    assert score(history, 0.005, ratio=True) < 1
    assert score(history, 0.2, ratio=True) >= 1
    band = fit(history[None], Settings(STEP, ratio=True)).expected(STEP)
    assert band.lower[0] == 0
    high = fit(history[None] + 1, Settings(STEP, ratio=True)).expected(STEP)
    assert high.upper[0] == 1


def test_what_never_was_negative_is_not_expected_to_be() -> None:
    rng = np.random.default_rng(3)
    history = rng.exponential(1.0, 3 * PER_DAY)
    assert fit(history[None], Settings(STEP)).expected(STEP).lower[0] == 0
    signed = fit(history[None] - 1, Settings(STEP)).expected(STEP)
    assert signed.lower[0] < 0


def test_gaps_are_passed_over() -> None:
    history = season(4)
    history[PER_DAY : PER_DAY + 3 * PER_HOUR] = np.nan
    history[np.random.default_rng(5).random(len(history)) < 0.2] = np.nan
    band = fit(history[None], Settings(STEP)).expected(STEP)
    assert band.expected[0] == pytest.approx(next_of_season(history), abs=0.8)
    assert score(history, float("nan")) == 0


def test_a_night_without_traffic_every_day_is_still_a_season() -> None:
    history = season(4)
    phase = np.arange(len(history)) % PER_DAY
    history[(phase > 100) & (phase < 180)] = np.nan
    assert score(history, next_of_season(history)) < 1
    assert score(history, next_of_season(history) + 6) >= 1


def test_rows_do_not_see_each_other() -> None:
    rows = np.stack([season(3), season(3, seed=1) * 100, np.full(3 * PER_DAY, np.nan), np.zeros(3 * PER_DAY)])
    together = fit(rows, Settings(STEP)).expected(STEP)
    for n, row in enumerate(rows):
        alone = fit(row[None], Settings(STEP)).expected(STEP)
        for one, other in ((together.expected, alone.expected), (together.upper, alone.upper)):
            np.testing.assert_array_equal(one[n], other[0])


def test_no_rows_are_no_trouble() -> None:
    model = fit(np.empty((0, 3 * PER_DAY)), Settings(STEP))
    assert model.expected(STEP).expected.shape == (0,)


@pytest.mark.parametrize("step", [0, 7, 11, 86399, 100_000])
def test_a_step_that_does_not_divide_a_day_is_refused(step: int) -> None:
    with pytest.raises(ValueError, match="does not divide a day"):
        Cells.of(step)


@pytest.mark.parametrize("step", [1, 5, 15, 60, 90, 300, 600, 3600, DAY])
def test_cells_make_whole_days(step: int) -> None:
    cells = Cells.of(step)
    assert cells.day * cells.seconds == DAY
    assert [cells.ahead(seconds) for seconds in (1, cells.seconds, cells.seconds + 1)] == [0, 0, 1]
    assert cells.ahead(0) == -1


HISTORIES = st.lists(
    st.floats(-1e6, 1e6) | st.just(float("nan")) | st.just(0.0), min_size=0, max_size=80
).map(lambda values: np.array(values, dtype=np.float64))


@settings(max_examples=80, deadline=None)
@given(HISTORIES, st.floats(allow_nan=True, allow_infinity=True), st.booleans())
def test_scores_are_finite_and_not_negative(history: Floats, value: float, ratio: bool) -> None:
    step = HOUR
    model = fit(history[None], Settings(step, ratio=ratio))
    result = model.scores(np.array([value]), step)[0]
    assert 0 <= result < np.inf
    band = model.expected(step)
    edges = np.array([band.lower[0], band.expected[0], band.upper[0]])
    assert not np.isinf(edges).any()
    assert np.isnan(edges).any() or (edges[0] <= edges[1] <= edges[2])


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 1000), st.floats(-500, 500), st.integers(0, 5), st.floats(-20, 20))
def test_units_and_offsets_change_no_score(factor: float, offset: float, seed: int, off: float) -> None:
    history = season(2.5, seed=seed)
    value = next_of_season(history) + off
    assert score(history * factor + offset, value * factor + offset) == pytest.approx(
        score(history, value), rel=1e-6, abs=1e-6
    )


@pytest.mark.parametrize("days", [6, 8, 9, 10, 12])
@pytest.mark.parametrize("seed", range(3))
def test_a_series_that_grows_is_known_while_its_weeks_are_not_yet(days: int, seed: int) -> None:
    at = np.arange(days * PER_DAY + 1) / PER_DAY
    values = 20 + 2 * at + np.random.default_rng(seed).normal(0, 0.05, len(at))
    model = fit(values[None, :-1], Settings(STEP))
    assert model.expected(STEP).expected[0] == pytest.approx(values[-1], abs=0.5)
    assert model.threshold[0] < 2
    assert score(values[:-1], values[-1] + 3) >= 1


@pytest.mark.parametrize("seed", range(3))
def test_nine_days_of_a_season_are_enough_for_a_departure_that_is_many_times_the_noise(seed: int) -> None:
    history = season(9, seed=seed)
    assert score(history, next_of_season(history) + 4) >= 1


@pytest.mark.parametrize("days", [5, 12, 16, 28])
def test_steady_growth_is_expected_to_go_on(days: int) -> None:
    at = np.arange(days * PER_DAY + 4 * PER_HOUR) / PER_DAY
    values = 20 + 2 * at + np.random.default_rng(1).normal(0, 0.05, len(at))
    history, hours = values[: -4 * PER_HOUR], 4
    model = fit(history[None], Settings(STEP))
    now, later = (model.expected(seconds).expected[0] for seconds in (STEP, hours * HOUR))
    assert now == pytest.approx(values[len(history)], abs=0.15)
    assert later == pytest.approx(values[-1], abs=0.15)
    # Less than two hours' growth, where seven days of it span fourteen.
    assert score(history, now + 0.8) >= 1
    assert model.learnt.choice.names[model.learnt.choice.best[0]] == "trend"


def test_what_wanders_is_no_growth() -> None:
    walks = np.cumsum(np.random.default_rng(2).normal(0, 0.05, (40, 9 * PER_DAY)), axis=1)
    choice = fit(walks, Settings(STEP)).learnt.choice
    assert (choice.best == choice.names.index("trend")).mean() < 0.25


@pytest.mark.parametrize("seed", [0, 1])
def test_what_a_retention_of_two_weeks_leaves_is_learnt_from_as_a_whole_past_is(seed: int) -> None:
    asked, kept = 28 * PER_DAY, season(15, seed=seed)
    frame = np.full((1, asked), np.nan)
    frame[0, -len(kept) :] = kept
    found = [float(fit(past, Settings(STEP)).threshold[0]) for past in (frame, kept[None])]
    # The first day of what is there is known no worse because more was asked for.
    assert found[0] == pytest.approx(found[1], rel=0.1)
    assert found[0] < 8 * 0.3


@pytest.mark.parametrize("hour", [7, 19])
def test_a_step_of_every_day_may_come_at_any_minute_of_its_cell(hour: int) -> None:
    minutes = np.arange(15 * DAY // 60)
    noise = np.random.default_rng(hour).normal(0, 0.05, len(minutes))
    values = np.where((minutes * 60) % DAY < hour * HOUR, 1.0, 10.0) + noise
    learnt = len(minutes) - DAY // 60 + hour * 60 - 60
    # An hour before the step of the last day, judged minute by minute as live: fitted each ten.
    for end in range(learnt, learnt + 120, 10):
        model = fit(values[None, :end], Settings(60))
        for ahead in range(10):
            band = model.expected(60 * (ahead + 1))
            assert model.level_scores(values[end + ahead : end + ahead + 1], 60 * (ahead + 1))[0] < 1
            assert band.lower[0] <= values[end + ahead] <= band.upper[0]
    # What is between neither of the two, or lasts beyond the cell, is none of that.
    model = fit(values[None, : learnt + 60], Settings(60))
    assert model.level_scores(np.array([20.0]), 180)[0] >= 1
    assert model.level_scores(np.array([1.0]), 600)[0] >= 1


@pytest.mark.parametrize("hours", [6, 6.75, 7, 7.25, 8, 10, 12, 16])
def test_a_day_that_nobody_could_know_the_season_of_is_no_noise(hours: float) -> None:
    # The series is some hours younger than what is looked at.
    history = season(3)
    history[: round(hours * PER_HOUR)] = np.nan
    model = fit(history[None], Settings(STEP))
    assert 6 * 0.3 < model.learnt.thresholds.least[0] < 3
    assert score(history, next_of_season(history) + 4) >= 1

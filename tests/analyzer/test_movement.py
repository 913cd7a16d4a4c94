"""How a series moves, wherever its level is: what freezes, grows rough or swings is found, no more."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from airis_mon.analyzer.methods.cells import DAY, HOUR, Cells
from airis_mon.analyzer.methods.seasonal import Settings, fit, learn, recent_steps
from airis_mon.analyzer.methods.shapes import learn_shapes
from airis_mon.analyzer.recording import of_samples
from airis_mon.analyzer.replay import anomaly_scores, judgements

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Random = np.random.Generator
Kind = Callable[[Random, Integers], Floats]
STEP = 300
PER_HOUR, PER_DAY = HOUR // STEP, DAY // STEP
START = 1_700_006_400 // (7 * DAY) * 7 * DAY
CELLS = Cells.of(STEP)
RECENT = recent_steps(CELLS)


def times(days: float) -> Integers:
    return START + np.arange(round(days * PER_DAY), dtype=np.int64) * STEP


def white(chance: Random, at: Integers) -> Floats:
    return chance.normal(0, 1, len(at))


def remembering(chance: Random, at: Integers) -> Floats:
    """Return noise whose neighbours are alike."""
    found = chance.normal(0, 1, len(at))
    for n in range(1, len(found)):
        found[n] = 0.9 * found[n - 1] + 0.44 * found[n]
    return found


def heavy(chance: Random, at: Integers) -> Floats:
    return chance.standard_t(3, len(at))


def day(at: Integers) -> Floats:
    return np.asarray(10 + 5 * np.sin(2 * np.pi * at / DAY))


def seasonal(chance: Random, at: Integers) -> Floats:
    return day(at) + chance.normal(0, 0.3, len(at))


def counted(chance: Random, at: Integers) -> Floats:
    """Return requests in each five minutes, few by night: as noisy as they are many."""
    return chance.poisson(40 * day(at) / 10).astype(np.float64)


def shares(chance: Random, at: Integers) -> Floats:
    return np.clip(0.6 + 0.1 * remembering(chance, at), 0, 1)


def queue(chance: Random, at: Integers) -> Floats:
    """Return the length of a queue that is mostly empty."""
    return np.maximum(0, np.round(remembering(chance, at) * 2 - 2.5))


def rounded(chance: Random, at: Integers) -> Floats:
    return np.round(day(at) / 5 + 0.2 * remembering(chance, at), 1)


def stepped(chance: Random, at: Integers) -> Floats:
    """Return replicas: a number that changes a few times a day."""
    return np.repeat(chance.integers(2, 6, len(at) // 40 + 1), 40)[: len(at)].astype(np.float64)


def growing(chance: Random, at: Integers) -> Floats:
    """Return a counter that has a restart."""
    grown = np.cumsum(chance.poisson(30, len(at))).astype(np.float64)
    return grown - np.where(at > at[0] + 9 * DAY, grown[min(len(at) - 1, 9 * PER_DAY)], 0)


def bursts(chance: Random, at: Integers) -> Floats:
    """Return what is quiet but for a batch job at six."""
    found = 5 + chance.normal(0, 0.2, len(at))
    busy = (at % DAY >= 6 * HOUR) & (at % DAY < 7 * HOUR)
    return np.where(busy, found + 20 + chance.normal(0, 3, len(at)), found)


KINDS: tuple[Kind, ...] = (
    white, remembering, heavy, seasonal, counted, shares, queue, rounded, stepped, growing, bursts,
)  # fmt: skip


def shape_scores(at: Integers, values: Floats) -> Floats:
    """Return the part of the shape in the scores of a replay; 0 where nothing is said."""
    found = np.zeros(len(values))
    recording = of_samples(at, values)
    assert recording is not None
    for each in judgements(recording, Settings(recording.step)):
        some = each.model.shape_scores(values[each.samples], rows=each.rows)
        found[each.samples] = np.nan_to_num(some)
    return found


def last_score(values: Floats) -> float:
    """Return what the shape of the newest hours scores, of all that lies half a day before."""
    known = learn(values[None, : -PER_DAY // 2], Settings(STEP))
    model = known.at(values[None, -RECENT:], since=DAY // 2)
    return float(model.shape_scores(values[-1:])[0])


@pytest.mark.parametrize("kind", [white, remembering, seasonal, counted, shares])
def test_a_gauge_that_freezes_at_a_usual_value_is_found_within_hours(kind: Kind) -> None:
    at = times(15)
    values = kind(np.random.default_rng(3), at)
    begin = len(at) - PER_DAY // 2
    values[begin:] = values[begin - 1]
    found = np.flatnonzero(shape_scores(at, values) >= 1)
    assert len(found)
    assert begin < found[0] <= begin + 4 * PER_HOUR
    assert (anomaly_scores(at, values)[found] >= 1).all()


@pytest.mark.parametrize("kind", [white, remembering, seasonal, counted, shares])
def test_an_oscillation_within_the_usual_range_is_found(kind: Kind) -> None:
    at = times(15)
    values = kind(np.random.default_rng(4), at)
    size = 2.5 * np.median(np.abs(np.diff(values)))
    some = slice(len(at) - PER_DAY // 4, None)
    values[some] += size * np.where(np.arange(PER_DAY // 4) % 4 < 2, 1, -1)
    assert last_score(values) >= 1


@pytest.mark.parametrize("kind", [white, seasonal, remembering, counted])
def test_a_series_that_is_three_times_as_noisy_is_found(kind: Kind) -> None:
    at = times(15)
    values = kind(np.random.default_rng(3), at)
    some = slice(len(at) - PER_DAY // 3, None)
    usual = {"seasonal": day(at), "counted": 4 * day(at)}.get(kind.__name__, np.zeros(len(at)))
    values[some] += 2 * (values - usual)[some]
    assert last_score(values) >= 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_usual_pages_by_its_shape_less_than_once_in_three_weeks(kind: Kind) -> None:
    at, pages, seconds = times(12), 0, 0
    for seed in range(2):
        firing = shape_scores(at, kind(np.random.default_rng(seed), at)) >= 1
        pages += int(np.sum(firing[1:] & ~firing[:-1]))
        seconds += len(at) * STEP - 4 * DAY
    assert pages * 7 * DAY / seconds <= 0.3


@pytest.mark.parametrize(
    "kind",
    [
        queue,
        stepped,
        lambda chance, at: np.full(len(at), 3.0),
        lambda chance, at: 3.0 + 1e-15 * chance.integers(-2, 3, len(at)),
    ],
)
def test_what_mostly_stays_as_it_is_has_no_shape(kind: Kind) -> None:
    at = times(10)
    known = learn_shapes(kind(np.random.default_rng(1), at)[None], 2.0, CELLS)
    assert np.isnan(known.off(kind(np.random.default_rng(2), at)[None, -RECENT:], 0, CELLS)).all()


def by_day(chance: Random, at: Integers) -> Floats:
    """Return what is 0 from midnight to seven."""
    return np.where(at % DAY < 7 * HOUR, 0.0, np.abs(chance.normal(10, 1, len(at))))


def daylight(chance: Random, at: Integers) -> Floats:
    """Return requests a second of half the day, the other half being 0."""
    sun = np.clip(np.sin(2 * np.pi * (at / DAY - 0.25)), 0, None)
    return np.asarray(chance.poisson(20 * sun * STEP) / STEP)


def duty(on: float, period: float) -> Kind:
    """Return what is on for some hours of each period, and 0 for its rest."""

    def kind(chance: Random, at: Integers) -> Floats:
        return np.where(at % round(period * HOUR) < on * HOUR, chance.normal(50, 5, len(at)), 0.0)

    return kind


@pytest.mark.parametrize("seed", [2, 9])
@pytest.mark.parametrize(
    ("kind", "days", "step"),
    [
        (by_day, 30, STEP),
        (by_day, 20, 60),
        (daylight, 43, STEP),
        (duty(5, 8), 21, STEP),
        (duty(4, 7), 21, STEP),
        (duty(0.7, 1), 21, STEP),
    ],
)
def test_what_is_idle_for_a_part_of_its_day_does_not_page_by_its_edges(
    kind: Kind, days: int, step: int, seed: int
) -> None:
    at = START + np.arange(days * DAY // step, dtype=np.int64) * step
    firing = shape_scores(at, kind(np.random.default_rng(seed), at)) >= 1
    begun = at[1:][firing[1:] & ~firing[:-1]]
    assert np.sum(begun < START + 14 * DAY) <= 1
    assert not np.sum(begun >= START + 14 * DAY)


@pytest.mark.parametrize("kind", [by_day, duty(5, 8)])
def test_what_is_idle_for_a_part_of_its_day_and_freezes_while_busy_is_found(kind: Kind) -> None:
    at = times(20.6)
    values = kind(np.random.default_rng(3), at)
    values[-6 * PER_HOUR :] = values[-6 * PER_HOUR]
    assert (shape_scores(at, values)[-3 * PER_HOUR :] >= 1).any()


@pytest.mark.parametrize("step", [60, 300, HOUR])
def test_live_departures_are_those_of_whole_hours_that_thresholds_have_learnt_from(step: int) -> None:
    at = START + np.arange(15 * DAY // step, dtype=np.int64) * step
    cells, values = Cells.of(step), by_day(np.random.default_rng(1), at)[None]
    # From four in the morning on, until long after it is busy again.
    end = (14 * DAY + 4 * HOUR) // step
    known = learn_shapes(cells.newest(values[:, :end]), 2.0, cells)
    for hour in range(7):
        whole = known.off(values[:, : end + hour * HOUR // step], hour * HOUR, cells)
        for since in range(hour * HOUR, (hour + 1) * HOUR, step):
            off = known.off(values[:, : end + since // step], since, cells)
            np.testing.assert_array_equal(off, whole)
        assert np.abs(whole) < 1


def test_one_jump_is_no_change_of_shape() -> None:
    at = times(15)
    values = seasonal(np.random.default_rng(5), at)
    values[-6] += 1000
    assert last_score(values) < 1
    values[-3:] -= 1000
    assert last_score(values) < 1


def test_a_counter_that_starts_anew_has_the_shape_it_had() -> None:
    at = times(15)
    values = np.cumsum(np.random.default_rng(6).poisson(30, len(at))).astype(np.float64)
    values[-9:] -= values[-9]
    assert last_score(values) < 1


@pytest.mark.parametrize("days", [0.5, 1, 2, 3])
def test_of_a_few_days_nothing_is_said(days: float) -> None:
    values = white(np.random.default_rng(7), times(days))
    model = fit(values[None], Settings(STEP))
    assert np.isnan(model.shape_scores(values[-1:])[0])


def test_a_freeze_without_data_is_none() -> None:
    at = times(15)
    values = seasonal(np.random.default_rng(8), at)
    values[-3 * PER_HOUR : -1] = np.nan
    assert not last_score(values) >= 1


def test_rougher_is_up_and_calmer_is_down() -> None:
    at = times(15)
    rough, calm = (seasonal(np.random.default_rng(9), at) for _ in range(2))
    rough[-6 * PER_HOUR :] += np.random.default_rng(1).normal(0, 1.5, 6 * PER_HOUR)
    calm[-6 * PER_HOUR :] = calm[-6 * PER_HOUR]
    for values, counts, other in ((rough, "up", "down"), (calm, "down", "up")):
        model = learn(values[None, : -PER_DAY // 2], Settings(STEP)).at(values[None, -RECENT:], DAY // 2)
        assert model.shape_scores(values[-1:], counts)[0] >= 1  # type: ignore[arg-type]
        assert model.shape_scores(values[-1:], other)[0] == 0  # type: ignore[arg-type]


def test_rows_do_not_see_each_other() -> None:
    at = times(12)
    rows = np.stack([kind(np.random.default_rng(2), at) for kind in KINDS])
    together = learn_shapes(rows, 2.0, CELLS)
    off = together.off(rows[:, -RECENT:], 0, CELLS)
    for n, row in enumerate(rows):
        alone = learn_shapes(row[None], 2.0, CELLS)
        np.testing.assert_array_equal(alone.distance, together.distance[n : n + 1])
        np.testing.assert_array_equal(alone.off(row[None, -RECENT:], 0, CELLS), off[n : n + 1])


@settings(max_examples=30, deadline=None)
@given(st.floats(0.001, 1e6), st.floats(-1e3, 1e3), st.integers(0, 9))
def test_units_and_offsets_change_no_shape(factor: float, offset: float, seed: int) -> None:
    values = white(np.random.default_rng(seed), times(5))
    scores = [last_score(some) for some in (values, factor * (values + offset))]
    assert scores[1] == pytest.approx(scores[0], rel=1e-6, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([1, 7, 15, 60, 300, 1000, HOUR, 6 * HOUR, DAY]),
    st.integers(0, 900),
    st.integers(0, 10**6),
    st.integers(0, 2**32 - 1),
)
def test_whatever_comes_is_finite_or_unknown(step: int, count: int, since: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    cells = Cells.of(max(n for n in range(1, step + 1) if DAY % n == 0))
    values = chance.choice([0.0, 1.0, 1e9, -1e-9, np.nan, 5.0], (3, count))
    known = learn_shapes(values, 2.0, cells)
    off = known.off(values, since // cells.step * cells.step, cells)
    assert off.shape == (3,)
    assert not np.isinf(off / known.distance).any()


def gappy(chance: Random, at: Integers) -> tuple[Integers, Floats]:
    kept = chance.random(len(at)) > 0.3
    return at[kept], seasonal(chance, at)[kept]


def holed(chance: Random, at: Integers) -> tuple[Integers, Floats]:
    kept = np.abs(at - at[0] - 9.3 * DAY) > DAY / 4
    return at[kept], seasonal(chance, at)[kept]


def off_the_grid(chance: Random, at: Integers) -> tuple[Integers, Floats]:
    return at + chance.integers(0, 200, len(at)), seasonal(chance, at)


def summer_time(chance: Random, at: Integers) -> tuple[Integers, Floats]:
    """Return what is four times as rough from eight to six, which comes an hour earlier from one day on."""
    clock = at % DAY + np.where(at >= START + 9 * DAY, HOUR, 0)
    busy = (clock >= 8 * HOUR) & (clock < 18 * HOUR)
    return at, 10 + chance.normal(0, 1, len(at)) * np.where(busy, 4, 1)


@pytest.mark.parametrize("kind", [gappy, holed, off_the_grid, summer_time])
def test_samples_that_come_as_they_may_are_no_change_of_shape(
    kind: Callable[[Random, Integers], tuple[Integers, Floats]],
) -> None:
    assert (shape_scores(*kind(np.random.default_rng(1), times(13))) < 0.8).all()


def test_a_calm_weekend_is_news_once() -> None:
    at = times(20)
    calm = (at - START) // DAY % 7 >= 5
    values = 10 + np.random.default_rng(1).normal(0, 1, len(at)) * np.where(calm, 0.3, 1)
    firing = at[shape_scores(at, values) >= 1]
    assert ((firing - START) // DAY < 7).all()

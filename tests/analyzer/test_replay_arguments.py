"""What callers may hand to the replay, and what they are told where it makes no sense."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.replay import anomaly_scores, forecast

AT = 1_700_006_400 + 300 * np.arange(3 * 288, dtype=np.int64)


def course() -> NDArray[np.float64]:
    noise = np.random.default_rng(0).normal(0, 0.3, len(AT))
    values = 10 + np.sin(2 * np.pi * AT / DAY) + noise
    values[-20:-10] += 30
    return np.asarray(values)


@pytest.mark.parametrize(
    "timestamps",
    [
        AT.astype(np.uint64),
        AT.astype(np.uint32),
        AT.astype(np.int32),
        AT.astype(np.float64),
        AT.astype(object),
        AT.tolist(),
        tuple(AT.tolist()),
        [float(at) for at in AT],
        [*AT[:-1].tolist(), float(AT[-1])],
        AT.astype(">i8"),
        AT.astype("datetime64[s]").astype("int64"),
    ],
)
def test_whole_seconds_of_any_type_are_judged_alike(timestamps: Any) -> None:
    values = course()
    expected = anomaly_scores(AT, values)
    assert (expected[-20:-10] >= 1).all()
    np.testing.assert_array_equal(anomaly_scores(timestamps, values), expected)
    for mine, theirs in zip(forecast(timestamps, values, 3, 0.9), forecast(AT, values, 3, 0.9), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("kind", ["list", "None", "masked", "objects", "infinite"])
def test_values_may_be_anything_like_a_row_of_numbers_with_gaps(kind: str) -> None:
    values = course()
    values[400:410] = np.nan
    gaps = np.isnan(values)
    given: Any = {
        "list": values.tolist(),
        "None": [None if gap else value for value, gap in zip(values.tolist(), gaps, strict=True)],
        "masked": np.ma.masked_array(np.where(gaps, -1.0, values), gaps),
        "objects": values.astype(object),
        "infinite": np.where(gaps, np.inf, values),
    }[kind]
    np.testing.assert_array_equal(anomaly_scores(AT, given), anomaly_scores(AT, values))


def test_counts_are_values() -> None:
    counts = np.round(course()).astype(np.uint8)
    np.testing.assert_array_equal(anomaly_scores(AT, counts), anomaly_scores(AT, counts.astype(np.float64)))


def test_nothing_is_answered_with_nothing() -> None:
    assert anomaly_scores([], []).shape == (0,)
    assert np.isnan(forecast([], [], 2, 0.9)[0]).all()


def test_samples_of_one_second_are_judged_each() -> None:
    twice = np.repeat(AT, 2)
    assert anomaly_scores(twice, np.repeat(course(), 2)).shape == twice.shape


@pytest.mark.parametrize("index", [2, 400, len(AT) - 2])
def test_a_local_clock_is_set_back_when_summer_time_ends(index: int) -> None:
    local = AT.copy()
    local[index:] -= 3300
    scores = anomaly_scores(local, course())
    assert scores.shape == local.shape
    assert (scores[-18:-12] >= 1).all()
    plain, moved = (forecast(at, course(), 3, 0.9)[0] for at in (AT, local))
    np.testing.assert_allclose(moved, plain, atol=0.5)
    local[600:] -= 3300
    with pytest.raises(ValueError, match="sort timestamps and values by time"):
        anomaly_scores(local, course())


@pytest.mark.parametrize(
    ("timestamps", "values", "told"),
    [
        (AT * 1000, course(), "are these milliseconds? divide by 1000"),
        ((AT * 1000).astype(np.uint64), course(), "are these milliseconds? divide by 1000"),
        ([2**64 - 1, *AT[1:].tolist()], course(), "outside of 0 to 253402300800"),
        ([2**70, *AT[1:].tolist()], course(), "more than 64 bits"),
        (AT - AT[-1], course(), "outside of 0 to 253402300800"),
        (np.random.default_rng(0).permutation(AT), course(), "sort timestamps and values by time"),
        (AT[::-1], course(), "sort timestamps and values by time"),
        (AT + 0.5, course(), "is no whole second; round them"),
        (AT.astype(np.float32), course(), "float32 holds whole seconds up to 16,777,216 only; give float64"),
        (np.where(AT == AT[7], np.nan, AT), course(), "nan at index 7 is no time"),
        ([None, *AT[1:].tolist()], course(), "nan at index 0 is no time"),
        (AT.astype("datetime64[s]"), course(), 'write .astype("datetime64[s]").astype("int64")'),
        ([str(at) for at in AT], course(), "is no type of real numbers"),
        (AT, course()[:-1], "864 timestamps and 863 values: give one value for each timestamp"),
        (AT[:-1], course(), "863 timestamps and 864 values"),
        (AT, course()[None], "values: 2 dimensions (shape (1, 864))"),
        (AT, 5.0, "values: 0 dimensions"),
        (None, course(), "timestamps: 0 dimensions"),
        (AT, [[1.0], [1.0, 2.0]], "values: no numbers in equal rows"),
        (AT, ["much", *course()[1:].tolist()], "values: <U"),
        (AT, np.array(["much", *course()[1:].tolist()], dtype=object), "values: 'much' is no number"),
        (AT, course() * 1j, "complex128 is no type of real numbers"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_write(timestamps: Any, values: Any, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        anomaly_scores(timestamps, values)
    with pytest.raises(ValueError, match=re.escape(told)):
        forecast(timestamps, values, 3, 0.9)


def test_a_gap_that_no_memory_would_hold_is_refused() -> None:
    late = np.concatenate([AT[:-1], [AT[-1] + 10**11]])
    with pytest.raises(ValueError, match="the longest gap is 1700265000 to 101700265300: judge what"):
        anomaly_scores(late, course())


@pytest.mark.parametrize("horizon", [1.5, -1, "3", None, 10**9, np.nan])
def test_a_horizon_is_a_whole_number_of_steps(horizon: Any) -> None:
    with pytest.raises(ValueError, match="give a whole number of steps from 0 to"):
        forecast(AT, course(), horizon, 0.9)


def test_a_horizon_may_be_any_whole_number() -> None:
    whole: tuple[Any, ...] = (np.int32(2), 2.0, np.float32(2))
    assert [len(forecast(AT, course(), steps, 0.9)[0]) for steps in (0, *whole)] == [0, 2, 2, 2]


@pytest.mark.parametrize("level", [0, 1, 1.5, -0.5, np.nan, "0.9", None, 1 - 2**-53])
def test_a_level_is_a_share(level: Any) -> None:
    with pytest.raises(ValueError, match=r"give the share that the band should hold, such as 0\.95"):
        forecast(AT, course(), 3, level)


@pytest.mark.parametrize("size", [1e155, 1e300, 1.7e308])
@pytest.mark.parametrize("kind", ["spike", "both ways", "all", "from then on"])
def test_numbers_next_to_the_largest_are_computed_without_a_warning(size: float, kind: str) -> None:
    # A warning is an error here.
    values, odd = course(), np.where(np.arange(len(AT)) % 2, size, -size)
    some = {"spike": slice(700, 710), "both ways": slice(700, 710), "all": slice(None)}.get(
        kind, slice(300, None)
    )
    values[some] = odd[some] if kind in ("both ways", "all") else size
    scores = anomaly_scores(AT, values)
    assert np.isfinite(scores).all()
    assert kind == "all" or (scores >= 1).any()
    for edge in forecast(AT, values, 3, 0.9):
        assert np.isfinite(edge).all()


def test_a_series_of_large_numbers_is_forecast_as_a_small_one() -> None:
    large, small = (forecast(AT, course() * 2.0**power, 3, 0.9) for power in (900, 0))
    for mine, theirs in zip(large, small, strict=True):
        np.testing.assert_allclose(mine, theirs * 2.0**900, rtol=1e-9)

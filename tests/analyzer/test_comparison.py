"""Two versions beside each other: false alarms however often somebody looks, and what is seen how soon."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.analyzer.comparison import Steps, difference, judge, together
from tests.analyzer import scenarios

_ALPHA = 0.05


@pytest.mark.parametrize(
    "make",
    [
        scenarios.independent,
        scenarios.rare,
        scenarios.few_requests,
        scenarios.uneven,
        scenarios.alike_within_steps,
        scenarios.bursts,
        scenarios.remembered(0.5),
        scenarios.remembered(0.8),
        scenarios.outage_below_both,
        scenarios.traffic_moves_in_a_bad_hour,
    ],
    ids=lambda make: make.__qualname__.strip("_").replace(".<locals>.make", ""),
)
def test_equal_sides_are_told_apart_in_fewer_than_alpha_however_often_somebody_looks(
    make: Callable[[np.random.Generator], scenarios.Sides],
) -> None:
    found = difference(*make(np.random.default_rng(scenarios.SEED)), _ALPHA, shares=True)
    assert scenarios.ever_wrong(found) <= _ALPHA
    assert np.isfinite(found.reach[:, -1]).all()


def test_a_test_that_was_made_for_one_look_fails_when_it_is_looked_at_after_each_step() -> None:
    # What all this is for: the usual interval, of the same data.
    one, other = scenarios.independent(np.random.default_rng(scenarios.SEED))
    share = [np.cumsum(s.totals, -1) / np.cumsum(s.operations, -1) for s in (one, other)]
    variance = sum(
        p * (1 - p) / np.cumsum(s.operations, -1) for p, s in zip(share, (one, other), strict=True)
    )
    wrong = np.abs(share[1] - share[0]) > 1.96 * np.sqrt(variance)
    assert wrong[:, 15:].any(axis=-1).mean() > 0.25


def test_means_of_skewed_values_are_told_apart_in_fewer_than_alpha() -> None:
    rng = np.random.default_rng(12)
    found = difference(scenarios.durations(rng), scenarios.durations(rng), _ALPHA, shares=False)
    assert scenarios.ever_wrong(found) <= _ALPHA


@pytest.mark.parametrize(("share", "minutes"), [(0.04, 75), (0.03, 210), (0.025, 720)])
def test_more_failures_are_seen_the_sooner_the_more_they_are(share: float, minutes: int) -> None:
    rng = np.random.default_rng(13)
    found = difference(scenarios.failures(rng, 0.02), scenarios.failures(rng, share), _ALPHA, shares=True)
    assert (found.lower[:, :minutes] > 0).any(axis=-1).mean() >= 0.9
    assert scenarios.ever_wrong(found, share - 0.02) <= _ALPHA


def test_longer_durations_are_seen() -> None:
    rng = np.random.default_rng(14)
    found = difference(scenarios.durations(rng), scenarios.durations(rng, 1.3), _ALPHA, shares=False)
    assert (found.lower[:, -1] > 0).mean() >= 0.9


def test_the_interval_is_not_much_wider_than_one_for_a_single_look() -> None:
    found = difference(*scenarios.independent(np.random.default_rng(15)), _ALPHA, shares=True)
    single = 1.96 * np.sqrt(2 * 0.02 * 0.98 / (100 * scenarios.STEPS))
    assert np.median(found.reach[:, -1]) / single < 2.3


def test_sides_that_never_had_traffic_together_are_not_compared() -> None:
    rng = np.random.default_rng(16)
    one, other = scenarios.independent(rng)
    here = np.arange(scenarios.STEPS) % 2 == 0
    found = difference(
        Steps(one.operations * here, one.totals * here),
        Steps(other.operations * ~here, other.totals * ~here),
        _ALPHA,
        shares=True,
    )
    assert np.isinf(found.reach).all()
    assert (found.steps == 0).all()


_counts = st.integers(0, 2**32 - 1).map(
    lambda seed: (np.random.default_rng(seed), float(np.random.default_rng(seed).uniform(0.001, 0.5)))
)


@given(_counts, st.floats(1e-6, 1e6))
def test_swapped_sides_turn_the_interval_and_units_scale_it(
    drawn: tuple[np.random.Generator, float], scale: float
) -> None:
    rng, share = drawn
    sides = [scenarios.failures(rng, share, 20.0, (200,)) for _ in range(2)]
    for shares in (True, False):
        plain = difference(sides[0], sides[1], _ALPHA, shares=shares)
        turned = difference(sides[1], sides[0], _ALPHA, shares=shares)
        np.testing.assert_allclose(turned.lower, -plain.upper, rtol=1e-9, atol=1e-12)
    one, other = (Steps(s.operations, s.totals * scale) for s in sides)
    scaled = difference(one, other, _ALPHA, shares=False)
    np.testing.assert_allclose(scaled.upper, plain.upper * scale, rtol=1e-6)


@given(_counts)
def test_what_comes_later_does_not_change_what_was_known(drawn: tuple[np.random.Generator, float]) -> None:
    rng, share = drawn
    sides = [scenarios.failures(rng, share, 20.0, (128,)) for _ in range(2)]
    whole = difference(sides[0], sides[1], _ALPHA, shares=True)
    for end in (32, 64, 127):
        early = [Steps(s.operations[:end], s.totals[:end]) for s in sides]
        part = difference(early[0], early[1], _ALPHA, shares=True)
        np.testing.assert_allclose(part.upper, whole.upper[:end], rtol=1e-9)


@pytest.mark.parametrize(
    ("lower", "upper", "less", "more"),
    [
        (0.02, 0.03, "worse", "better"),
        (-0.03, -0.02, "better", "worse"),
        (-0.005, 0.005, "same", "same"),
        (0.005, 0.02, "undecided", "better"),
        (-0.02, 0.005, "same", "undecided"),
        (-np.inf, np.inf, "undecided", "undecided"),
    ],
)
def test_a_verdict_is_what_the_interval_says_of_the_margin(
    lower: float, upper: float, less: str, more: str
) -> None:
    assert judge(lower, upper, 0.01, less_is_better=True).verdict == less
    assert judge(lower, upper, 0.01, less_is_better=False).verdict == more


def test_one_measure_that_is_worse_decides_and_one_that_is_open_keeps_all_open() -> None:
    assert together(["better", "worse", "undecided"]) == "worse"
    assert together(["better", "same", "undecided"]) == "undecided"
    assert together(["same", "better"]) == "better"
    assert together(["same"]) == "same"
    assert together([]) == "undecided"

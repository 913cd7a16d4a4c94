"""Two versions beside each other: false alarms however often somebody looks, and what is seen how soon."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from airis_mon.analyzer.comparison import Difference, Steps, difference, judge, together

Floats = NDArray[np.float64]
Random = np.random.Generator
_ROWS, _STEPS, _ALPHA = 200, 1440, 0.05
"""Comparisons of a day in steps of a minute, each looked at after every step."""


def _memory(rng: Random, factor: float) -> Floats:
    """Return courses of variance 1 whose neighbours correlate."""
    drawn = rng.standard_normal((_STEPS, _ROWS))
    for at in range(1, _STEPS):
        drawn[at] = factor * drawn[at - 1] + np.sqrt(1 - factor**2) * drawn[at]
    return drawn.T


def _failures(
    rng: Random,
    share: Floats | float,
    requests: Floats | float = 100.0,
    shape: tuple[int, ...] = (_ROWS, _STEPS),
) -> Steps:
    operations = rng.poisson(requests, shape)
    failures = rng.binomial(operations, np.clip(share, 0, 1))
    return Steps(operations.astype(np.float64), failures.astype(np.float64))


def _independent(rng: Random) -> tuple[Steps, Steps]:
    return _failures(rng, 0.02), _failures(rng, 0.02)


def _rare(rng: Random) -> tuple[Steps, Steps]:
    return _failures(rng, 0.0005), _failures(rng, 0.0005)


def _few_requests(rng: Random) -> tuple[Steps, Steps]:
    return _failures(rng, 0.05, 0.5), _failures(rng, 0.05, 0.5)


def _uneven(rng: Random) -> tuple[Steps, Steps]:
    return _failures(rng, 0.02), _failures(rng, 0.02, 2.0)


def _alike_within_steps(rng: Random) -> tuple[Steps, Steps]:
    shape = (_ROWS, _STEPS)
    return _failures(rng, rng.beta(0.5, 24.5, shape)), _failures(rng, rng.beta(0.5, 24.5, shape))


def _bursts(rng: Random) -> tuple[Steps, Steps]:
    shape = (_ROWS, _STEPS)
    one, other = (np.where(rng.random(shape) < 0.003, 0.3, 0.0) for _ in range(2))
    return _failures(rng, one), _failures(rng, other)


def _remembered(factor: float) -> Callable[[Random], tuple[Steps, Steps]]:
    def make(rng: Random) -> tuple[Steps, Steps]:
        sides = [0.02 * np.exp(0.4 * _memory(rng, factor) - 0.08) for _ in range(2)]
        return _failures(rng, sides[0]), _failures(rng, sides[1])

    return make


def _outage_below_both(rng: Random) -> tuple[Steps, Steps]:
    share = 0.02 * np.exp(1.5 * _memory(rng, 0.95) - 1)
    return _failures(rng, share), _failures(rng, share)


def _traffic_moves_in_a_bad_hour(rng: Random) -> tuple[Steps, Steps]:
    bad = np.arange(_STEPS) > 700
    share = np.where(bad, 0.2, 0.01)
    return _failures(rng, share, np.where(bad, 5.0, 100.0)), _failures(rng, share, np.where(bad, 100.0, 5.0))


def _durations(rng: Random, scale: float = 1.0) -> Steps:
    operations = rng.integers(0, 8, (_ROWS, _STEPS))
    values = np.exp(1.2 * rng.standard_normal((_ROWS, _STEPS, 8)))
    counted = np.arange(8) < operations[..., None]
    return Steps(operations.astype(np.float64), scale * (values * counted).sum(axis=-1))


def _ever_wrong(found: Difference, truth: float = 0.0) -> float:
    wrong = (found.lower > truth) | (found.upper < truth)
    return float(wrong.any(axis=-1).mean())


@pytest.mark.parametrize(
    "make",
    [
        _independent,
        _rare,
        _few_requests,
        _uneven,
        _alike_within_steps,
        _bursts,
        _remembered(0.5),
        _remembered(0.8),
        _outage_below_both,
        _traffic_moves_in_a_bad_hour,
    ],
    ids=lambda make: make.__qualname__.strip("_").replace(".<locals>.make", ""),
)
def test_equal_sides_are_told_apart_in_fewer_than_alpha_however_often_somebody_looks(
    make: Callable[[Random], tuple[Steps, Steps]],
) -> None:
    found = difference(*make(np.random.default_rng(11)), _ALPHA, shares=True)
    assert _ever_wrong(found) <= _ALPHA
    assert np.isfinite(found.reach[:, -1]).all()


def test_a_test_that_was_made_for_one_look_fails_when_it_is_looked_at_after_each_step() -> None:
    # What all this is for: the usual interval, of the same data.
    one, other = _independent(np.random.default_rng(11))
    share = [np.cumsum(s.totals, -1) / np.cumsum(s.operations, -1) for s in (one, other)]
    variance = sum(
        p * (1 - p) / np.cumsum(s.operations, -1) for p, s in zip(share, (one, other), strict=True)
    )
    wrong = np.abs(share[1] - share[0]) > 1.96 * np.sqrt(variance)
    assert wrong[:, 15:].any(axis=-1).mean() > 0.25


def test_means_of_skewed_values_are_told_apart_in_fewer_than_alpha() -> None:
    rng = np.random.default_rng(12)
    found = difference(_durations(rng), _durations(rng), _ALPHA, shares=False)
    assert _ever_wrong(found) <= _ALPHA


@pytest.mark.parametrize(("share", "minutes"), [(0.04, 75), (0.03, 210), (0.025, 720)])
def test_more_failures_are_seen_the_sooner_the_more_they_are(share: float, minutes: int) -> None:
    rng = np.random.default_rng(13)
    found = difference(_failures(rng, 0.02), _failures(rng, share), _ALPHA, shares=True)
    assert (found.lower[:, :minutes] > 0).any(axis=-1).mean() >= 0.9
    assert _ever_wrong(found, share - 0.02) <= _ALPHA


def test_longer_durations_are_seen() -> None:
    rng = np.random.default_rng(14)
    found = difference(_durations(rng), _durations(rng, 1.3), _ALPHA, shares=False)
    assert (found.lower[:, -1] > 0).mean() >= 0.9


def test_the_interval_is_not_much_wider_than_one_for_a_single_look() -> None:
    found = difference(*_independent(np.random.default_rng(15)), _ALPHA, shares=True)
    single = 1.96 * np.sqrt(2 * 0.02 * 0.98 / (100 * _STEPS))
    assert np.median(found.reach[:, -1]) / single < 2.3


def test_sides_that_never_had_traffic_together_are_not_compared() -> None:
    rng = np.random.default_rng(16)
    one, other = _independent(rng)
    here = np.arange(_STEPS) % 2 == 0
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
    drawn: tuple[Random, float], scale: float
) -> None:
    rng, share = drawn
    sides = [_failures(rng, share, 20.0, (200,)) for _ in range(2)]
    for shares in (True, False):
        plain = difference(sides[0], sides[1], _ALPHA, shares=shares)
        turned = difference(sides[1], sides[0], _ALPHA, shares=shares)
        np.testing.assert_allclose(turned.lower, -plain.upper, rtol=1e-9, atol=1e-12)
    one, other = (Steps(s.operations, s.totals * scale) for s in sides)
    scaled = difference(one, other, _ALPHA, shares=False)
    np.testing.assert_allclose(scaled.upper, plain.upper * scale, rtol=1e-6)


@given(_counts)
def test_what_comes_later_does_not_change_what_was_known(drawn: tuple[Random, float]) -> None:
    rng, share = drawn
    sides = [_failures(rng, share, 20.0, (128,)) for _ in range(2)]
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

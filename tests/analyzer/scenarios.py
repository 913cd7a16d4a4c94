"""Two sides with traffic of many kinds, that are equal unless said otherwise; seeded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.comparison import Difference, Steps

Floats = NDArray[np.float64]
Random = np.random.Generator
Sides = tuple[Steps, Steps]
ROWS, STEPS, SEED = 200, 1440, 11
"""Comparisons of a day in steps of a minute, each looked at after every step."""


def memory(rng: Random, factor: float) -> Floats:
    """Return courses of variance 1 whose neighbours correlate."""
    drawn = rng.standard_normal((STEPS, ROWS))
    for at in range(1, STEPS):
        drawn[at] = factor * drawn[at - 1] + np.sqrt(1 - factor**2) * drawn[at]
    return drawn.T


def failures(
    rng: Random,
    share: Floats | float,
    requests: Floats | float = 100.0,
    shape: tuple[int, ...] = (ROWS, STEPS),
) -> Steps:
    operations = rng.poisson(requests, shape)
    failures = rng.binomial(operations, np.clip(share, 0, 1))
    return Steps(operations.astype(np.float64), failures.astype(np.float64))


def independent(rng: Random) -> Sides:
    return failures(rng, 0.02), failures(rng, 0.02)


def rare(rng: Random) -> Sides:
    return failures(rng, 0.0005), failures(rng, 0.0005)


def few_requests(rng: Random) -> Sides:
    return failures(rng, 0.05, 0.5), failures(rng, 0.05, 0.5)


def uneven(rng: Random) -> Sides:
    return failures(rng, 0.02), failures(rng, 0.02, 2.0)


def alike_within_steps(rng: Random) -> Sides:
    shape = (ROWS, STEPS)
    return failures(rng, rng.beta(0.5, 24.5, shape)), failures(rng, rng.beta(0.5, 24.5, shape))


def bursts(rng: Random) -> Sides:
    shape = (ROWS, STEPS)
    one, other = (np.where(rng.random(shape) < 0.003, 0.3, 0.0) for _ in range(2))
    return failures(rng, one), failures(rng, other)


def remembered(factor: float) -> Callable[[Random], Sides]:
    def make(rng: Random) -> Sides:
        sides = [0.02 * np.exp(0.4 * memory(rng, factor) - 0.08) for _ in range(2)]
        return failures(rng, sides[0]), failures(rng, sides[1])

    return make


def outage_below_both(rng: Random) -> Sides:
    share = 0.02 * np.exp(1.5 * memory(rng, 0.95) - 1)
    return failures(rng, share), failures(rng, share)


def traffic_moves_in_a_bad_hour(rng: Random) -> Sides:
    bad = np.arange(STEPS) > 700
    share = np.where(bad, 0.2, 0.01)
    return failures(rng, share, np.where(bad, 5.0, 100.0)), failures(rng, share, np.where(bad, 100.0, 5.0))


def durations(rng: Random, scale: float = 1.0) -> Steps:
    operations = rng.integers(0, 8, (ROWS, STEPS))
    values = np.exp(1.2 * rng.standard_normal((ROWS, STEPS, 8)))
    counted = np.arange(8) < operations[..., None]
    return Steps(operations.astype(np.float64), scale * (values * counted).sum(axis=-1))


def ever_wrong(found: Difference, truth: float = 0.0) -> float:
    wrong = (found.lower > truth) | (found.upper < truth)
    return float(wrong.any(axis=-1).mean())

"""How far apart two sides are, with an interval that holds at all times at once.

In each step, each side has operations and a sum over them: of failures (1 each), of seconds, of scores. The
difference of the two means of a step is what is learnt from: what happens to both at the same time, be it
the hour of the day or an outage below them, falls out. Steps weigh by their traffic, as Mantel and Haenszel
weigh strata, so that a candidate which gets more traffic in bad hours is not blamed for them.

The interval is a confidence sequence: the probability that the truth is *ever* outside, whenever somebody
looks, is at most alpha. A mixture of exponential supermartingales for variables of bounded reach (Bernstein;
Howard, Ramdas and others) gives its width. The variance in it is estimated, as operations of one step are
alike and steps that follow each other as well: never less than what independent operations would have. That
estimate makes it hold for many steps rather than exactly; docs/canary.md has measured errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.methods.robust import Floats

FEWEST = 16
"""Steps with traffic on both sides before anything is known."""
_FEWEST_APART = 12
"""Steps that have to be left when those that are alike count as one."""
_BLOCKS = 8
"""Blocks that a length of blocks has to leave, for their variance to be looked at."""
_MEMORY = 4
"""Of n steps, memory is looked for up to n / 4."""
_SURE = 2.0
"""Standard deviations by which memory may be more than it seems, and is then counted with."""
_ROUNDS = 10
"""Parts of the mixture, each for four times as many steps as the one before: millions of steps in all."""


@dataclass(frozen=True)
class Steps:
    """What one side did, step by step; (steps,) each, or (rows, steps) for many at once."""

    operations: Floats
    """How many in each step."""
    totals: Floats
    """Sum over them: of failures, or of values."""


@dataclass(frozen=True)
class Difference:
    """How far the candidate is above the baseline, as known after each step; arrays as those of `Steps`."""

    estimate: Floats
    """Difference of means; NaN before there is any."""
    reach: Floats
    """What the truth may be away from it; infinite as long as nothing is known."""
    steps: Floats
    """Steps so far that had traffic on both sides."""

    @property
    def lower(self) -> Floats:
        """Return the lower edge of the interval."""
        return np.where(np.isfinite(self.reach), self.estimate - self.reach, -np.inf)

    @property
    def upper(self) -> Floats:
        """Return the upper edge of the interval."""
        return np.where(np.isfinite(self.reach), self.estimate + self.reach, np.inf)


def difference(baseline: Steps, candidate: Steps, alpha: float, *, shares: bool) -> Difference:
    """Return the difference of two sides, after each step.

    `alpha` is the probability that the truth is ever outside of the interval. `shares`: whether totals count
    operations, so that what independent ones would vary by is known.
    """
    both = (baseline.operations > 0) & (candidate.operations > 0)
    operations = [np.where(both, side.operations, 0.0) for side in (baseline, candidate)]
    totals = [np.where(both, side.totals, 0.0) for side in (baseline, candidate)]
    whole = operations[0] + operations[1]
    weights = np.divide(operations[0] * operations[1], whole, out=np.zeros_like(whole), where=both)
    means = [
        np.divide(total, number, out=np.zeros_like(whole), where=both)
        for total, number in zip(totals, operations, strict=True)
    ]
    moved = weights * (means[1] - means[0])
    steps = np.cumsum(both, axis=-1).astype(np.float64)
    weight = np.cumsum(weights, axis=-1)
    estimate = np.divide(
        np.cumsum(moved, axis=-1), weight, out=np.full_like(weight, np.nan), where=weight > 0
    )
    centre = np.nan_to_num(estimate)
    variance, apart = _variance(moved, weights, centre, steps)
    longest = np.maximum.accumulate(np.abs(moved - centre * weights), axis=-1)
    if shares:
        floor = sum(map(_binomial, operations, totals, [weights, weights]))
        variance, longest = np.maximum(variance, floor), np.maximum(longest, 1.0)
    known = (steps >= FEWEST) & (apart >= _FEWEST_APART) & (variance > 0)
    # As with Student's t: few steps may vary less than all of them will.
    variance = variance * (1 + _FEWEST_APART / np.maximum(apart, 1.0))
    width = _width(variance, longest / 3, np.maximum(steps, 1.0), alpha / 2)
    reach = np.divide(width, weight, out=np.full_like(weight, np.inf), where=known)
    return Difference(estimate, reach, steps)


def _width(variance: Floats, scale: Floats, steps: Floats, alpha: float) -> Floats:
    """Return what a sum of so many steps stays below, with probability 1 - alpha at all times.

    Part j of the mixture is the sharpest at 16 * 4^j steps and has the share 1 / (j + 1) / (j + 2) of alpha.
    Each gives a straight line in `steps`, of sums whose terms reach 3 * `scale`; the lowest is the width.
    """
    found = np.full_like(variance, np.inf)
    deviation = np.sqrt(variance / steps)
    for part in range(_ROUNDS):
        evidence = math.log((part + 1) * (part + 2) / alpha)
        slope = math.sqrt(2 * evidence / (FEWEST * 4.0**part))
        line = deviation * (evidence / slope + slope * steps / 2) + scale * evidence
        found = np.minimum(found, line)
    return found


def _binomial(operations: Floats, totals: Floats, weights: Floats) -> Floats:
    """Return the variance that independent operations of one side give the sum, after each step."""
    # Half a failure more: where none has been seen yet, they are rare, not impossible.
    share = (np.cumsum(totals, axis=-1) + 0.5) / (np.cumsum(operations, axis=-1) + 1)
    single = np.divide(weights**2, operations, out=np.zeros_like(weights), where=operations > 0)
    share = np.clip(share, 0.0, 1.0)
    return np.asarray(np.cumsum(single, axis=-1) * share * (1 - share))


def _variance(moved: Floats, weights: Floats, centre: Floats, steps: Floats) -> tuple[Floats, Floats]:
    """Return the variance of the sum after each step, and how many steps are left of those that are alike.

    It is the most of what steps give, of what ever longer blocks of steps give, and of what the correlation
    of neighbours lets expect of blocks that are longer than can be seen.
    """
    single = _squares(moved, weights, centre)
    whole = np.cumsum(weights, axis=-1)
    found = np.maximum(single, single * _memory(moved, weights, centre, steps, single))
    length, count = 2, moved.shape[-1]
    while count // length >= _BLOCKS:
        blocks = count // length
        cut = (*moved.shape[:-1], blocks, length)
        sums, sizes = (one[..., : blocks * length].reshape(cut).sum(axis=-1) for one in (moved, weights))
        ended = np.arange(1, count + 1) // length
        last = np.maximum(ended - 1, 0)
        parts = [np.cumsum(one, axis=-1)[..., last] for one in (sums * sums, sums * sizes, sizes * sizes)]
        covered = np.cumsum(sizes, axis=-1)[..., last]
        block = parts[0] - 2 * centre * parts[1] + centre**2 * parts[2]
        block = np.divide(block * whole, covered, out=np.zeros_like(block), where=covered > 0)
        found = np.where(ended >= _BLOCKS, np.maximum(found, block), found)
        length *= 2
    alike = np.divide(found, single, out=np.ones_like(found), where=single > 0)
    return found, steps / np.maximum(alike, 1.0)


def _memory(moved: Floats, weights: Floats, centre: Floats, steps: Floats, single: Floats) -> Floats:
    """Return how many times the variance of independent steps those have whose neighbours correlate so."""
    products = (
        _products(moved, moved)
        - centre * (_products(moved, weights) + _products(weights, moved))
        + centre**2 * _products(weights, weights)
    )
    number = np.maximum(steps, 1.0)
    seen = np.divide(products, single, out=np.zeros_like(single), where=single > 0)
    # Correlations of few values are underestimated, and uncertain.
    likely = seen + (1 + 3 * seen) / number
    likely += _SURE * np.sqrt(np.maximum(1 - seen**2, 0.0) / number)
    factor = np.clip(likely, 0.0, np.maximum(1 - _MEMORY / number, 0.0))
    return np.asarray((1 + factor) / (1 - factor))


def _squares(moved: Floats, weights: Floats, centre: Floats) -> Floats:
    parts = (np.cumsum(one, axis=-1) for one in (moved * moved, moved * weights, weights * weights))
    first, mixed, last = parts
    return np.maximum(first - 2 * centre * mixed + centre**2 * last, 0.0)


def _products(one: Floats, other: Floats) -> Floats:
    """Return the running sum of each value times the other one's next."""
    found = np.zeros_like(one)
    found[..., 1:] = np.cumsum(one[..., :-1] * other[..., 1:], axis=-1)
    return found

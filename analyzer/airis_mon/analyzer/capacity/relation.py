"""What one replica carries at a target utilisation, learnt from hours of different load.

Hours are sorted by load per replica and told in bins of as many each, by their medians; a course that never
falls is laid through them. Where the target lies beyond what was seen, a line of Theil and Sen goes on, not
flatter than the upper half of the bins is: utilisation bends upwards near its end. Latencies bend so sharply
that no line goes on: there, the most that was seen counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from airis_mon.analyzer.capacity.days import CapacityError
from airis_mon.analyzer.methods.robust import Floats

HOURS_LEAST = 48
_BIN = 12
"""Hours of a bin at least."""
_BINS_MOST = 20
_VARIED = 0.3
"""Part of the highest load per replica that the lowest has to lie below it."""
RELATED = 0.5
"""Rank correlation from which load is taken to be what utilisation comes from."""
_BENT = 1.25
"""How much steeper the upper half has to be to count by itself."""
_DRAWS = 100
_BLOCK = 24
_TAIL = 0.02
"""Share of hours on each side that is left out where it is told what was seen."""
_BEYOND_MOST = 100.0
"""How many times as much as was seen a line may lead to."""


Kind = Literal["seen", "extrapolated", "at least"]


@dataclass(frozen=True)
class PerReplica:
    """Load that one replica carries at the target."""

    load: float
    error: float
    """Standard error of its logarithm; 0 where it was told, not learnt."""
    correlation: float = 1.0
    """Rank correlation of load per replica and utilisation, by the hour."""
    seen_load: float = 0.0
    """Highest load per replica of the past, 2 % of the hours left out."""
    seen_utilisation: float = 0.0
    """Utilisation at that load."""
    at_least: bool = False
    """The target was never come near, and no line leads there: a replica carries this much or more."""
    extrapolated: bool = False
    """The target lies beyond what was seen."""


def correlation(load: Floats, utilisation: Floats) -> float:
    """Return the rank correlation of two series, 0 where there is none; hours that lack one are left out."""
    both = ~np.isnan(load + utilisation)
    if both.sum() < HOURS_LEAST:
        return 0.0
    one, other = (_ranks(part[both]) for part in (load, utilisation))
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def per_replica(
    load: Floats, utilisation: Floats, target: float, rng: np.random.Generator, *, straight: bool
) -> PerReplica:
    """Return what a replica carries, of hours of load per replica and utilisation; NaN for gaps.

    `straight` says that a line may go on beyond what was seen. CapacityError where nothing can be learnt.
    """
    both = ~np.isnan(load + utilisation)
    x, y = load[both], utilisation[both]
    if len(x) < HOURS_LEAST:
        raise CapacityError(
            f"load and utilisation are both known in {len(x)} hours; {HOURS_LEAST} are needed"
        )
    low, high = (float(np.quantile(x, share)) for share in (_TAIL, 1 - _TAIL))
    if high <= 0 or high - low < _VARIED * high:
        raise CapacityError(
            f"load per replica never varied: it was between {low:.4g} and {high:.4g}, as where an autoscaler "
            "holds it; what more load does cannot be learnt from that"
        )
    related = correlation(load, utilisation)
    # Where a latency does not rise yet, it has been seen what a replica carries at least.
    quiet = not straight and _rising(_bins(x, y)[1])[-1] < target
    if related < RELATED and not quiet:
        raise CapacityError(
            f"utilisation does not follow load per replica: their rank correlation is {related:.2f}, and "
            f"{RELATED:g} is needed"
        )
    found, kind = carried(x, y, target, straight=straight)
    blocks = np.arange(len(x)) // _BLOCK
    count = int(blocks[-1]) + 1
    days = [np.flatnonzero(blocks == n) for n in range(count)]
    draws = []
    for _ in range(_DRAWS):
        some = np.concatenate([days[n] for n in rng.integers(0, count, count)])
        draws.append(carried(x[some], y[some], target, straight=straight)[0])
    tried = np.log(np.maximum(draws, 1e-12 * high))
    return PerReplica(
        load=found,
        error=float(np.quantile(tried, 0.84) - np.quantile(tried, 0.16)) / 2,
        correlation=related,
        seen_load=high,
        seen_utilisation=float(np.median(y[x >= np.quantile(x, 1 - 3 * _TAIL)])),
        at_least=kind == "at least",
        extrapolated=kind == "extrapolated",
    )


def carried(x: Floats, y: Floats, target: float, *, straight: bool) -> tuple[float, Kind]:
    """Return the load at which utilisation reaches the target, and how that is known; no gaps in either."""
    at, usual = _bins(x, y)
    course = _rising(usual)
    if course[-1] >= target:
        above = int(np.argmax(course >= target))
        if above == 0:  # Even the least load is beyond it: in proportion.
            return float(at[0] * target / course[0]), "extrapolated"
        share = (target - course[above - 1]) / (course[above] - course[above - 1])
        return float(at[above - 1] + share * (at[above] - at[above - 1])), "seen"
    if not straight:
        return float(at[-1]), "at least"
    half = len(at) // 2
    slope, steeper = _slope(at, usual), _slope(at[half:], usual[half:])
    if steeper > _BENT * slope:
        slope = steeper
    most = _BEYOND_MOST * float(at[-1])
    if slope <= 0:
        return most, "extrapolated"
    top = slice(max(0, len(at) - 3), None)
    begin, level = float(at[top].mean()), float(usual[top].mean())
    return min(begin + (target - level) / slope, most), "extrapolated"


def _bins(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(x, kind="stable")
    parts = np.array_split(order, min(_BINS_MOST, max(2, len(x) // _BIN)))
    return (
        np.array([np.median(x[part]) for part in parts]),
        np.array([np.median(y[part]) for part in parts]),
    )


def _rising(values: Floats) -> Floats:
    """Return the nearest course that never falls (pool adjacent violators)."""
    pools: list[tuple[float, int]] = []
    for value in values.tolist():
        total, count = value, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before, more = pools.pop()
            total, count = total + before, count + more
        pools.append((total, count))
    return np.concatenate([np.full(count, total / count) for total, count in pools])


def _slope(x: Floats, y: Floats) -> float:
    """Return the median of the slopes between any two points."""
    one, other = np.triu_indices(len(x), 1)
    apart = x[other] - x[one]
    far = apart > 0
    if not far.any():
        return 0.0
    return float(np.median((y[other] - y[one])[far] / apart[far]))


def _ranks(values: Floats) -> Floats:
    order = np.sort(values)
    # The middle of the ranks that equal values share.
    return (np.searchsorted(order, values, "left") + np.searchsorted(order, values, "right")) / 2.0

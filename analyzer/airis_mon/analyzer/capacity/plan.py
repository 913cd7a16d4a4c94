"""The plan: replicas needed on each day to come, and the day from which the present ones are too few."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.capacity.days import CapacityError, busy_hours, hours
from airis_mon.analyzer.capacity.demand import demand
from airis_mon.analyzer.capacity.growth import Growth
from airis_mon.analyzer.capacity.relation import (
    HOURS_LEAST,
    RELATED,
    PerReplica,
    carried,
    correlation,
    per_replica,
)
from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.methods.robust import Floats

DAYS_LEAST = 14
"""Days whose busy hour has to be known: every day of the week twice."""
_FARTHEST = 2
"""How many times as far as it has seen a plan may look."""
_CHANGED = 1.25
"""How much more or less a replica has to carry of late for the past before to be left out."""
_SILENT_MOST = 3
"""Days at the end of the past without a load."""
_MOST = 1e6
"""Replicas beyond which a number only says that something is wrong."""
_SEED = 20_240_101
"""Draws of the bootstrap are the same each time: two runs over one past give one plan."""


@dataclass(frozen=True)
class Past:
    """Three series on one grid, (n,) each, NaN for gaps; its step divides an hour."""

    timestamps: NDArray[np.int64]
    load: Floats
    """Of all replicas together."""
    replicas: Floats
    utilisation: Floats | None = None
    """Of a replica, on average; None where what a replica carries is told."""


@dataclass(frozen=True)
class Target:
    """What the replicas have to do."""

    utilisation: float = 0.8
    """Not to be exceeded in the mean of the busiest hour."""
    level: float = 0.95
    """Share of days that the upper number of replicas is enough for."""
    spare: int = 0
    """Replicas beyond what the load needs, for those that fail or are being replaced."""
    straight: bool = True
    """Whether utilisation goes on as a line beyond what was seen; latencies do not."""
    per_replica: float | None = None
    """Load that a replica carries at the target, where that is known from a load test."""


@dataclass(frozen=True)
class Day:
    """One day to come."""

    begins: int
    """Seconds since the epoch, midnight UTC."""
    load: float
    """Expected mean of its busiest hour."""
    load_upper: float
    needed: int
    """Replicas for the expected load."""
    needed_upper: int
    """Replicas that are enough with the probability of the target's `level`."""


@dataclass(frozen=True)
class Plan:
    """The answer."""

    replicas: int
    """Those that run now."""
    per_replica: PerReplica
    growth: Growth
    days: tuple[Day, ...]
    known_days: int
    """Days of the past whose busy hour is known."""
    notes: tuple[str, ...] = ()
    """What a reader has to know of the numbers, a sentence each."""

    @property
    def short(self) -> Day | None:
        """The first day on which the present replicas are expected to be too few; None: not that soon."""
        return next((day for day in self.days if day.needed > self.replicas), None)

    @property
    def short_upper(self) -> Day | None:
        """The first day on which they may be too few, with the probability that `level` leaves."""
        return next((day for day in self.days if day.needed_upper > self.replicas), None)


def plan(past: Past, days: int, target: Target) -> Plan:
    """Return the plan for so many `days`; CapacityError where none follows from the past."""
    first, load = hours(past.timestamps, past.load)
    by_day = busy_hours(load)
    if np.isnan(load[-1]):
        by_day[-1] = np.nan  # not over yet: its busy hour may be to come
    busy = _known(by_day)
    known = int(np.sum(~np.isnan(busy)))
    if known < DAYS_LEAST:
        raise CapacityError(
            f"the load is known on {known} whole days, and {DAYS_LEAST} are needed: every day of the week "
            "twice; wait, or lengthen --history where Prometheus keeps more"
        )
    if not np.nanmax(busy) > 0:
        raise CapacityError("there was no load in all that time")
    if days > _FARTHEST * len(busy):
        raise CapacityError(
            f"{days} days ahead is too far for a past of {len(busy)}; at most {_FARTHEST * len(busy)} are "
            "looked ahead"
        )
    _, running = hours(past.timestamps, past.replicas)
    there = running[~np.isnan(running) & (running > 0)]
    if not len(there):
        raise CapacityError("no replica was ever counted")
    replica, notes = _replica(past, load, running, target)
    last = int(np.flatnonzero(~np.isnan(by_day))[-1])
    today = int(past.timestamps[-1]) // DAY - first
    since = max(today - last - 1, 0)
    if since > _SILENT_MOST:
        raise CapacityError(f"the load is not known for the last {since} days; is it still measured?")
    to_come = demand(busy, since + days, target.level)
    if np.isnan(to_come.expected).any():
        raise CapacityError("nothing can be said of the load to come")
    likely = NormalDist().inv_cdf(target.level) * replica.error
    begin = first + last + 1 + since
    found = []
    for n, (expected, upper) in enumerate(
        zip(to_come.expected[since:].tolist(), to_come.upper[since:].tolist(), strict=True)
    ):
        wide = math.hypot(math.log(upper / expected), likely)
        found.append(
            Day(
                begins=(begin + n) * DAY,
                load=expected,
                load_upper=upper,
                needed=_replicas(expected / replica.load) + target.spare,
                needed_upper=_replicas(expected * math.exp(wide) / replica.load) + target.spare,
            )
        )
    now = round(float(there[-1]))
    return Plan(now, replica, to_come.growth, tuple(found), known, notes)


def strength(past: Past) -> float:
    """Return how closely utilisation follows load per replica: a rank correlation, 0 for unknown."""
    if past.utilisation is None:
        return 0.0
    _, load = hours(past.timestamps, past.load)
    _, running = hours(past.timestamps, past.replicas)
    return correlation(_share(load, running), hours(past.timestamps, past.utilisation)[1])


def _known(busy: Floats) -> Floats:
    """Return the days from the first that is known to the last."""
    there = np.flatnonzero(~np.isnan(busy))
    return busy[there[0] : there[-1] + 1] if len(there) else busy[:0]


def _replica(past: Past, load: Floats, running: Floats, target: Target) -> tuple[PerReplica, tuple[str, ...]]:
    """Return what a replica carries, and what is to be said of it."""
    if target.per_replica is not None:
        return PerReplica(target.per_replica, 0.0), ()
    if past.utilisation is None:
        raise CapacityError("neither utilisation nor what a replica carries is known")
    _, used = hours(past.timestamps, past.utilisation)
    share = _share(load, running)

    rng = np.random.default_rng(_SEED)
    whole = per_replica(share, used, target.utilisation, rng, straight=target.straight)
    notes = []
    middle = len(share) // 2
    before, late = (
        _alone(share[part], used[part], target) for part in (slice(0, middle), slice(middle, None))
    )
    if before and late and max(before / late, late / before) > _CHANGED:
        notes.append(
            f"a replica carried {before:.4g} in the first half of the past and {late:.4g} in the second: "
            "something changed, and the second half alone counts"
        )
        whole = per_replica(share[middle:], used[middle:], target.utilisation, rng, straight=target.straight)
    if whole.at_least:
        notes.append(
            f"latency never came near its target: a replica carries {whole.load:.4g} or more, and fewer "
            "replicas than these may do; a load test says how many (--per-replica)"
        )
    elif whole.extrapolated:
        notes.append(
            f"the target lies beyond what was seen ({whole.seen_utilisation:.0%} at {whole.seen_load:.4g} a "
            "replica): it is reached by a straight line, which a load test should confirm"
        )
    return whole, tuple(notes)


def _alone(share: Floats, used: Floats, target: Target) -> float | None:
    """Return what a replica carried in a part of the past; None where that does not say it."""
    both = ~np.isnan(share + used)
    if both.sum() < HOURS_LEAST or correlation(share, used) < RELATED:
        return None
    return carried(share[both], used[both], target.utilisation, straight=target.straight)[0]


def _share(load: Floats, running: Floats) -> Floats:
    return np.where(running > 0, load / np.where(running > 0, running, 1.0), np.nan)


def _replicas(exact: float) -> int:
    if exact > _MOST:
        raise CapacityError(
            f"more than {_MOST:.0f} replicas would be needed: one of the signals is not what it seems to be"
        )
    # What is a hair above a whole number is that number: 3.0000000001 is 3.
    return max(1, math.ceil(exact - 1e-9))

"""What a container should request, by what all of its pods have used.

CPU is compressible: the request is a high quantile, and the rare minute above it is slower. Memory is not:
the request is a high quantile of each day's peak, with a margin. Old samples count less. Limits keep their
proportion to the request, as they do with the Vertical Pod Autoscaler, and never fall below a peak that was
seen; where there is none, none is advised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.methods.robust import Floats

LEAST, WHOLE = DAY, 7 * DAY
"""Seconds of evidence below which nothing is advised, and below which that is said."""
_MEBI = 1 << 20
_KILLED_FACTOR, _KILLED_MORE = 1.2, 100 * _MEBI
"""A container that was killed for memory gets the larger of this much more, as with the VPA."""
_CPU_GRAIN, _CPU_LEAST = 0.01, 0.01
_MEMORY_GRAIN, _MEMORY_LEAST = 16 * _MEBI, 32 * _MEBI


class EvidenceError(Exception):
    """Too little was seen to advise anything; the text says how much is needed."""


@dataclass(frozen=True)
class Usage:
    """What the pods of a workload used in one container."""

    timestamps: NDArray[np.int64]
    """(n,) seconds since the epoch, equal steps."""
    cpu: Floats
    """(pods, n) cores; NaN while a pod was not there."""
    memory: Floats
    """(pods, n) bytes of the working set."""


@dataclass(frozen=True)
class Resources:
    """Requests and limits of a container, in cores and bytes; None where there is none."""

    cpu_request: float | None = None
    cpu_limit: float | None = None
    memory_request: float | None = None
    memory_limit: float | None = None


@dataclass(frozen=True)
class Settings:
    """How careful advice is."""

    quantile: float = 0.95
    """Share of the time that the CPU request is enough for, and of days that the memory request is. The VPA
    takes 0.9; an answer that is slow one minute in ten is felt."""
    margin: float = 0.15
    """Part that is added to what was used, as with the VPA."""
    half_life: float = 7.0 * DAY
    """Seconds after which a sample counts half. The VPA's one day forgets Mondays over a weekend."""


@dataclass(frozen=True)
class Advice:
    """What is advised for one container of a pod."""

    resources: Resources
    hours: float
    """Hours of the past in which it was seen."""
    cpu_used: float
    """The quantile of the CPU that was used, in cores."""
    cpu_peak: float
    memory_used: float
    """The quantile of each day's peak of memory, in bytes."""
    memory_peak: float
    notes: tuple[str, ...] = ()


def advise(usage: Usage, present: Resources, killed: bool, settings: Settings) -> Advice:
    """Return what a container should have; EvidenceError where it was seen for less than a day.

    `killed` says that it was ended for want of memory in that time.
    """
    step = int(usage.timestamps[1] - usage.timestamps[0])
    seen = np.flatnonzero(~np.isnan(usage.cpu).all(axis=0) & ~np.isnan(usage.memory).all(axis=0))
    evidence = len(seen) * step
    if evidence < LEAST:
        raise EvidenceError(
            f"it was seen for {evidence / HOUR:.1f} hours, and 24 are needed: a night says nothing of a day"
        )
    notes = []
    if evidence < WHOLE:
        notes.append(f"it was seen for {evidence / DAY:.1f} days: other weekdays may need more")
    age = (int(usage.timestamps[-1]) - usage.timestamps).astype(np.float64)
    weights = np.broadcast_to(0.5 ** (age / settings.half_life), usage.cpu.shape)
    used = _quantile(usage.cpu, weights, settings.quantile)
    peaks, peak_weights = _daily(usage.timestamps, usage.memory, weights)
    held = _quantile(peaks, peak_weights, settings.quantile)
    highest_cpu, highest = float(np.nanmax(usage.cpu)), float(np.nanmax(usage.memory))
    more = 1 + settings.margin
    memory = held * more
    if killed:
        limit = present.memory_limit or highest
        memory = max(memory, limit * _KILLED_FACTOR, limit + _KILLED_MORE)
        notes.append("it was killed for want of memory: what it needed then was more than was seen")
    cpu_request = _grained(used * more, _CPU_GRAIN, _CPU_LEAST)
    memory_request = _grained(memory, _MEMORY_GRAIN, _MEMORY_LEAST)
    cpu_limit = _limit(cpu_request, present.cpu_request, present.cpu_limit, highest_cpu * more)
    memory_limit = _limit(memory_request, present.memory_request, present.memory_limit, highest * more)
    resources = Resources(
        cpu_request=cpu_request,
        cpu_limit=None if cpu_limit is None else _grained(cpu_limit, _CPU_GRAIN, _CPU_LEAST),
        memory_request=memory_request,
        memory_limit=None if memory_limit is None else _grained(memory_limit, _MEMORY_GRAIN, _MEMORY_LEAST),
    )
    return Advice(resources, evidence / HOUR, used, highest_cpu, held, highest, tuple(notes))


def _limit(request: float, old_request: float | None, old: float | None, least: float) -> float | None:
    if old is None:
        return None
    part = old / old_request if old_request else 1.0
    return max(request * max(part, 1.0), least)


def _daily(timestamps: NDArray[np.int64], values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the peak of each pod and day, counted back from the end, and the newest weight of each day."""
    back = (int(timestamps[-1]) - timestamps) // DAY
    days = np.unique(back)
    peaks = np.full((len(values), len(days)), np.nan)
    newest = np.empty((len(values), len(days)))
    for n, day in enumerate(days.tolist()):
        mine = back == day
        peaks[:, n] = np.fmax.reduce(values[:, mine], axis=1)
        newest[:, n] = weights[:, mine].max(axis=1)
    return peaks, newest


def _quantile(values: Floats, weights: Floats, share: float) -> float:
    """Return the value below which `share` of the weight lies."""
    there = ~np.isnan(values)
    flat, weight = values[there], weights[there]
    order = np.argsort(flat)
    sums = np.cumsum(weight[order])
    return float(flat[order][np.searchsorted(sums, share * sums[-1])])


def _grained(value: float, grain: float, least: float) -> float:
    # What is a hair above a whole number of grains is that number.
    return max(math.ceil(value / grain - 1e-6) * grain, least)

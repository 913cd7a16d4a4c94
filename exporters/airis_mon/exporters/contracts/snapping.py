"""Latencies that are no boundary of their histogram, moved to one that is, where the document allows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from airis_mon.exporters.contracts.catalogue import CONTRACTS
from airis_mon.exporters.contracts.spelling import spelled
from airis_mon.spec import Latency, Monitor, Objective, Problem


def snapped(monitor: Monitor) -> tuple[Monitor, list[Problem]]:
    """Return the monitor with every latency that may be moved at a boundary, and a warning for each that was.

    What cannot be moved is as it was: `problems` has words for it.
    """
    contract = CONTRACTS.get(monitor.source.contract)
    objectives: list[Objective] = []
    told = []
    for index, objective in enumerate(monitor.objectives):
        latency = objective.indicator
        known = contract.distributions.get(latency.of) if contract and isinstance(latency, Latency) else None
        native = monitor.source.native_histograms or (isinstance(latency, Latency) and latency.native)
        if isinstance(latency, Latency) and known is not None and latency.snap and not native:
            boundaries = monitor.source.buckets.get(latency.of, known.buckets)
            effective = _effective(latency, boundaries)
            if effective is not None:
                if effective != latency.below:
                    told.append(_moved(monitor, index, latency, effective))
                # What comes of it is what comes of the boundary written as such.
                objective = replace(objective, indicator=replace(latency, below=effective, snap=None))
        objectives.append(objective)
    return replace(monitor, objectives=tuple(objectives)), told


def _effective(latency: Latency, boundaries: Sequence[float]) -> float | None:
    """Return the boundary that is taken; None where there is none on the side that the document asks for."""
    if any(math.isclose(latency.below, boundary, rel_tol=1e-9) for boundary in boundaries):
        return latency.below
    lower = max((one for one in boundaries if one < latency.below), default=None)
    upper = min((one for one in boundaries if one > latency.below), default=None)
    if latency.snap == "down" or (latency.snap == "nearest" and upper is None):
        return lower
    if latency.snap == "up" or lower is None or upper is None:
        return upper
    # Of two that are equally far the stricter one.
    return lower if latency.below - lower <= upper - latency.below else upper


def _moved(monitor: Monitor, index: int, latency: Latency, effective: float) -> Problem:
    path = f"spec.objectives[{index}].latency.below"
    what = "stricter" if effective < latency.below else "more lenient"
    return Problem(
        f"`{latency.of}` is counted below {spelled(effective)}: no bucket ends at {spelled(latency.below)}",
        path,
        monitor.origin.locate(path),
        f"that is {what} than what is written; `below: {spelled(effective)}` says the same without a warning",
        severity="warning",
    )

"""The bucket boundaries that histograms really have, in the place of those that are declared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from airis_mon.exporters.contracts import CONTRACTS, Distribution, matchers
from airis_mon.rules.live.prometheus import Prometheus
from airis_mon.spec import Latency, Monitor, Problem

MOST = 200
"""Boundaries that are looked at; a histogram has a few dozen."""


def with_boundaries(monitor: Monitor, prometheus: Prometheus) -> tuple[Monitor, list[Problem]]:
    """Return the monitor with the boundaries that all series of its histograms have, and what is wrong.

    Where there are no series, the boundaries stay as declared: that nothing is there is told by `examine`.
    """
    contract = CONTRACTS.get(monitor.source.contract)
    wanted = {
        one.indicator.of
        for one in monitor.objectives
        if isinstance(one.indicator, Latency) and not one.indicator.native
    }
    if monitor.source.native_histograms:
        return monitor, []
    actual: dict[str, tuple[float, ...]] = {}
    told: list[Problem] = []
    for name in sorted(wanted):
        distribution = contract.distributions.get(name) if contract is not None else None
        if distribution is None:
            continue
        counts = _counts(monitor, distribution, prometheus)
        whole = counts.get(math.inf, 0.0)
        everywhere = [bound for bound, number in counts.items() if number >= whole and bound < math.inf]
        if not everywhere:
            continue
        told += _differing(monitor, name, sorted(everywhere))
        # What only some have is no boundary, but it has a message of its own.
        partly = [bound for bound in counts if bound not in everywhere and _promised(monitor, name, bound)]
        actual[name] = tuple(sorted([*everywhere, *partly]))
        told += _partly(monitor, name, counts, whole)
    return replace(
        monitor, source=replace(monitor.source, buckets={**monitor.source.buckets, **actual})
    ), told


def _counts(monitor: Monitor, distribution: Distribution, prometheus: Prometheus) -> Mapping[float, float]:
    """Return how many series have each boundary, in base units, however they spell it."""
    selector = f"{distribution.metric}_bucket{matchers(monitor.source.selector)}"
    found: dict[float, float] = {}
    for sample in prometheus.vector(f"topk({MOST}, count by (le) ({selector}))"):
        try:
            bound = float(sample.labels.get("le", ""))
        except ValueError:
            continue
        bound = float(f"{bound * distribution.scale:.12g}")
        found[bound] = found.get(bound, 0.0) + sample.value
    return found


def _differing(monitor: Monitor, name: str, actual: Sequence[float]) -> Iterator[Problem]:
    declared = monitor.source.buckets.get(name)
    if declared is None or _equal(declared, actual):
        return
    path = f"spec.source.buckets.{name}"
    yield Problem(
        f"the boundaries of `{name}` are others than those that are declared",
        path,
        monitor.origin.locate(path),
        f"write `{name}: [{', '.join(f'{bound:g}' for bound in actual)}]`, as the series have it",
        severity="warning",
    )


def _partly(monitor: Monitor, name: str, counts: Mapping[float, float], whole: float) -> Iterator[Problem]:
    """Yield the latencies of which some series have the boundary and others do not: too few are good."""
    for index, objective in enumerate(monitor.objectives):
        latency = objective.indicator
        if not isinstance(latency, Latency) or latency.of != name:
            continue
        number = next((n for b, n in counts.items() if math.isclose(b, latency.below, rel_tol=1e-9)), 0.0)
        if 0 < number < whole:
            path = f"spec.objectives[{index}].latency.below"
            yield Problem(
                f"{number:g} of {whole:g} series of `{name}` have this boundary; the others would count all"
                " their operations as slow",
                path,
                monitor.origin.locate(path),
                "let all instances expose the same boundaries, or write one that all of them have",
            )


def _promised(monitor: Monitor, name: str, bound: float) -> bool:
    latencies = (one.indicator for one in monitor.objectives if isinstance(one.indicator, Latency))
    return any(one.of == name and math.isclose(one.below, bound, rel_tol=1e-9) for one in latencies)


def _equal(one: Sequence[float], other: Sequence[float]) -> bool:
    return len(one) == len(other) and all(
        math.isclose(left, right, rel_tol=1e-9) for left, right in zip(one, other, strict=True)
    )

"""Which signals tell that a monitor is in trouble, and which others may say why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from airis_mon.cli.capacity.signals import SignalError, quantile
from airis_mon.exporters.contracts import QUANTILES, Contract, contract_of, matchers
from airis_mon.rules import series
from airis_mon.spec import Errors, Latency, Monitor, Objective

_SHORTEST = 120.0
"""Seconds over which rates are taken at least: longer ones blur when something began."""
_JOB = "job"


@dataclass(frozen=True)
class Asked:
    """A signal to ask for."""

    name: str
    expression: str
    outside: bool = False
    """Whether those who ask make it."""
    distribution: str = ""
    """Histogram that it is a quantile of: another quantile of the same says nothing new."""


def symptoms(monitor: Monitor, signal: str) -> list[list[Asked]]:
    """Return what shows an incident, what is asked first before the rest; or the signal that is named.

    Objectives are what its users feel; what is watched for anomalies counts where none of them says anything.
    """
    contract = contract_of(monitor.source)
    if signal:
        known = signal in contract.signals()
        return [[_asked(monitor, contract, signal) if known else Asked(signal, signal)]]
    felt = [_of_objective(monitor, contract, objective) for objective in monitor.objectives]
    watched = [_asked(monitor, contract, anomaly.of) for anomaly in monitor.anomalies]
    found = [list({one.name: one for one in part}.values()) for part in (felt, watched) if part]
    if not found:
        raise SignalError(
            "it has neither objectives nor anomalies, which would say what its users feel; name a "
            "signal with --signal"
        )
    return found


def others(
    monitor: Monitor, felt: Sequence[Asked], depended: Sequence[Monitor], also: Mapping[str, str]
) -> list[Asked]:
    """Return the other signals of a monitor, those of all that it depends on, and those that are named."""
    skipped = {one.name for one in felt} | {one.distribution for one in felt if one.distribution}
    found = [one for one in _all(monitor) if one.name not in skipped and one.distribution not in skipped]
    found += [
        replace(one, name=f"{upstream.name}/{one.name}", outside=False)
        for upstream in depended
        for one in _all(upstream)
    ]
    found += [Asked(name, expression) for name, expression in also.items()]
    return found


def upstream(monitor: Monitor, monitors: Sequence[Monitor]) -> list[Monitor]:
    """Return the monitors that it depends on, directly or through others, among those that are there."""
    known = {one.name: one for one in monitors}
    found: dict[str, Monitor] = {}
    waiting = [*monitor.depends_on]
    while waiting:
        name = waiting.pop(0)
        if name in known and name not in found and name != monitor.name:
            found[name] = known[name]
            waiting += known[name].depends_on
    return list(found.values())


def _all(monitor: Monitor) -> Iterator[Asked]:
    contract = contract_of(monitor.source)
    for signal in contract.signals():
        name, _, suffix = signal.rpartition("_")
        if name not in contract.distributions or suffix == "p95":
            yield _asked(monitor, contract, signal)
    job = {label: value for label, value in monitor.source.selector.items() if label == _JOB}
    if job:
        window = f"{max(_SHORTEST, monitor.source.shortest_range):.0f}s"
        chosen = matchers(job)
        yield Asked("instances_up", f"sum(up{chosen})")
        yield Asked("process_cpu_seconds_rate", f"sum(rate(process_cpu_seconds_total{chosen}[{window}]))")
        yield Asked("process_resident_memory_bytes", f"max(process_resident_memory_bytes{chosen})")


def _asked(monitor: Monitor, contract: Contract, signal: str) -> Asked:
    window = max(_SHORTEST, monitor.source.shortest_range)
    name, _, suffix = signal.rpartition("_")
    quantiles = name in contract.distributions and suffix in QUANTILES
    expression = contract.expression(signal, monitor.source.selector, window)
    return Asked(signal, expression, signal == "request_rate", name if quantiles else "")


def _of_objective(monitor: Monitor, contract: Contract, objective: Objective) -> Asked:
    indicator = objective.indicator
    if isinstance(indicator, Errors):
        return _asked(monitor, contract, "error_ratio")
    if isinstance(indicator, Latency) and indicator.of in contract.distributions:
        share = quantile(QUANTILES, objective.target)
        return _asked(monitor, contract, f"{indicator.of}_{share}")
    # Whatever else an objective counts: the rules record the share that missed it.
    chosen = matchers({series.SLO_SERVICE: monitor.name, series.SLO_NAME: objective.name})
    return Asked(f"{objective.name} (missed)", f"max({series.ERROR_RATIO}5m{chosen})")

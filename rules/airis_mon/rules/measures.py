"""What is scraped for the promises of a monitor: each metric once, with the signal that it is known by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from airis_mon.exporters.contracts import Contract, Gauge, Requests
from airis_mon.rules import series
from airis_mon.rules.indicators import LatencyBelow, NativeLatency, contract_of, indicator
from airis_mon.spec import Monitor, Quality


@dataclass(frozen=True)
class Measure:
    """One metric that something of the document depends on."""

    signal: str
    """Signal or distribution that it was named by first."""
    metric: str
    """Counter, histogram's `_count`, native histogram, or gauge."""
    gauge: Gauge | None = None
    """What is known of a gauge; None for what only ever rises."""
    boundary: float | None = None
    """Boundary of the histogram that an objective counts below, in the server's own unit."""
    told: tuple[str, ...] = ()
    """Labels by which failed operations are told from good ones, and that both have."""
    by: tuple[str, ...] = ()
    """Labels that the signal is kept apart by, sorted."""
    promised: bool = False
    """Whether an objective counts it: then `absence` tells where it is not there."""
    native: bool = False
    """Whether it is a native histogram."""
    moves: bool = True
    """Whether each operation moves it; true answers come later, or never."""


def measures(monitor: Monitor) -> tuple[Measure, ...]:
    """Return the metrics of a monitor's promises, the counter of operations first where there is one."""
    found: dict[str, Measure] = {}
    for measure in _all(monitor):
        known = found.setdefault(measure.metric, measure)
        by = tuple(sorted({*known.by, *measure.by}))
        boundary = measure.boundary if known.boundary is None else known.boundary
        promised = known.promised or measure.promised
        found[measure.metric] = replace(known, by=by, boundary=boundary, promised=promised)
    return tuple(found.values())


def _all(monitor: Monitor) -> Iterator[Measure]:
    contract = contract_of(monitor)
    if contract.requests is not None:
        total, told = contract.requests.total, _told(contract.requests)
        yield Measure(series.REQUESTS, total, told=told, promised=True, native=total in contract.native)
    for objective in monitor.objectives:
        what = indicator(monitor, objective.indicator)
        if isinstance(what, LatencyBelow):
            yield Measure(what.signal, f"{what.metric}_count", boundary=what.boundary, promised=True)
        elif isinstance(what, NativeLatency):
            yield Measure(what.signal, what.metric, promised=True, native=True)
        elif isinstance(objective.indicator, Quality) and contract.labelled is not None:
            labelled = contract.labelled
            yield Measure(what.signal, labelled.total, told=_told(labelled), promised=True, moves=False)
    for signal, by in _watched(monitor):
        found = _measure(contract, signal)
        if found is not None:
            yield replace(found, by=tuple(sorted(by)))


def _watched(monitor: Monitor) -> Iterable[tuple[str, tuple[str, ...]]]:
    yield from ((anomaly.of, anomaly.by) for anomaly in monitor.anomalies)
    yield from ((threshold.of, threshold.by) for threshold in monitor.thresholds)
    yield from ((forecast.of, forecast.by) for forecast in monitor.forecasts if forecast.capacity is not None)


def _measure(contract: Contract, signal: str) -> Measure | None:
    """Return the metric that carries a signal."""
    if signal in contract.gauges:
        return Measure(signal, contract.gauges[signal].metric, contract.gauges[signal])
    name = signal.rpartition("_")[0]
    if name in contract.distributions:
        metric = contract.count(name)
        return Measure(signal, metric, native=metric in contract.native)
    if name in contract.counters:
        return Measure(signal, contract.counters[name].metric)
    requests = contract.requests  # request_rate, error_ratio
    if requests is None:
        return None
    return Measure(series.REQUESTS, requests.total, native=requests.total in contract.native)


def _told(requests: Requests) -> tuple[str, ...]:
    """Return the labels that good and failed operations have; where only failed ones do, none is missed."""
    return tuple(label for label in requests.telling if f'{label}!=""' not in requests.errors)

"""What an objective counts: operations, and those that missed it.

Belongs here: one module per kind of indicator, each saying in PromQL what it counts.

Must not be here: windows, budgets and alerts, which treat all of them alike, and what proofs feed them with.
"""

from __future__ import annotations

from airis_mon.exporters import contracts
from airis_mon.exporters.contracts import Contract, matchers
from airis_mon.rules.indicators.availability import Availability
from airis_mon.rules.indicators.counted import Counted
from airis_mon.rules.indicators.freshness import Freshness
from airis_mon.rules.indicators.latency import LatencyBelow
from airis_mon.rules.indicators.native import NativeLatency
from airis_mon.spec import Errors, Events, Fresh, Latency, Monitor, Quality

__all__ = [
    "Availability",
    "Counted",
    "Freshness",
    "Indicator",
    "LatencyBelow",
    "NativeLatency",
    "contract_of",
    "indicator",
    "requests_of",
]

Indicator = Availability | LatencyBelow | NativeLatency | Counted | Freshness


def indicator(monitor: Monitor, kind: Errors | Latency | Quality | Fresh | Events) -> Indicator:
    """Return what an objective of a monitor counts; KeyError where the contract does not carry it."""
    contract, selector = contract_of(monitor), monitor.source.selector
    if isinstance(kind, Errors):
        if contract.requests is None:
            raise KeyError("errors")
        native = contract.requests.total in contract.native
        return Availability(contract.requests.total, selector, contract.requests.errors, native=native)
    if isinstance(kind, Quality):
        if contract.labelled is None:
            raise KeyError(contract.name)
        return Availability(contract.labelled.total, selector, contract.labelled.errors, "quality")
    if isinstance(kind, Events):
        return Counted.of(kind)
    if isinstance(kind, Fresh):
        return Freshness(kind.of, selector, kind.within, monitor.source.scrape_interval)
    distribution = contract.distributions[kind.of]
    # Twelve digits take away what the division adds.
    boundary = float(f"{kind.below / distribution.scale:.12g}")
    if kind.native or distribution.metric in contract.native:
        return NativeLatency(distribution.metric, selector, boundary, kind.of)
    return LatencyBelow(distribution.metric, selector, boundary, kind.of)


def contract_of(monitor: Monitor) -> Contract:
    """Return what a monitor's source exposes."""
    return contracts.contract_of(monitor.source)


def requests_of(monitor: Monitor) -> str | None:
    """Return the series selector of a monitor's operations; None where only its objectives count any."""
    requests = contract_of(monitor).requests
    return None if requests is None else requests.total + matchers(monitor.source.selector)

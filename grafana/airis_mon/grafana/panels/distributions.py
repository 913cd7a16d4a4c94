"""Every histogram of the contract: how long it takes, how long texts are, how sure the model is."""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from airis_mon.grafana import look, queries
from airis_mon.spec import Latency, Monitor

SHOWN = ("p50", "p95", "p99")


def latency(monitor: Monitor) -> list[timeseries.Panel]:
    """Return the row of durations."""
    return [_quantiles(monitor, name) for name in _named(monitor, "seconds")]


def tokens(monitor: Monitor) -> list[timeseries.Panel]:
    """Return the row on tokens: what flows, and how long single operations are."""
    flows = _flows(monitor)
    return [*flows, *(_quantiles(monitor, name) for name in _named(monitor, "tokens"))]


def output(monitor: Monitor) -> list[timeseries.Panel]:
    """Return the row of everything else that has a distribution, such as a classifier's confidence."""
    known = {*_named(monitor, "seconds"), *_named(monitor, "tokens")}
    return [_quantiles(monitor, name) for name in queries.exposed(monitor).distributions if name not in known]


def _named(monitor: Monitor, unit: str) -> list[str]:
    distributions = queries.exposed(monitor).distributions
    return [name for name, distribution in distributions.items() if distribution.unit == unit]


def _quantiles(monitor: Monitor, name: str) -> timeseries.Panel:
    promised = [
        objective.indicator.below
        for objective in monitor.objectives
        if isinstance(objective.indicator, Latency) and objective.indicator.of == name
    ]
    told = " The dashed line is an objective's threshold." if promised else ""
    panel = look.graph(
        _title(name),
        "Half, 95% and 99% of operations stay below these lines, as far as the histogram's buckets tell."
        f"{told}",
        queries.exposed(monitor).distributions[name].unit,
    ).min(0)
    for index, quantile in enumerate(SHOWN):
        expression = queries.signal(monitor, f"{name}_{quantile}")
        panel.with_target(queries.target(expression, quantile, queries.letter(index)))
    return look.lines(panel, promised)


def _flows(monitor: Monitor) -> list[timeseries.Panel]:
    counters = queries.exposed(monitor).counters
    if not counters:
        return []
    panel = look.graph("Tokens", "Tokens per second that the model reads and writes.", "tokens per second")
    for index, name in enumerate(counters):
        expression = queries.signal(monitor, f"{name}_rate")
        panel.with_target(queries.target(expression, _title(name), queries.letter(index)))
    return [panel.min(0)]


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()

"""Every gauge of the contract: how full the servers are, and how many of them are needed by when."""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from airis_mon.analyzer import series
from airis_mon.grafana import look, queries
from airis_mon.spec import Monitor


def panels(monitor: Monitor) -> list[timeseries.Panel]:
    """Return one graph per gauge, with the capacities that forecasts are held against, and the replicas."""
    gauges = [_gauge(monitor, name) for name in queries.exposed(monitor).gauges]
    # Who holds a forecast against a capacity wants to know what to buy, and may let `capacity` run.
    planned = any(forecast.capacity is not None for forecast in monitor.forecasts)
    return [*gauges, replicas(monitor)] if planned else gauges


def replicas(monitor: Monitor) -> timeseries.Panel:
    """Show how many replicas run, and how many will be enough."""
    panel = look.graph(
        "Replicas needed",
        "Replicas that run, and how many are enough until then on 95% of days: what `airis-mon capacity "
        "--write` found last, which has to run each day. It is empty where nobody does that.",
        "",
    )
    running = queries.planned(monitor, series.REPLICAS)
    needed = queries.planned(monitor, series.REPLICAS_NEEDED_UPPER)
    return (
        panel.min(0)
        .with_target(queries.target(running, "running", "A"))
        .with_target(queries.target(needed, f"within {{{{{series.HORIZON}}}}}", "B"))
    )


def _gauge(monitor: Monitor, name: str) -> timeseries.Panel:
    limits = [
        forecast.capacity
        for forecast in monitor.forecasts
        if forecast.of == name and forecast.capacity is not None
    ]
    told = " The dashed line is its capacity." if limits else ""
    panel = look.graph(
        name.replace("_", " ").capitalize(),
        f"The highest value among the model's servers.{told}",
        queries.exposed(monitor).gauges[name].unit,
        width=8,
    )
    expression = queries.signal(monitor, name)
    return look.lines(panel, limits).min(0).with_target(queries.target(expression, "highest", "A"))

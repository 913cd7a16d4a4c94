"""Every gauge of the contract: how full the server is."""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from airis_mon.grafana import look, queries
from airis_mon.spec import Monitor


def panels(monitor: Monitor) -> list[timeseries.Panel]:
    """Return one graph per gauge, with the capacities that forecasts are held against."""
    return [_gauge(monitor, name) for name in queries.exposed(monitor).gauges]


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

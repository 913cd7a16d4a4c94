"""How much is asked of the model, and how much of it fails."""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from airis_mon.grafana import look, queries
from airis_mon.spec import Errors, Monitor


def panels(monitor: Monitor) -> list[timeseries.Panel]:
    """Return the row on traffic and errors; without a contract, only the objectives know of either."""
    if queries.exposed(monitor).requests is None:
        return []
    return [request_rate(monitor), error_ratio(monitor)]


def request_rate(monitor: Monitor) -> timeseries.Panel:
    """Show operations per second."""
    panel = look.graph("Requests", "Operations per second, failed ones included.", "requests per second")
    return panel.min(0).with_target(queries.target(queries.signal(monitor, "request_rate"), "requests", "A"))


def error_ratio(monitor: Monitor) -> timeseries.Panel:
    """Show the share of failed operations, with what the objectives allow."""
    panel = look.graph(
        "Errors",
        "Share of operations that failed. A dashed line is what an objective allows on average.",
        "ratio",
    )
    allowed = [
        round(1 - objective.target, 12)
        for objective in monitor.objectives
        if isinstance(objective.indicator, Errors)
    ]
    return (
        look.lines(panel, allowed)
        .min(0)
        .with_target(queries.target(queries.signal(monitor, "error_ratio"), "failed", "A"))
    )

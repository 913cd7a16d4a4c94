"""A new version beside the one that it may replace: by how much it differs, and what is said of it."""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from airis_mon.analyzer import series
from airis_mon.grafana import look, queries
from airis_mon.spec import Monitor


def panels(monitor: Monitor) -> list[timeseries.Panel]:
    """Return one graph where two versions are compared, else none."""
    if monitor.canary is None:
        return []
    panel = look.graph(
        "Candidate against baseline",
        "How many more operations of the candidate than of the baseline miss each objective, between the "
        "least and the most that it can be; above 0 the candidate is worse.",
        "ratio",
        width=24,
    )
    named = (
        (series.CANARY_DIFFERENCE, "difference"),
        (series.CANARY_LOWER, "least"),
        (series.CANARY_UPPER, "most"),
    )
    for index, (name, legend) in enumerate(named):
        query = queries.compared(monitor, name)
        panel.with_target(queries.target(query, f"{{{{{series.METRIC}}}}}, {legend}", queries.letter(index)))
    return [look.lines(panel, [0])]

"""Whether the promises are kept, and whether anything is wrong right now."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat, statetimeline, timeseries
from grafana_foundation_sdk.models.common import VisibilityMode
from grafana_foundation_sdk.models.dashboard import ValueMap, ValueMappingResult

from airis_mon.grafana import look, queries
from airis_mon.rules import series
from airis_mon.spec import Monitor, format_duration, format_percent

Panels = list[stat.Panel | timeseries.Panel | statetimeline.Panel]


def panels(monitor: Monitor) -> Panels:
    """Return the row on objectives; without objectives it says what fires."""
    if not monitor.objectives:
        return [firing(monitor), readiness(monitor)]
    return [
        compliance(monitor),
        budget_remaining(monitor),
        burn_rate(monitor),
        firing(monitor),
        budget_over_time(monitor),
        burn_rate_over_time(monitor),
        readiness(monitor),
    ]


def compliance(monitor: Monitor) -> stat.Panel:
    """Show the share of good operations per objective, green from its target on."""
    promises = ", ".join(
        f"{objective.name} {format_percent(objective.target)} over {format_duration(objective.window)}"
        for objective in monitor.objectives
    )
    panel = look.number(
        "Objectives",
        f"Share of good operations over the objective's whole window. Promised: {promises}.",
        "ratio",
        6,
    ).decimals(3)
    for index, objective in enumerate(monitor.objectives):
        ref = queries.letter(index)
        panel.with_target(
            queries.instant(f"1 - {queries.error_ratio(monitor, objective)}", objective.name, ref)
        )
        marks = look.steps(look.RED, (objective.target, look.GREEN)).build()
        panel.override_by_query(ref, [look.value("thresholds", marks)])
    return panel


def budget_remaining(monitor: Monitor) -> stat.Panel:
    """Show what is left of each error budget."""
    panel = look.number(
        "Error budget left",
        "What is left of the failures that the objective allows. Below 0 the promise is broken.",
        "ratio",
        6,
    )
    panel.decimals(1).thresholds(look.steps(look.RED, (0, look.AMBER), (0.25, look.GREEN)))
    return _per_objective(panel, monitor, series.BUDGET_REMAINING)


def burn_rate(monitor: Monitor) -> stat.Panel:
    """Show how fast each budget burns at the moment."""
    panel = look.number(
        "Burn rate now",
        "1 uses up exactly the error budget over the objective's window; 14.4 uses up 2% of a 30 day budget "
        "in an hour.",
        "",
        6,
    )
    panel.decimals(1).thresholds(look.steps(look.GREEN, (1, look.AMBER), (6, look.RED)))
    return _per_objective(panel, monitor, series.CURRENT_BURN_RATE)


def firing(monitor: Monitor) -> stat.Panel:
    """Show how many alerts fire."""
    panel = look.number("Firing alerts", "Alerts of this monitor that fire now, by severity.", "", 6)
    panel.thresholds(look.steps(look.GREEN, (1, look.RED)))
    chosen = queries.alerts(monitor)
    return panel.with_target(
        queries.instant(f"count by ({series.SEVERITY}) ({chosen})", f"{{{{{series.SEVERITY}}}}}", "A")
    ).no_value("none")


def readiness(monitor: Monitor) -> statetimeline.Panel:
    """Show for each alert when it could have fired: a quiet alert and a blind one are told apart."""
    states = {
        "0": ValueMappingResult(text="cannot fire", color=look.RED, index=0),
        "1": ValueMappingResult(text="can fire", color=look.GREEN, index=1),
    }
    apart = (series.ALERT, series.OBJECTIVE_LABEL, series.FOR)
    query = f"min by ({', '.join(apart)}) ({queries.readiness(monitor)})"
    return (
        statetimeline.Panel()
        .title("Alerts that can fire")
        .description(
            "Whether every series that an alert needs is there, with the labels that it needs. An alert that "
            "cannot fire is quiet whatever happens."
        )
        .datasource(look.DATASOURCE)
        .interval(queries.MIN_STEP)
        .height(look.GRAPH_HEIGHT)
        .span(24)
        .unit(look.unit(""))
        .line_width(0)
        .fill_opacity(80)
        .show_value(VisibilityMode.NEVER)
        .mappings([ValueMap(options=states)])
        .thresholds(look.steps(look.RED, (1, look.GREEN)))
        .with_target(queries.target(query, " ".join(f"{{{{{label}}}}}" for label in apart), "A"))
    )


def budget_over_time(monitor: Monitor) -> timeseries.Panel:
    """Show how the budgets were used."""
    panel = look.graph(
        "Error budget over time",
        "A step down is an incident; it comes back as the incident leaves the objective's window.",
        "ratio",
    )
    return _per_objective_over_time(look.lines(panel, [0]), monitor, series.BUDGET_REMAINING)


def burn_rate_over_time(monitor: Monitor) -> timeseries.Panel:
    """Show how fast the budgets burnt."""
    panel = look.graph(
        "Burn rate over time",
        "How many times as fast as allowed the error budget burns. Standing above 1 breaks the promise.",
        "",
    )
    return _per_objective_over_time(look.lines(panel, [1]), monitor, series.CURRENT_BURN_RATE)


def _per_objective(panel: stat.Panel, monitor: Monitor, name: str) -> stat.Panel:
    for index, objective in enumerate(monitor.objectives):
        query = queries.recorded(monitor, name, objective)
        panel.with_target(queries.instant(query, objective.name, queries.letter(index)))
    return panel


def _per_objective_over_time(panel: timeseries.Panel, monitor: Monitor, name: str) -> timeseries.Panel:
    for index, objective in enumerate(monitor.objectives):
        query = queries.recorded(monitor, name, objective)
        panel.with_target(queries.target(query, objective.name, queries.letter(index)))
    return panel

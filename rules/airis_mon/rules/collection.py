"""Every rule of a monitor, concern by concern."""

from __future__ import annotations

from airis_mon.rules import absence, anomalies, burn_rate, error_budget, forecasts
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.groups import Group, group_name
from airis_mon.spec import Monitor, Objective


def groups(monitor: Monitor) -> tuple[Group, ...]:
    """Return every rule of a monitor, grouped, in the order in which one depends on the other."""
    found = [group for objective in monitor.objectives for group in of_objective(monitor, objective)]
    watched = {
        "anomalies": [anomalies.alert(monitor, anomaly) for anomaly in monitor.anomalies],
        "forecasts": [
            forecasts.alert(monitor, forecast, forecast.capacity)
            for forecast in monitor.forecasts
            if forecast.capacity is not None
        ],
        "absence": absence.alerts(monitor),
    }
    for what, alerts in watched.items():
        if alerts:
            rules = tuple(alert.rule(monitor) for alert in alerts)
            found.append(Group(group_name(monitor.name, what), rules))
    return tuple(found)


def of_objective(monitor: Monitor, objective: Objective) -> tuple[Group, ...]:
    """Return the rules of one objective: its windows, its alerts, its budget."""
    burn = Burn(monitor, objective)
    return (*burn_rate.groups(burn), error_budget.group(burn))

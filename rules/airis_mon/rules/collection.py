"""Every rule of a monitor, concern by concern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airis_mon.rules import (
    absence,
    anomalies,
    burn_rate,
    error_budget,
    forecasts,
    maintenance,
    readiness,
    thresholds,
)
from airis_mon.rules.alerts import Alert
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.groups import Group, group_name, numbered
from airis_mon.rules.signals import signals
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
    standing = _grouped(monitor, watched)
    blind = _grouped(monitor, {"unready": unready_alerts(monitor)})
    ready = readiness.groups(group_name(monitor.name, "ready"), (*standing, *blind))
    worked_on = (*maintenance.groups(monitor), *maintenance.budgets(monitor))
    return (*found, *bounded_signals(monitor), *standing, *ready, *blind, *worked_on)


def _grouped(monitor: Monitor, alerts: Mapping[str, Sequence[Alert]]) -> tuple[Group, ...]:
    return tuple(
        Group(group_name(monitor.name, what), tuple(alert.rule(monitor) for alert in found))
        for what, found in alerts.items()
        if found
    )


def of_objective(monitor: Monitor, objective: Objective) -> tuple[Group, ...]:
    """Return the rules of one objective: its windows, its alerts, its budget, whether it is watched."""
    burn = Burn(monitor, objective)
    alerting = burn_rate.groups(burn)
    ready = readiness.groups(group_name(monitor.name, objective.name, "ready"), alerting)
    return (*alerting, *error_budget.groups(burn), *ready)


def unready_alerts(monitor: Monitor) -> list[Alert]:
    """Return the alert on alerts that cannot fire, where there is one that needs anything.

    The alert on the source being gone needs nothing: by itself it could never be told to be blind.
    """
    bounded = any(forecast.capacity is not None for forecast in monitor.forecasts)
    if not (monitor.objectives or monitor.anomalies or monitor.thresholds or bounded):
        return []
    return [readiness.alert(monitor, absence.alerts(monitor))]


def bounded_signals(monitor: Monitor) -> tuple[Group, ...]:
    """Return signals as they are recorded, alerts that hold them against bounds, whether these can fire."""
    recorded = [signal.rule() for signal in signals(monitor)]
    recorded += [history.rule() for history in thresholds.histories(monitor)]
    alerting = (*numbered(monitor.name, "signals", recorded), *bounds(monitor))
    return (*alerting, *readiness.groups(group_name(monitor.name, "thresholds", "ready"), alerting))


def bounds(monitor: Monitor) -> tuple[Group, ...]:
    """Return the alerts alone that hold signals against bounds."""
    alerts = [thresholds.alert(monitor, threshold).rule(monitor) for threshold in monitor.thresholds]
    return tuple(numbered(monitor.name, "thresholds", alerts))

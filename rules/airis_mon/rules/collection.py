"""Every rule of a monitor, concern by concern."""

from __future__ import annotations

from dataclasses import replace

from airis_mon.rules import (
    absence,
    anomalies,
    burn_rate,
    canary,
    drift,
    error_budget,
    expectation,
    forecasts,
    guards,
    maintenance,
    money,
    readiness,
    tallies,
    thresholds,
)
from airis_mon.rules.alerts import Alert
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.drift import Watch
from airis_mon.rules.groups import Group, numbered
from airis_mon.rules.money import Spending
from airis_mon.rules.signals import signals
from airis_mon.spec import Monitor, Objective


def groups(monitor: Monitor) -> tuple[Group, ...]:
    """Return every rule of a monitor, grouped, in the order in which one depends on the other."""
    grouped: list[Group] = []
    found = [group for objective in monitor.objectives for group in of_objective(monitor, objective)]
    reaches = forecasts.reaches(monitor)
    drawn = [reach.rule() for reach in reaches] + [reach.alert().rule(monitor) for reach in reaches]
    standing = [
        ("anomalies", [alert.rule(monitor) for alert in anomalies.alerts(monitor)]),
        ("forecasts", drawn),
        ("absence", [alert.rule(monitor) for alert in absence.alerts(monitor)]),
    ]
    blind = [alert.rule(monitor) for alert in unready_alerts(monitor)]
    ready = readiness.rules([*(rule for _, rules in standing for rule in rules), *blind])
    for what, rules in (*standing, ("ready", [*ready, *blind])):
        grouped += numbered(monitor.name, what, rules)
    worked_on = (*maintenance.groups(monitor), *maintenance.budgets(monitor))
    usual = expectation.groups(monitor)
    return (
        *found,
        *usual,
        *bounded_signals(monitor),
        *of_cost(monitor),
        *of_drift(monitor),
        *of_canary(monitor),
        *grouped,
        *guarding(monitor),
        *tallies.groups(monitor),
        *worked_on,
    )


def guarding(monitor: Monitor) -> tuple[Group, ...]:
    """Return the rules on signals that cannot be true."""
    alerts = [alert.rule(monitor) for alert in guards.alerts(monitor)]
    return tuple(numbered(monitor.name, "guards", [*alerts, *readiness.rules(alerts)]))


def of_objective(monitor: Monitor, objective: Objective) -> tuple[Group, ...]:
    """Return the rules of one objective: its windows, its alerts, its budget, whether it is watched."""
    burn = Burn(monitor, objective)
    alerting, (*budgets, last) = burn_rate.groups(burn), error_budget.groups(burn)
    ready = readiness.rules([rule for group in alerting for rule in group.rules])
    return (*alerting, *budgets, replace(last, rules=(*last.rules, *ready)))


def of_cost(monitor: Monitor) -> tuple[Group, ...]:
    """Return the rules of a monitor's budget in money, and whether its alerts can fire."""
    if monitor.cost is None:
        return ()
    recorded, alerting = money.groups(Spending(monitor, monitor.cost))
    ready = readiness.rules([*recorded.rules, *alerting.rules])
    return replace(recorded, rules=(*recorded.rules, *ready)), alerting


def of_drift(monitor: Monitor) -> tuple[Group, ...]:
    """Return the rules on a monitor's features, and whether their alerts can fire."""
    if monitor.drift is None:
        return ()
    *recorded, alerting = drift.groups(Watch(monitor, monitor.drift))
    ready = readiness.rules([*(rule for group in recorded for rule in group.rules), *alerting.rules])
    return (*recorded, replace(alerting, rules=(*alerting.rules, *ready)))


def of_canary(monitor: Monitor) -> tuple[Group, ...]:
    """Return the alert on a new version, and whether it can fire."""
    if monitor.canary is None:
        return ()
    alerts = [canary.alert(monitor, monitor.canary).rule(monitor)]
    return tuple(numbered(monitor.name, "canary", [*alerts, *readiness.rules(alerts)]))


def unready_alerts(monitor: Monitor) -> list[Alert]:
    """Return the alert on alerts that cannot fire, where there is one that needs anything.

    The alert on the source being gone needs nothing: by itself it could never be told to be blind.
    """
    reaches = forecasts.reaches(monitor)
    if not (
        monitor.objectives
        or monitor.anomalies
        or monitor.thresholds
        or monitor.cost
        or monitor.drift
        or monitor.canary
        or reaches
    ):
        return []
    return [readiness.alert(monitor, absence.alerts(monitor))]


def bounded_signals(monitor: Monitor) -> tuple[Group, ...]:
    """Return signals as they are recorded, alerts that hold them against bounds, whether these can fire."""
    recorded = [signal.rule() for signal in signals(monitor)]
    recorded += [history.rule() for history in thresholds.histories(monitor)]
    alerts = [rule for group in bounds(monitor) for rule in group.rules]
    ready = readiness.rules([*recorded, *alerts])
    grouped = numbered(monitor.name, "signals", [*recorded, *ready])
    return (*grouped, *bounds(monitor))


def bounds(monitor: Monitor) -> tuple[Group, ...]:
    """Return the alerts alone that hold signals against bounds."""
    alerts = [thresholds.alert(monitor, threshold).rule(monitor) for threshold in monitor.thresholds]
    return tuple(numbered(monitor.name, "thresholds", alerts))

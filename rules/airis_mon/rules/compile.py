"""Monitor -> its rule file and the promtool tests that prove it. Pure."""

from __future__ import annotations

from airis_mon.exporters import contracts
from airis_mon.rules import absence, anomalies, burn_rate, error_budget, forecasts, impossible
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.groups import Group, file_content, group_name
from airis_mon.rules.proofs import files
from airis_mon.spec import Artefact, Monitor, SpecError, yaml_text

FOLDER = "rules"


def artefacts(monitor: Monitor) -> tuple[Artefact, ...]:
    """Return `rules/<monitor>.rules.yaml` and the test files that prove it.

    SpecError with every problem of a monitor that no rule could watch.
    """
    problems = [*contracts.problems(monitor), *impossible.problems(monitor)]
    if problems:
        raise SpecError(problems)
    source = f"ModelMonitor {monitor.name}"
    written = groups(monitor)
    rules = Artefact(f"{FOLDER}/{monitor.name}.rules.yaml", yaml_text(file_content(written), source=source))
    order = [group.name for group in written]
    proofs = files.tests(monitor, rule_file=f"{monitor.name}.rules.yaml", order=order)
    return (
        rules,
        *(
            Artefact(f"{FOLDER}/{monitor.name}.{suffix}", yaml_text(content, source=source))
            for suffix, content in proofs.items()
        ),
    )


def groups(monitor: Monitor) -> tuple[Group, ...]:
    """Return every rule of a monitor, grouped, in the order in which one depends on the other."""
    found: list[Group] = []
    burns = [Burn(monitor, objective) for objective in monitor.objectives]
    for burn in burns:
        found += [*burn_rate.groups(burn), error_budget.group(burn)]
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

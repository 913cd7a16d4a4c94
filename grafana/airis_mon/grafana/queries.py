"""PromQL of the panels: made of contracts and of the rooms' series, ready for Grafana."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders.prometheus import Dataquery

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import Contract, contract_of, matchers
from airis_mon.rules import series as rules
from airis_mon.spec import Monitor, Objective, format_duration

RATE_WINDOW = 86399.999
"""Stands for Grafana's `$__rate_interval` while a contract writes the expression; nobody asks for it."""
MIN_STEP = "1m"
"""Least step of every panel. Grafana makes `$__rate_interval` four times as long, so that a rate has points
for every scrape interval up to two minutes, whatever the data source says of it."""
PLANNED = "2d"
"""How long a plan is shown: one day may fail."""


def variable(label: str) -> str:
    """Return the name of the dashboard variable that chooses a value of a label."""
    return f"by_{label}"


def exposed(monitor: Monitor) -> Contract:
    """Return what the monitor's source exposes."""
    return contract_of(monitor.source)


def signal(monitor: Monitor, name: str) -> str:
    """Return PromQL for a signal of the monitor's model, in base units, over Grafana's own window."""
    expression = exposed(monitor).expression(name, monitor.source.selector, RATE_WINDOW)
    return _literal(expression).replace(f"[{format_duration(RATE_WINDOW)}]", "[$__rate_interval]")


def recorded(monitor: Monitor, name: str, objective: Objective) -> str:
    """Return the selector of a series that the rules record for an objective."""
    return name + matchers({rules.MONITOR: monitor.name, rules.SLO_NAME: objective.name})


def error_ratio(monitor: Monitor, objective: Objective) -> str:
    """Return the share of operations that missed the objective, over its whole window."""
    return recorded(monitor, f"{rules.ERROR_RATIO}{format_duration(objective.window)}", objective)


def alerts(monitor: Monitor) -> str:
    """Return the selector of what Prometheus itself says of the monitor's firing alerts."""
    return "ALERTS" + matchers({rules.MONITOR: monitor.name, "alertstate": "firing"})


def maintenance(monitor: Monitor) -> str:
    """Return PromQL for the times at which the monitor's model is worked on."""
    return rules.MAINTENANCE + matchers({rules.MONITOR: monitor.name}) + " == 1"


def feature(monitor: Monitor, name: str) -> str:
    """Return the selector of a series that the rules record for the monitor's features."""
    return name + matchers({rules.MONITOR: monitor.name})


def readiness(monitor: Monitor) -> str:
    """Return the selector of what is recorded about whether the monitor's alerts can fire."""
    return rules.READY + matchers({rules.MONITOR: monitor.name})


def compared(monitor: Monitor, name: str) -> str:
    """Return the selector of a series that is written of the monitor's two versions."""
    return name + matchers({analyzer.MONITOR: monitor.name})


def planned(monitor: Monitor, name: str) -> str:
    """Return PromQL for a series that is written once a day, between two of its samples as well."""
    return f"last_over_time({name}{matchers({analyzer.MONITOR: monitor.name})}[{PLANNED}])"


def analysed(monitor: Monitor, name: str, of: str, horizon: str | None, by: Sequence[str]) -> str:
    """Return the selector of a series of the analyzer, for the chosen value of each label in `by`."""
    chosen = {analyzer.MONITOR: monitor.name, analyzer.FOR: of}
    if horizon is not None:
        chosen[analyzer.HORIZON] = horizon
    kept_apart = (f'{label}="${variable(label)}"' for label in by)
    # The same signal may be watched once as a whole and once by label: the whole has none of the labels.
    whole = (f'{label}=""' for label in dimensions(monitor, of) if label not in by)
    return name + matchers(chosen, *kept_apart, *whole)


def dimensions(monitor: Monitor, of: str | None = None) -> tuple[str, ...]:
    """Return the labels that a monitor's signals, or one of them, are kept apart by."""
    watched = [(entry.of, entry.by) for entry in monitor.anomalies]
    watched += [(entry.of, entry.by) for entry in monitor.forecasts]
    return tuple(dict.fromkeys(label for name, by in watched if of in (None, name) for label in by))


def target(expression: str, legend: str, ref: str) -> Dataquery:
    """Return a range query; `ref` is its letter in the panel."""
    return Dataquery().expr(expression).legend_format(legend).ref_id(ref).range()


def instant(expression: str, legend: str, ref: str) -> Dataquery:
    """Return a query for the newest value alone."""
    return Dataquery().expr(expression).legend_format(legend).ref_id(ref).instant()


def letter(index: int) -> str:
    """Return A, B, ..., Z, A1, B1, ... as Grafana names the queries of a panel."""
    turn, place = divmod(index, 26)
    return chr(ord("A") + place) + (str(turn) if turn else "")


def _literal(expression: str) -> str:
    # Grafana would take `$job` or `[[job]]` in a label's value for a variable; PromQL reads these escapes.
    return expression.replace("$", "\\x24").replace("[[", "\\x5b[")

"""Where in its document a rule was asked for."""

from __future__ import annotations

from airis_mon.rules import series
from airis_mon.rules.groups import Rule
from airis_mon.spec import Monitor


def path(monitor: Monitor, rule: Rule) -> str:
    """Return the path of the objective or signal that a rule is about, else of the whole spec."""
    labels = rule.get("labels", {})
    objective = labels.get(series.SLO_NAME) or labels.get(series.OBJECTIVE_LABEL)
    watched = {
        series.ANOMALY_ALERT: "anomalies",
        series.FORECAST_ALERT: "forecasts",
        series.THRESHOLD_ALERT: "thresholds",
    }
    key, name = "objectives", objective
    names = [one.name for one in monitor.objectives]
    if objective is None and rule.get("alert") in watched:
        key, name = watched[rule["alert"]], labels.get(series.FOR)
        names = [one.of for one in getattr(monitor, key)]
    if str(rule.get("record", "")).startswith((series.FEATURE_BINS, "airis_drift_")) or (
        series.DRIFT_ALERT in (rule.get("alert"), labels.get(series.ALERT))
    ):
        return "spec.drift"
    if series.CANARY_ALERT in (rule.get("alert"), labels.get(series.ALERT)):
        return "spec.canary"
    return f"spec.{key}[{names.index(name)}]" if name in names else "spec"

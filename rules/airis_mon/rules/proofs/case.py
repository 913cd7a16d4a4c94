"""One promtool test: series in, alerts and samples out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airis_mon.exporters.contracts import matchers
from airis_mon.rules.alerts import Alert
from airis_mon.rules.literals import number
from airis_mon.spec import Monitor, format_duration


@dataclass(frozen=True)
class Input:
    """One series that the test is given."""

    series: str
    """Name and labels."""
    values: str
    """In promtool's notation: `0+1x10`."""

    def content(self) -> dict[str, str]:
        """Return it as the test file holds it."""
        return {"series": self.series, "values": self.values}


@dataclass(frozen=True)
class Fired:
    """An alert that has to fire."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def content(self) -> dict[str, Any]:
        """Return it as the test file holds it."""
        return {"exp_labels": dict(sorted(self.labels.items())), "exp_annotations": dict(self.annotations)}


def fired(monitor: Monitor, alert: Alert, inherited: Mapping[str, str], value: float = 0.0) -> Fired:
    """Return an alert as it fires with a value, on a series with the `inherited` labels."""
    return Fired({**inherited, **alert.fired_labels(monitor)}, alert.fired_annotations(monitor, value))


@dataclass(frozen=True)
class AlertCheck:
    """Exactly these alerts of that name fire at that time."""

    at: float
    """Seconds after the start."""
    name: str
    fired: tuple[Fired, ...] = ()

    def content(self) -> dict[str, Any]:
        """Return it as the test file holds it."""
        return {
            "eval_time": format_duration(self.at),
            "alertname": self.name,
            "exp_alerts": [alert.content() for alert in self.fired],
        }


@dataclass(frozen=True)
class SampleCheck:
    """Exactly these samples come of an expression at that time."""

    at: float
    expression: str
    samples: tuple[tuple[Mapping[str, str], float], ...] = ()
    name: str = ""
    """Name of the series that the expression returns, empty where it computes."""

    def content(self) -> dict[str, Any]:
        """Return it as the test file holds it."""
        return {
            "expr": self.expression,
            "eval_time": format_duration(self.at),
            "exp_samples": [
                {"labels": self.name + matchers(dict(sorted(labels.items()))), "value": value}
                for labels, value in self.samples
            ],
        }


def close(expression: str, value: float, within: float) -> str:
    """Return PromQL that is 1 where an expression is within a share of a value, else 0."""
    return f"abs({expression} / {number(value)} - 1) < bool {number(within)}"


@dataclass(frozen=True)
class Case:
    """One test with its own empty database."""

    name: str
    interval: float
    """Seconds between two samples of an input."""
    inputs: tuple[Input, ...]
    alerts: Sequence[AlertCheck] = ()
    samples: Sequence[SampleCheck] = ()

    def content(self) -> dict[str, Any]:
        """Return it as the test file holds it."""
        found: dict[str, Any] = {
            "name": self.name,
            "interval": format_duration(self.interval),
            "input_series": [one.content() for one in self.inputs],
        }
        if self.alerts:
            found["alert_rule_test"] = [check.content() for check in self.alerts]
        if self.samples:
            found["promql_expr_test"] = [check.content() for check in self.samples]
        return found

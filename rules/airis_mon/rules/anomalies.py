"""Alerts on the analyzer's score: a signal that stays unlike its own past."""

from __future__ import annotations

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.alerts import Alert
from airis_mon.spec import Anomaly, Monitor

ANOMALOUS = 1
"""Score from which on a value is anomalous; 0 is as expected, and what a signal has while it warms up."""


def alert(monitor: Monitor, anomaly: Anomaly) -> Alert:
    """Return the alert of one anomaly; one fires for each combination of the labels `by`."""
    chosen = matchers({analyzer.MONITOR: monitor.name, analyzer.FOR: anomaly.of})
    return Alert(
        name=series.ANOMALY_ALERT,
        severity=anomaly.severity,
        expression=f"{analyzer.SCORE}{chosen} >= {ANOMALOUS}",
        summary=f"{anomaly.of} is unlike its own past",
        before=f"The anomaly score of {anomaly.of} is ",
        after=f"; {ANOMALOUS} and more is anomalous.",
        verb="%.2f",
        labels={series.FOR: anomaly.of},
        duration=anomaly.duration,
    )

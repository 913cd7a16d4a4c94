"""Alerts on the analyzer's score: a signal that stays unlike its own past."""

from __future__ import annotations

from collections.abc import Iterator

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.alerts import Alert, Footnote
from airis_mon.spec import Anomaly, Monitor, Severity

ANOMALOUS = 1
"""Score from which on a value is anomalous; 0 is as expected, and what a signal has while it warms up."""


def alerts(monitor: Monitor) -> list[Alert]:
    """Return the alerts of all anomalies: a ticket may be followed by a page, which then keeps it quiet."""
    return [
        alert(monitor, anomaly, severity, wait)
        for anomaly in monitor.anomalies
        for severity, wait in severities(anomaly)
    ]


def severities(anomaly: Anomaly) -> list[tuple[Severity, float]]:
    """Return who is told of an anomaly, and after how many seconds."""
    told: list[tuple[Severity, float]] = [(anomaly.severity, anomaly.duration)]
    if anomaly.page_after is not None:
        told.append(("page", anomaly.page_after))
    return told


def alert(monitor: Monitor, anomaly: Anomaly, severity: Severity, duration: float) -> Alert:
    """Return an alert of one anomaly; one fires for each combination of the labels `by`."""
    signal = {analyzer.MONITOR: monitor.name, analyzer.FOR: anomaly.of}
    band = f"{analyzer.UPPER}{matchers({**signal, analyzer.HORIZON: analyzer.NOW})}"
    apart = ", ".join(sorted(anomaly.by))
    return Alert(
        name=series.ANOMALY_ALERT,
        severity=severity,
        # The score of a past that is too short is 0, as that of a usual value is; a band it does not have.
        expression=f"{analyzer.SCORE}{matchers(signal)} >= {ANOMALOUS}\n  and on ({apart})\n{band}",
        summary=f"{anomaly.of} is unlike its own past",
        before=f"The anomaly score of {anomaly.of} is ",
        after=f"; {ANOMALOUS} and more is anomalous.",
        verb="%.2f",
        labels={series.FOR: anomaly.of},
        duration=duration,
        footnotes=tuple(_footnotes(monitor, anomaly)),
    )


def _footnotes(monitor: Monitor, anomaly: Anomaly) -> Iterator[Footnote]:
    """Yield what is said of a series that has left its peers, and of one that is unlike itself in shape."""
    signal, holds = {analyzer.MONITOR: monitor.name, analyzer.FOR: anomaly.of}, f">= {ANOMALOUS}"
    if anomaly.by:
        told = " It has left its peers, the others that are kept apart by the same labels."
        yield Footnote(analyzer.PEER_SCORE, signal, anomaly.by, told, holds)
    told = " Its shape has changed, wherever its level is: it moves more, or less, than it usually does."
    yield Footnote(analyzer.SHAPE_SCORE, signal, anomaly.by, told, holds)

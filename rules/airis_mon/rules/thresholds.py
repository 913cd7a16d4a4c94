"""Alerts on a signal that is beyond a bound, and stays there."""

from __future__ import annotations

from airis_mon.rules import series
from airis_mon.rules.alerts import Alert
from airis_mon.rules.literals import number
from airis_mon.rules.signals import signal
from airis_mon.spec import Monitor, Threshold

COMPARED = {"above": ">", "below": "<"}
"""A signal at its bound is within it."""


def alert(monitor: Monitor, threshold: Threshold) -> Alert:
    """Return the alert of one threshold; one fires for each combination of the labels `by`."""
    found, level = signal(monitor, threshold), number(threshold.bound.value)
    return Alert(
        name=series.THRESHOLD_ALERT,
        severity=threshold.severity,
        expression=f"{found.value} {COMPARED[threshold.side]} {level}",
        summary=f"{threshold.of} is {threshold.side} {level}",
        before=f"{threshold.of} is ",
        after=f" ({found.unit}); its threshold is {threshold.side} {level}.",
        verb="%.4g",
        labels={series.BOUND: threshold.side, series.FOR: threshold.of},
        duration=threshold.duration,
    )

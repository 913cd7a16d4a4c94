"""Proof of the alerts on bounds: a recorded signal at its bound, beyond it, and back."""

from __future__ import annotations

from airis_mon.rules import series, thresholds
from airis_mon.rules.proofs.case import Case
from airis_mon.rules.proofs.standing import GROUP, QUIET, evaluations, rising, steadily
from airis_mon.rules.signals import signal
from airis_mon.spec import Monitor, Threshold

BEYOND = 0.001
"""How far beyond its bound a signal is, as a share of it."""


def case(monitor: Monitor, threshold: Threshold, step: float) -> Case:
    """Return the test of one threshold: at the bound nothing fires however long, just beyond it does."""
    alert, found = thresholds.alert(monitor, threshold), signal(monitor, threshold)
    bound, sign = threshold.bound.value, 1 if threshold.side == "above" else -1
    beyond = bound + sign * BEYOND * (abs(bound) or 1.0)
    within = evaluations(alert, step) + 2
    labels = {**dict.fromkeys(threshold.by, GROUP), **found.labels}
    apart = {**labels, series.DIMENSIONS: "other"}
    return rising(
        f"{threshold.of} {threshold.side} a value",
        monitor,
        alert,
        step,
        labels,
        values=(found.name, steadily((bound, QUIET + within), (beyond, within), (bound, 3)), beyond),
        others=(
            (found.name, {**labels, series.MONITOR: f"{monitor.name}-other"}),
            (found.name, {**labels, series.FOR: f"{threshold.of}_other"}),
            (found.name, apart),
            (f"{series.SIGNAL}7s", labels),
        ),
        loud=bound + sign * (abs(bound) + 5),
        hidden=(series.DIMENSIONS,),
    )

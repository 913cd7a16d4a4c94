"""Proof of the alerts on bounds: a signal at its bound, beyond it, and back."""

from __future__ import annotations

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series, thresholds
from airis_mon.rules.proofs.case import Case, Input
from airis_mon.rules.proofs.standing import GROUP, QUIET, evaluations, rising, steadily
from airis_mon.rules.signals import signal
from airis_mon.spec import Band, Level, Monitor, Past, Threshold

BEYOND = 0.001
"""How far beyond its bound a signal is, as a share of it."""
GIVEN = 2.0
"""Value of what a bound is drawn from."""
TINY = 1e-6


def case(monitor: Monitor, threshold: Threshold, step: float) -> Case:
    """Return the test of one threshold: at the bound nothing fires however long, just beyond it does."""
    alert = thresholds.alert(monitor, threshold)
    bound, sign = _bound(threshold), 1 if threshold.side == "above" else -1
    beyond = bound + sign * BEYOND * (abs(bound) or 1.0)
    within = evaluations(alert, step) + 2
    name, labels = _watched(monitor, threshold)
    shown = beyond / GIVEN if isinstance(threshold.bound, Past) else beyond
    others = [
        (name, {**labels, series.MONITOR: f"{monitor.name}-other"}),
        (name, {**labels, series.FOR: f"{threshold.of}_other"}),
    ]
    if not isinstance(threshold.bound, Band):
        others += [(name, {**labels, series.DIMENSIONS: "other"}), (f"{series.SIGNAL}7s", labels)]
    return rising(
        f"{threshold.of} {thresholds.kind(threshold)}",
        monitor,
        alert,
        step,
        labels,
        values=(name, steadily((bound, QUIET + within), (beyond, within), (bound, 3)), shown),
        others=tuple(others),
        loud=bound + sign * (abs(bound) + 5),
        hidden=(series.DIMENSIONS,),
        beside=_drawn_from(monitor, threshold, QUIET + 2 * within + 3),
    )


def _bound(threshold: Threshold) -> float:
    if isinstance(threshold.bound, Level):
        return threshold.bound.value
    return threshold.bound.times * GIVEN if isinstance(threshold.bound, Past) else GIVEN


def _watched(monitor: Monitor, threshold: Threshold) -> tuple[str, dict[str, str]]:
    """Return the name and the labels of the series that is held against the bound."""
    apart = dict.fromkeys(threshold.by, GROUP)
    if isinstance(threshold.bound, Band):
        own = {analyzer.MONITOR: monitor.name, analyzer.MODEL: monitor.model.name, analyzer.FOR: threshold.of}
        return analyzer.ACTUAL, {**apart, **own}
    found = signal(monitor, threshold)
    return found.name, {**apart, **found.labels}


def _drawn_from(monitor: Monitor, threshold: Threshold, steps: int) -> tuple[Input, ...]:
    """Return what a bound is drawn from, and series of others that would make it another bound."""
    _, labels = _watched(monitor, threshold)
    misleading = TINY if threshold.side == "above" else 1 / TINY
    apart: tuple[str, ...]
    if isinstance(threshold.bound, Past):
        history = thresholds.History(monitor, threshold, threshold.bound)
        name, labels = series.PAST, {**labels, **history.labels}
        apart = (series.MONITOR, series.BOUND, series.SEVERITY, series.DIMENSIONS)
    elif isinstance(threshold.bound, Band):
        name, labels = thresholds.EDGES[threshold.side], {**labels, analyzer.HORIZON: analyzer.NOW}
        apart = (analyzer.MONITOR, analyzer.HORIZON)
    else:
        return ()
    others = [{**labels, label: f"{labels.get(label, '')}-other"} for label in apart]
    others.append({**labels, series.FOR: f"{threshold.of}_other"})
    return (
        Input(name + matchers(dict(sorted(labels.items()))), f"{GIVEN}+0x{steps}"),
        *(Input(name + matchers(dict(sorted(one.items()))), f"{misleading}+0x{steps}") for one in others),
    )

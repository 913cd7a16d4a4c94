"""Proof of what alerts say besides: while the series that says so is there, and of no other one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from airis_mon.analyzer import series as analyzer
from airis_mon.rules import anomalies
from airis_mon.rules.alerts import Alert
from airis_mon.rules.forecasts import Reach
from airis_mon.rules.literals import number
from airis_mon.rules.proofs.case import AlertCheck, Case, Fired, Input
from airis_mon.rules.proofs.standing import HOUR, NEAR, evaluations, given, watched_labels
from airis_mon.spec import Anomaly, Monitor


def forecast(reach: Reach, step: float) -> Iterator[Case]:
    """Yield the tests of a forecast that has lost to one that learns nothing, and of one that has not."""
    labels = watched_labels(reach.monitor, reach.forecast.of, reach.forecast.by)
    ahead = {**labels, analyzer.HORIZON: reach.horizon}
    inputs = (
        given(analyzer.ACTUAL, labels, reach.capacity - NEAR),
        given(analyzer.EXPECTED, ahead, reach.capacity),
    )
    what = f"forecast of {reach.forecast.of} {reach.horizon} ahead"
    shown = reach.forecast.horizon / HOUR
    yield from _cases(what, reach.monitor, reach.alert(), step, ahead, shown, inputs, (1.0, 0.0))


def anomaly(monitor: Monitor, watched: Anomaly, step: float) -> Iterator[Case]:
    """Yield the tests of a series that has left its peers or changed its shape, and of one that has not."""
    alert = anomalies.alert(monitor, watched, *anomalies.severities(watched)[0])
    labels = watched_labels(monitor, watched.of, watched.by)
    band = given(analyzer.UPPER, {**labels, analyzer.HORIZON: analyzer.NOW}, 0)
    inputs = (given(analyzer.SCORE, labels, 2), band)
    yield from _cases(f"anomaly of {watched.of}", monitor, alert, step, labels, 2, inputs, (1.0, 0.99))


def _cases(
    what: str,
    monitor: Monitor,
    alert: Alert,
    step: float,
    labels: Mapping[str, str],
    shown: float,
    inputs: tuple[Input, ...],
    values: tuple[float, float],
) -> Iterator[Case]:
    """Yield the tests of an alert on series with `labels` that shows a value: with each footnote and without.

    `values` are one of a footnote's series that is told, and one that is not.
    """
    for note in alert.footnotes:
        kept = (*note.chosen, *note.by)
        others = [given(note.series, {**labels, one: f"{labels[one]}-other"}, values[0]) for one in kept]
        for value in values:
            noted = (note.series,) if value == values[0] else ()
            told = alert.fired_annotations(monitor, shown, noted=noted)
            expected = Fired({**labels, **alert.fired_labels(monitor)}, told)
            yield Case(
                f"{what}: {note.series} of {number(value)}",
                step,
                (*inputs, given(note.series, labels, value), *others),
                [AlertCheck(evaluations(alert, step) * step, alert.name, (expected,))],
            )

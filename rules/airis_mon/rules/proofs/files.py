"""The test files of one monitor: what is quick at a fine step, what takes days at a coarse one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from airis_mon.rules import absence, anomalies, forecasts, series
from airis_mon.rules.alerts import Alert
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.proofs import incidents, long_windows, standing, thresholds
from airis_mon.rules.proofs.case import Case
from airis_mon.rules.windows import recorded
from airis_mon.spec import Monitor, format_duration

LONGEST_STEP = 300.0


def tests(monitor: Monitor, *, rule_file: str, order: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the contents of the test files by the end of their names.

    promtool evaluates every rule at every step of a file, so the proofs over days have a file of their own.
    `order` names the groups as one depends on the other; promtool's own order is random.
    """
    burns = [Burn(monitor, objective) for objective in monitor.objectives]

    def content(step: float, cases: Iterator[Case]) -> dict[str, Any]:
        return {
            "rule_files": [rule_file],
            "evaluation_interval": format_duration(step),
            "group_eval_order": list(order),
            "tests": [case.content() for case in cases],
        }

    fine = fine_step(monitor)
    found = {"test.yaml": content(fine, quick(monitor, burns, fine))}
    if burns:
        coarse = min(long_windows.step(burn) for burn in burns)
        found["windows.test.yaml"] = content(coarse, _long(burns, coarse))
    return found


def fine_step(monitor: Monitor) -> float:
    """Return seconds between evaluations: not more than any `for`, and a part of the shortest window."""
    waits = [alert.duration for alert in _standing(monitor) if alert.duration]
    shortest = [recorded(objective.window)[0] for objective in monitor.objectives]
    window = min(shortest, default=LONGEST_STEP)
    return window / math.ceil(window / min([window, *waits]))


def _standing(monitor: Monitor) -> Iterator[Alert]:
    yield from absence.alerts(monitor)
    for anomaly in monitor.anomalies:
        yield anomalies.alert(monitor, anomaly)
    for forecast in monitor.forecasts:
        if forecast.capacity is not None:
            yield forecasts.alert(monitor, forecast, forecast.capacity)


def quick(monitor: Monitor, burns: Sequence[Burn], step: float) -> Iterator[Case]:
    """Yield every test of a monitor that takes minutes or hours."""
    for burn in burns:
        yield thresholds.case(burn, step)
        yield from incidents.cases(burn, step)
    for anomaly in monitor.anomalies:
        yield standing.anomaly(monitor, anomaly, step)
    for forecast in monitor.forecasts:
        if forecast.capacity is not None:
            yield standing.forecast(monitor, forecast, forecast.capacity, step)
    yield standing.silence(monitor, step)
    yield from standing.blind(monitor, step)
    yield standing.nothing(monitor, step, (series.BURN_ALERT, series.ANOMALY_ALERT, series.FORECAST_ALERT))


def _long(burns: Sequence[Burn], step: float) -> Iterator[Case]:
    yield long_windows.promises(list(burns))
    for burn in burns:
        yield from long_windows.windows(burn, step)
        yield long_windows.period(burn, step)

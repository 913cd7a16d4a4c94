"""The test files of one monitor, each at the coarsest step that its proofs allow.

promtool evaluates every rule at every step of a file, so that what takes minutes, hours and days is kept
apart: alerts that stand for a while, burning budgets, long windows; the latter two for each length of period.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from airis_mon.rules import absence, anomalies, forecasts, series
from airis_mon.rules.alerts import Alert
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.proofs import incidents, long_windows, standing, thresholds
from airis_mon.rules.proofs.case import Case
from airis_mon.rules.windows import name, recorded
from airis_mon.spec import Monitor, format_duration

USUAL_STEP = 300.0


def tests(monitor: Monitor, *, rule_file: str, order: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the contents of the test files by the end of their names.

    `order` names the groups as one depends on the other; promtool's own order is random.
    """

    def content(step: float, cases: Iterable[Case]) -> dict[str, Any]:
        return {
            "rule_files": [rule_file],
            "evaluation_interval": format_duration(step),
            "group_eval_order": list(order),
            "tests": [case.content() for case in cases],
        }

    step = standing_step(monitor)
    found = {"test.yaml": content(step, _standing(monitor, step))}
    for period in sorted({objective.window for objective in monitor.objectives}):
        burns = [Burn(monitor, objective) for objective in monitor.objectives if objective.window == period]
        shortest, longest = recorded(period)[0], long_windows.step(period)
        found[f"burn-{name(period)}.test.yaml"] = content(shortest, _burning(burns))
        found[f"windows-{name(period)}.test.yaml"] = content(longest, _reaching(burns, longest))
    return found


def standing_step(monitor: Monitor) -> float:
    """Return seconds between evaluations that are no longer than any `for`."""
    waits = (alert.duration for alert in _standing_alerts(monitor) if alert.duration)
    return min(waits, default=USUAL_STEP)


def _standing_alerts(monitor: Monitor) -> Iterator[Alert]:
    yield from absence.alerts(monitor)
    for anomaly in monitor.anomalies:
        yield anomalies.alert(monitor, anomaly)
    for forecast in monitor.forecasts:
        if forecast.capacity is not None:
            yield forecasts.alert(monitor, forecast, forecast.capacity)


def _standing(monitor: Monitor, step: float) -> Iterator[Case]:
    for anomaly in monitor.anomalies:
        yield standing.anomaly(monitor, anomaly, step)
    for forecast in monitor.forecasts:
        if forecast.capacity is not None:
            yield standing.forecast(monitor, forecast, forecast.capacity, step)
    yield standing.silence(monitor, step)
    yield from standing.blind(monitor, step)
    others = (series.BURN_ALERT, series.ANOMALY_ALERT, series.FORECAST_ALERT)
    yield standing.nothing(monitor, step, others)


def _burning(burns: Sequence[Burn]) -> Iterator[Case]:
    for burn in burns:
        yield thresholds.case(burn)
        yield from incidents.cases(burn)


def _reaching(burns: Sequence[Burn], step: float) -> Iterator[Case]:
    yield long_windows.promises(burns)
    for burn in burns:
        yield from long_windows.windows(burn, step)
        yield long_windows.period(burn, step)

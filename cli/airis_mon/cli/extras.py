"""What candidates of forecasts need: what may not be installed, and a processor's time."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from airis_mon.spec import Bundle, Forecast, Monitor, Problem, format_duration

_TOGETHER = 60.0
"""CPU seconds of all forecasts of an analyzer: one evaluation, as far apart as they usually are."""


def warnings(bundle: Bundle) -> Iterator[Problem]:
    """Yield what the analyzer will lack: statsmodels, once for each monitor, and time for all candidates."""
    asking = [
        (monitor, n, forecast)
        for monitor in bundle.monitors
        if monitor.engine == "analyzer"
        for n, forecast in enumerate(monitor.forecasts)
        if forecast.candidates
    ]
    yield from _uninstalled(asking)
    yield from _beyond(asking)


def _uninstalled(asking: list[tuple[Monitor, int, Forecast]]) -> Iterator[Problem]:
    if importlib.util.find_spec("statsmodels") is not None:
        return
    told = set()
    for monitor, n, _ in asking:
        if monitor.name not in told:
            told.add(monitor.name)
            path = f"spec.forecasts[{n}].candidates"
            message = "candidates need statsmodels, which is not installed here; no analyzer starts without"
            hint = 'pip install "airis-mon[statsmodels]" where the analyzer runs'
            yield Problem(message, path, monitor.origin.locate(path), hint, "warning")


def _beyond(asking: list[tuple[Monitor, int, Forecast]]) -> Iterator[Problem]:
    whole = sum(forecast.time_budget for _, _, forecast in asking)
    if whole <= _TOGETHER:
        return
    monitor, n, longest = max(asking, key=lambda one: one[2].time_budget)
    path = f"spec.forecasts[{n}].time_budget"
    message = (
        f"{len(asking)} forecasts with candidates may take {format_duration(whole)} of a processor together, "
        f"each time they are made; above {format_duration(_TOGETHER)} evaluations are missed for them"
    )
    hint = (
        f"write a shorter time_budget than {format_duration(longest.time_budget)}, leave out candidates "
        "where pasts are long, or run the analyzer with --workers"
    )
    yield Problem(message, path, monitor.origin.locate(path), hint, "warning")

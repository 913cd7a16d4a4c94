"""Monitors -> analyzer/analyzer.yaml: what the analyzer asks for, and what it is to make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airis_mon.analyzer import maintenance, series
from airis_mon.analyzer.versions import Measure, plain, rollout
from airis_mon.exporters import contracts
from airis_mon.spec import (
    Anomaly,
    Artefact,
    Band,
    Bundle,
    Forecast,
    Monitor,
    Problem,
    SpecError,
    Threshold,
    format_duration,
    yaml_text,
)

_Entry = Anomaly | Forecast | Threshold
PATH = "analyzer/analyzer.yaml"
Own = Callable[[Monitor], Mapping[str, Measure]]
_OURS = (series.MONITOR, series.MODEL, series.FOR, series.HORIZON)


def _nothing(_monitor: Monitor) -> Mapping[str, Measure]:
    return {}


@dataclass
class _Watched:
    """One signal by one set of labels: the anomaly and the forecasts that are about it."""

    of: str
    window: float
    by: tuple[str, ...]
    history: float = 0.0
    anomaly: Anomaly | None = None
    horizons: list[float] = field(default_factory=list)
    candidates: list[Forecast] = field(default_factory=list)
    """The forecasts that have some."""


def artefacts(bundle: Bundle, own: Own = _nothing) -> tuple[Artefact, ...]:
    """Return the analyzer's configuration, of all monitors together.

    `own` tells what a monitor's objectives count by expressions of their own. SpecError where a signal is
    unknown to its contract, or where two entries of a monitor would write the same series.
    """
    problems: list[Problem] = []
    queries = [query for monitor in bundle.monitors for query in _queries(monitor, problems)]
    if problems:
        raise SpecError(problems)
    source = ", ".join(monitor.name for monitor in bundle.monitors) or "no ModelMonitor"
    rollouts = [
        plain(found)
        for monitor in bundle.monitors
        if monitor.engine == "analyzer" and (found := rollout(monitor, own(monitor))) is not None
    ]
    text = yaml_text({"queries": queries, **({"canaries": rollouts} if rollouts else {})}, source=source)
    return (Artefact(PATH, text),)


def watched(bundle: Bundle) -> bool:
    """Tell whether the analyzer has anything to judge; monitors whose engine is `rules` give it nothing."""
    if any(monitor.engine == "analyzer" and monitor.canary is not None for monitor in bundle.monitors):
        return True
    return any(True for monitor in bundle.monitors for _ in _queries(monitor, []))


def _queries(monitor: Monitor, problems: list[Problem]) -> Iterator[dict[str, Any]]:
    wrong = contracts.problems(monitor)
    if wrong:
        problems += wrong
        return
    contract = contracts.contract_of(monitor.source)
    for watched in _watched(monitor, problems):
        if monitor.engine != "analyzer":
            continue
        query = {
            "monitor": monitor.name,
            "model": monitor.model.name,
            "for": watched.of,
            "expr": contract.expression(watched.of, monitor.source.selector, watched.window, watched.by),
            "unit": contract.unit(watched.of),
            "history": format_duration(watched.history),
            "score": watched.anomaly is not None,
        }
        if watched.anomaly is not None:
            budget = monitor.alerting.page_budget.pages_per_week / len(monitor.anomalies)
            query |= {"direction": watched.anomaly.direction, "false_pages_per_week": round(budget, 6)}
            query["alerts"] = _alerts(watched.anomaly)
        query |= {
            "horizons": [format_duration(horizon) for horizon in sorted(watched.horizons)],
            "by": list(watched.by),
        }
        if watched.candidates:
            query["candidates"] = [*map(_candidates, sorted(watched.candidates, key=lambda it: it.horizon))]
        if monitor.maintenance:
            query["window"] = format_duration(watched.window)
            query["maintenance"] = [*map(maintenance.written, maintenance.times(monitor.maintenance))]
        yield query


def _watched(monitor: Monitor, problems: list[Problem]) -> list[_Watched]:
    """Return what is watched, in the document's order, forecasts joined to the anomaly of the same signal."""
    found: dict[tuple[str, frozenset[str]], _Watched] = {}
    entries: list[tuple[str, _Entry]] = [
        *((f"spec.anomalies[{n}]", anomaly) for n, anomaly in enumerate(monitor.anomalies)),
        *((f"spec.forecasts[{n}]", forecast) for n, forecast in enumerate(monitor.forecasts)),
        *((f"spec.thresholds[{n}]", held) for n, held in enumerate(monitor.thresholds)),
    ]
    for path, entry in entries:
        if isinstance(entry, Threshold) and not isinstance(entry.bound, Band):
            continue
        key = (entry.of, frozenset(entry.by))
        watched = found.get(key) or _Watched(entry.of, entry.window, entry.by)
        wrong = _reserved(monitor, path, entry) or _clash(monitor, path, entry, watched)
        if wrong is not None:
            problems.append(wrong)
            continue
        found[key] = watched
        watched.history = max(watched.history, monitor.history(entry))
        if isinstance(entry, Anomaly):
            watched.anomaly = entry
        elif isinstance(entry, Forecast):
            watched.horizons.append(entry.horizon)
            if entry.candidates:
                watched.candidates.append(entry)
    return list(found.values())


def _candidates(forecast: Forecast) -> dict[str, Any]:
    return {
        "horizon": format_duration(forecast.horizon),
        "models": list(forecast.candidates),
        "time_budget": format_duration(forecast.time_budget),
    }


def _alerts(anomaly: Anomaly) -> dict[str, str]:
    """Return after how long who is told; rules say it to Prometheus, this is for replays of the past."""
    waits = {anomaly.severity: anomaly.duration}
    if anomaly.page_after is not None:
        waits["page"] = anomaly.page_after
    return {severity: format_duration(wait) for severity, wait in waits.items()}


def _reserved(monitor: Monitor, path: str, entry: _Entry) -> Problem | None:
    for label in entry.by:
        if label in _OURS:
            message = f"expectations have the label `{label}` themselves: no series can be kept apart by it"
            return _problem(monitor, f"{path}.by", message, "leave it out, or rename it while scraping")
    return None


def _clash(monitor: Monitor, path: str, entry: _Entry, watched: _Watched) -> Problem | None:
    """Return what is wrong with an entry that would write series which another one writes."""
    if isinstance(entry, Anomaly) and watched.anomaly is not None:
        message = f"`{entry.of}` is watched already, by the same labels: both would write the same series"
        return _problem(
            monitor, f"{path}.of", message, "keep one of them; `direction: both` covers both sides"
        )
    if entry.window != watched.window:
        message = (
            f"`{entry.of}` is watched over {format_duration(watched.window)} already, by the same labels: "
            "its expectation would be written twice"
        )
        return _problem(monitor, f"{path}.window", message, "give both the same window")
    if isinstance(entry, Forecast) and entry.horizon in watched.horizons:
        message = f"`{entry.of}` has a forecast over {format_duration(entry.horizon)} already"
        return _problem(monitor, f"{path}.horizon", message, "keep one of them")
    return None


def _problem(monitor: Monitor, path: str, message: str, hint: str) -> Problem:
    return Problem(message, path, monitor.origin.locate(path), hint)

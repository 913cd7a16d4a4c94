"""What a cost is held against: a budget, and how long the server keeps samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from airis_mon.rules.cost.estimate import Cost
from airis_mon.spec import Anomaly, Band, Forecast, Monitor, Problem, format_duration

TOLD = 3
"""Monitors that a refusal names."""


@dataclass(frozen=True)
class Budget:
    """What the rules of all monitors together may cost."""

    samples_per_second: float = 20_000_000.0
    """Samples read; a thousand monitors of two objectives read a third of it at what is assumed."""
    series: float = 250_000.0
    """Series recorded; those thousand monitors record a third of it."""


def over_budget(costs: Sequence[Cost], budget: Budget) -> list[Problem]:
    """Return what of the budget is overdrawn, by whom, and what to write instead."""
    read = sum(cost.samples_per_second for cost in costs)
    recorded = sum(cost.series for cost in costs)
    found = []
    if read > budget.samples_per_second:
        largest = sorted(costs, key=lambda cost: -cost.samples_per_second)[:TOLD]
        rules = [
            f"`{cost.monitor}` reads {spelled(cost.samples_per_second)}, most of it `{cost.heaviest.rule}`"
            for cost in largest
            if cost.heaviest is not None
        ]
        found.append(
            Problem(
                f"the rules would read {spelled(read)} samples per second,"
                f" and the budget is {spelled(budget.samples_per_second)}",
                hint="\n".join(rules) + "\n"
                "write fewer labels in `by`, shorter windows, or a longer evaluation interval"
                " (and say so with `--cost.evaluation-interval`)\n"
                f"or allow it: `--cost.samples-per-second {_above(read)}`",
            )
        )
    if recorded > budget.series:
        largest = sorted(costs, key=lambda cost: -cost.series)[:TOLD]
        named = ", ".join(f"`{cost.monitor}` ({spelled(cost.series)})" for cost in largest)
        found.append(
            Problem(
                f"the rules would record {spelled(recorded)} series,"
                f" and the budget is {spelled(budget.series)}",
                hint=f"most are recorded for {named}\nwrite fewer objectives and fewer labels in `by`\n"
                f"or allow it: `--cost.series {_above(recorded)}`",
            )
        )
    return found


def short_of_retention(monitors: Sequence[Monitor], costs: Sequence[Cost], retention: float) -> list[Problem]:
    """Return a warning for each part of a document that looks further back than samples are kept."""
    rules = {cost.monitor: cost for cost in costs}
    return [
        Problem(
            f"{what} looks {format_duration(seconds)} back, and samples are kept for"
            f" {format_duration(retention)}",
            path,
            monitor.origin.locate(path),
            f"keep them longer (`--storage.tsdb.retention.time={format_duration(seconds)}`), or write less;\n"
            "until then it knows of what is kept and of nothing before",
            severity="warning",
        )
        for monitor in monitors
        for path, what, seconds in _looking_back(monitor, rules[monitor.name])
        if seconds > retention
    ]


def _looking_back(monitor: Monitor, cost: Cost) -> Iterator[tuple[str, str, float]]:
    """Yield places, what looks back there, and for how many seconds."""
    for place, reach in cost.reaches.items():
        field = f"{place}.window" if f"{place}.window" in monitor.origin.places else place
        yield field, f"`{reach.rule}` of `{monitor.name}`", reach.seconds
    watched: tuple[tuple[str, Sequence[Anomaly | Forecast]], ...] = (
        ("anomalies", monitor.anomalies),
        ("forecasts", monitor.forecasts),
    )
    for key, items in watched:
        for index, item in enumerate(items):
            yield f"spec.{key}[{index}].history", f"the history of `{item.of}`", monitor.history(item)
    for index, threshold in enumerate(monitor.thresholds):
        if isinstance(threshold.bound, Band):
            what = f"the history of the band of `{threshold.of}`"
            yield f"spec.thresholds[{index}]", what, monitor.history(threshold)


def spelled(number: float) -> str:
    """Return a number to three digits, as people read it: 1,230 or 4.56 million."""
    if number >= 1_000_000:
        return f"{number / 1_000_000:.3g} million" if number < 1e9 else f"{number / 1e9:,.3g} billion"
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _above(number: float) -> int:
    """Return a round number that is not below this one."""
    scale = 10 ** max(0, len(str(int(number))) - 2)
    return int(-(-number // scale) * scale)

"""Alerts on a signal that is beyond a bound, and stays there.

A bound is a value, or is drawn from the signal's own past, or is the edge of the analyzer's band. A quantile
of the past is recorded, once there is enough of it. Where it is zero it says nothing of what is usual, and
nothing fires.
"""

from __future__ import annotations

from dataclasses import dataclass

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.alerts import Alert
from airis_mon.rules.groups import Rule, recording
from airis_mon.rules.indicators import contract_of
from airis_mon.rules.literals import number
from airis_mon.rules.signals import signal
from airis_mon.spec import Band, Level, Monitor, Past, Threshold, format_duration

COMPARED = {"above": ">", "below": "<"}
"""A signal at its bound is within it."""
EDGES = {"above": analyzer.UPPER, "below": analyzer.LOWER}


def kind(threshold: Threshold) -> str:
    """Return the key that a threshold's bound is written under: `above`, `below_past`, ..."""
    suffix = {Level: "", Past: "_past", Band: "_band"}[type(threshold.bound)]
    return f"{threshold.side}{suffix}"


@dataclass(frozen=True)
class History:
    """A quantile of a signal's own past, as it is recorded for one threshold."""

    monitor: Monitor
    threshold: Threshold
    bound: Past

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the recorded series beside those of its groups."""
        return {**signal(self.monitor, self.threshold).labels, **self.own}

    @property
    def own(self) -> dict[str, str]:
        """Labels that say whose bound it is; the others are those of the signal that it is recorded from."""
        return {series.BOUND: kind(self.threshold), series.SEVERITY: self.threshold.severity}

    @property
    def fewest(self) -> int:
        """Values that there have to be: half of all."""
        return int(self.bound.over / self.bound.step / 2)

    def rule(self) -> Rule:
        """Return the rule that records it."""
        past = f"{signal(self.monitor, self.threshold).selector}[{_subquery(self.bound)}]"
        expression = (
            f"quantile_over_time({number(self.bound.quantile)}, {past}) > 0\n"
            f"  and\ncount_over_time({past}) >= {self.fewest}"
        )
        return recording(series.PAST, expression, self.own)


def _subquery(bound: Past) -> str:
    return f"{format_duration(bound.over)}:{format_duration(bound.step)}"


def histories(monitor: Monitor) -> list[History]:
    """Return every quantile that is recorded for a monitor's thresholds."""
    return [
        History(monitor, threshold, threshold.bound)
        for threshold in monitor.thresholds
        if isinstance(threshold.bound, Past)
    ]


def alert(monitor: Monitor, threshold: Threshold) -> Alert:
    """Return the alert of one threshold; one fires for each combination of the labels `by`."""
    compared, unit = COMPARED[threshold.side], contract_of(monitor).unit(threshold.of)
    if isinstance(threshold.bound, Level):
        level = number(threshold.bound.value)
        expression = f"{signal(monitor, threshold).value} {compared} {level}"
        texts = (level, f"{threshold.of} is ", f" ({unit}); its threshold is {threshold.side} {level}.")
    elif isinstance(threshold.bound, Past):
        bound = threshold.bound
        expression = f"{_of_past(History(monitor, threshold, bound))} {compared} {number(bound.times)}"
        share = f"the {number(float(f'{bound.quantile * 100:.9g}'))}% quantile of its past "
        past = f"{share}{format_duration(bound.over)}"
        after = f" times {past}; its threshold is {threshold.side} {number(bound.times)} times."
        texts = (f"{number(bound.times)} times {past}", f"{threshold.of} is ", after)
    else:
        expression = _beyond_band(monitor, threshold)
        edge = f"the band of what is usual ({EDGES[threshold.side]})"
        texts = (edge, f"{threshold.of} is ", f" ({unit}), {threshold.side} {edge}.")
    return Alert(
        name=series.THRESHOLD_ALERT,
        severity=threshold.severity,
        expression=expression,
        summary=f"{threshold.of} is {threshold.side} {texts[0]}",
        before=texts[1],
        after=texts[2],
        verb="%.4g",
        labels={series.BOUND: kind(threshold), series.FOR: threshold.of},
        duration=threshold.duration,
    )


def _of_past(history: History) -> str:
    """Return PromQL for a signal as a multiple of the quantile of its past."""
    chosen = {label: text for label, text in history.labels.items() if label != series.MODEL}
    past = series.PAST + matchers({series.DIMENSIONS: "", **chosen})
    ignored = ", ".join((series.BOUND, series.DIMENSIONS, series.SEVERITY))
    return f"{signal(history.monitor, history.threshold).selector} / ignoring ({ignored}) {past}"


def _beyond_band(monitor: Monitor, threshold: Threshold) -> str:
    chosen = {analyzer.MONITOR: monitor.name, analyzer.FOR: threshold.of}
    edge = EDGES[threshold.side] + matchers({**chosen, analyzer.HORIZON: analyzer.NOW})
    compared = f"{COMPARED[threshold.side]} ignoring ({analyzer.HORIZON})"
    return f"{analyzer.ACTUAL}{matchers(chosen)} {compared} {edge}"

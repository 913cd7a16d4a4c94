"""Features that are distributed otherwise than they were, told by counters of bins and a reference.

Usual bounds of PSI mean little by themselves. Few values make it large: where nothing has changed it comes to
about bins / values, so that nothing is told before that is a tenth of the bound. And what depends on the time
of the day or the week, or on what came before, moves by itself: once four weeks are known, at least half of
them, a shift is told only where it is larger than 99% of the feature's own shifts from week to week.

A shift that stays would become its own history: for a week, now and a week ago differ by it. Shifts of more
than ten times the median of all are therefore no history. A median holds while most of it is sound.

Drift by itself is a ticket: a model may well be right about what it has not seen. It pages where an objective
on errors or right answers burns at the same time: then it is the likely reason.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from airis_mon.exporters import series as exposed
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.alerts import Alert
from airis_mon.rules.groups import Group, Rule, group_name, numbered, recording
from airis_mon.rules.literals import number
from airis_mon.rules.windows import name
from airis_mon.spec import Distribution, Drift, Errors, Monitor, Quality, Severity

FLOOR = 0.0001
"""Share that an empty bin is taken to have, in the reference and now: the usual one, 1 of 10,000."""
STEP, FEWEST, MOST = 300.0, 12, 288
"""Seconds of the rates that all is summed up from, and how many of them a window has at least and at most."""
CHANCE = 10.0
"""How many times the bound has to be what chance alone comes to."""
WEEK, HISTORY, HISTORY_STEP = 7 * 86400.0, 28 * 86400.0, 3600.0
"""Seconds: what is compared, for how long that is remembered, and how far apart remembered values are."""
QUANTILE, DRIFTED = 0.99, 10.0
"""Share of the past that a shift must exceed, and times the median from which one is no history."""
WAITS = 24.0
"""Parts of the window, of which one has to pass before a shift is told: an hour of a day."""

PAST, ALERTS = "past", "alerts"


@dataclass(frozen=True)
class Watch:
    """The features of one monitor, with the names under which they are recorded."""

    monitor: Monitor
    drift: Drift

    @property
    def selector(self) -> dict[str, str]:
        """Labels of the series of features."""
        return dict(self.drift.selector or self.monitor.source.selector)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of every recorded series, beside `feature` and `bin`."""
        return {series.MODEL: self.monitor.model.name, series.MONITOR: self.monitor.name}

    @property
    def step(self) -> float:
        """Seconds of the rates that are recorded; they hold enough readings."""
        window, readings = self.drift.window, self.monitor.source.shortest_range
        return float(math.ceil(max(min(STEP, window / FEWEST), window / MOST, readings)))

    @property
    def rate(self) -> str:
        """Name of the rates."""
        return f"{series.FEATURE_BINS}{name(self.step)}"

    @property
    def fewest(self) -> int:
        """Weekly shifts that have to be known: half of all."""
        return round(HISTORY / HISTORY_STEP / 2)

    @property
    def impaired(self) -> tuple[str, ...]:
        """Names of the objectives with which drift pages."""
        found = (one for one in self.monitor.objectives if isinstance(one.indicator, Errors | Quality))
        return tuple(sorted(one.name for one in found))

    @property
    def severities(self) -> tuple[Severity, ...]:
        """Severities of its alerts."""
        return ("page", "ticket") if self.impaired else ("ticket",)

    def recorded(self, metric: str) -> str:
        """Return the selector of a recorded series."""
        return metric + matchers({series.MONITOR: self.monitor.name})

    def rule(self, metric: str, expression: str, **more: str) -> Rule:
        """Return the rule that records a series."""
        return recording(metric, expression, {**self.labels, **more})


def groups(watch: Watch) -> tuple[Group, ...]:
    """Return what is recorded of features, what of their past, and the alerts."""
    monitor = watch.monitor
    told = [alert(watch, severity).rule(monitor) for severity in watch.severities]
    return (
        *numbered(monitor.name, series.DRIFT, [*_references(watch), *_shares(watch), *_distances(watch)]),
        Group(group_name(monitor.name, series.DRIFT, PAST), _past(watch)),
        Group(group_name(monitor.name, series.DRIFT, ALERTS), (_usual(watch), *told)),
    )


def _references(watch: Watch) -> list[Rule]:
    return [
        watch.rule(series.REFERENCE_SHARE, _constants(one), **{exposed.FEATURE: one.feature})
        for one in watch.drift.distributions
    ]


def _constants(distribution: Distribution) -> str:
    """Return PromQL of a share for each bin."""
    return "\nor\n".join(
        f'label_replace(vector({number(max(share, FLOOR))}), "{exposed.BIN}", {_text(bin_)}, "", "")'
        for bin_, share in distribution.bins
    )


def _text(value: str) -> str:
    """Return a string of PromQL that replaces by that very text: `$` would stand for a group."""
    return matchers({exposed.BIN: value.replace("$", "$$")})[len(exposed.BIN) + 2 : -1]


def _shares(watch: Watch) -> list[Rule]:
    rate, values = watch.recorded(watch.rate), watch.recorded(series.FEATURE_VALUES)
    counted = exposed.FEATURE_BINS + matchers(watch.selector)
    apart = f"{exposed.FEATURE}, {exposed.BIN}"
    span = f"[{name(watch.drift.window)}:{name(watch.step)}]"
    reference = watch.recorded(series.REFERENCE_SHARE)
    return [
        watch.rule(
            watch.rate,
            f"sum by ({apart}) (rate({counted}[{name(watch.step)}]))",
        ),
        watch.rule(
            series.FEATURE_VALUES,
            f"sum by ({apart}) (sum_over_time({rate}{span})) * {number(watch.step)}",
        ),
        watch.rule(series.OBSERVATIONS, f"sum by ({exposed.FEATURE}) ({values}) > 0"),
        watch.rule(
            series.SHARE,
            # A bin that was never seen may have no series.
            f"clamp_min(sum by ({apart}) ({values} or on ({apart}) 0 * {reference}) "
            f"/ on ({exposed.FEATURE}) group_left () {watch.recorded(series.OBSERVATIONS)}, {number(FLOOR)})",
        ),
    ]


def _distances(watch: Watch) -> list[Rule]:
    now, then = watch.recorded(series.SHARE), watch.recorded(series.REFERENCE_SHARE)
    by = f"sum by ({exposed.FEATURE})"
    return [
        watch.rule(series.PSI, f"{by} (({now} - {then}) * ln({now} / {then}))"),
        watch.rule(
            series.JS,
            f"sqrt({by} ({now} * log2(2 * {now} / ({now} + {then})) "
            f"+ {then} * log2(2 * {then} / ({now} + {then}))) / 2)",
        ),
    ]


def _past(watch: Watch) -> tuple[Rule, ...]:
    now = watch.recorded(series.SHARE)
    before = f"{now} offset {name(WEEK)}"
    median = f"quantile_over_time(0.5, {watch.recorded(series.SHIFT)}{_history()})"
    return (
        watch.rule(series.SHIFT, f"sum by ({exposed.FEATURE}) (({now} - {before}) * ln({now} / {before}))"),
        watch.rule(series.TYPICAL_SHIFT, f"max by ({exposed.FEATURE}) ({median})"),
    )


def _usual(watch: Watch) -> Rule:
    shift, typical = watch.recorded(series.SHIFT), watch.recorded(series.TYPICAL_SHIFT)
    sound = f"{shift} unless on ({exposed.FEATURE}) {shift} > {number(DRIFTED)} * {typical}"
    return watch.rule(
        series.USUAL_SHIFT,
        f"max by ({exposed.FEATURE}) (\n  quantile_over_time({number(QUANTILE)}, ({sound}){_history()})\n"
        f"  and\n  count_over_time({shift}{_history()}) >= {watch.fewest}\n)",
    )


def _history() -> str:
    return f"[{name(HISTORY)}:{name(HISTORY_STEP)}]"


def alert(watch: Watch, severity: Severity) -> Alert:
    """Return the alert of one severity; one fires for each feature that has drifted."""
    drift, psi = watch.drift, watch.recorded(series.PSI)
    on = f"on ({exposed.FEATURE})"
    expression = (
        f"{psi} > {number(drift.at_most)}\n"
        f"unless {on}\n{psi} <= {on} {watch.recorded(series.USUAL_SHIFT)}\n"
        f"unless {on}\n{watch.recorded(series.OBSERVATIONS)} * {number(_chance(drift))} < {on} "
        f"count by ({exposed.FEATURE}) ({watch.recorded(series.REFERENCE_SHARE)})"
    )
    if severity == series.PAGE:
        burning = {
            series.ALERTNAME: series.BURN_ALERT,
            series.ALERTSTATE: series.FIRING,
            series.MONITOR: watch.monitor.name,
        }
        objectives = f'{series.OBJECTIVE_LABEL}=~"{"|".join(watch.impaired)}"'
        expression += f"\nand on ()\n{series.ALERTS}{matchers(burning, objectives)}"
    impact = ", while a promise about its answers is being broken" if severity == series.PAGE else ""
    return Alert(
        name=series.DRIFT_ALERT,
        severity=severity,
        expression=expression,
        summary=f"a feature is not what it was{impact}",
        before=(
            f"Over {name(drift.window)}, the feature of the label `feature` is distributed otherwise than in "
            "the reference: PSI is "
        ),
        after=(
            f"; told above {number(drift.at_most)}, and above what 99% of its shifts from week to week stay "
            "below, where four weeks are known. The world has changed, what computes the feature has, or the "
            "application counts by another reference."
        ),
        verb="%.2f",
        labels={series.FOR: series.DRIFT},
        duration=waits(watch),
    )


def waits(watch: Watch) -> float:
    """Return the seconds for which a shift has to stand before it is told."""
    return float(math.ceil(watch.drift.window / WAITS))


def _chance(drift: Drift) -> float:
    return float(f"{drift.at_most / CHANCE:.9g}")


def rows_needed(drift: Drift) -> int:
    """Return the rows that a reference has to be made of: it has its chance as the values have."""
    most = max((len(one.bins) for one in drift.distributions), default=0)
    return math.ceil(most / _chance(drift))

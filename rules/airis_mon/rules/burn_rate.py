"""Objectives: error ratios over every window, and the alerts on how fast the budget burns.

Recorded for each window: operations and failures per second, and their ratio. The ratio is absent while there
is no traffic, so that silence is neither good nor bad here; `absence` speaks about silence.
"""

from __future__ import annotations

from dataclasses import dataclass

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.alerts import Alert
from airis_mon.rules.groups import Group, Rule, group_name, recording
from airis_mon.rules.indicators import Freshness, Indicator, indicator
from airis_mon.rules.literals import number
from airis_mon.rules.windows import Tier, budget, live_tiers, name, recorded, tiers
from airis_mon.spec import Marks, Monitor, Objective, Severity


@dataclass(frozen=True)
class Burn:
    """One objective of one monitor, with the names under which it is recorded."""

    monitor: Monitor
    objective: Objective

    @property
    def indicator(self) -> Indicator:
        """What the objective counts."""
        return indicator(self.monitor, self.objective.indicator)

    @property
    def budget(self) -> float:
        """Share of operations that may fail."""
        return budget(self.objective.target)

    @property
    def span(self) -> str:
        """Over what the share is promised, in words."""
        calendar = self.objective.calendar
        return f"over {name(self.objective.window)}" if calendar is None else f"in each calendar {calendar}"

    @property
    def labels(self) -> dict[str, str]:
        """Labels of every series that is recorded for the objective."""
        return {
            **self.objective.labels,
            series.MODEL: self.monitor.model.name,
            series.MONITOR: self.monitor.name,
            series.SLO_ID: f"{self.monitor.name}-{self.objective.name}",
            series.SLO_SERVICE: self.monitor.name,
            series.SLO_NAME: self.objective.name,
            series.TEAM: self.monitor.alerting.team,
        }

    def recorded(self, prefix: str, window: float | None = None) -> str:
        """Return the selector of a recorded series; `window` completes its name.

        By monitor and objective alone: after a change of team, history stays one objective's history.
        """
        suffix = "" if window is None else name(window)
        chosen = matchers({series.MONITOR: self.monitor.name, series.SLO_NAME: self.objective.name})
        return f"{prefix}{suffix}{chosen}"

    def tiers(self, severity: Severity) -> tuple[Tier, ...]:
        """Return the tiers of a severity that can fire."""
        found = live_tiers(self.objective.target, self.objective.window)
        return tuple(tier for tier in found if tier.severity == severity)


def groups(burn: Burn) -> tuple[Group, Group]:
    """Return the groups of pages and tickets: windows first, then the alert on them.

    Each severity has a tier: `impossible` refuses a target that keeps none.
    """
    found = []
    paged = {window for tier in tiers(burn.objective.window)[:2] for window in (tier.short, tier.long)}
    severities: tuple[Severity, Severity] = ("page", "ticket")
    for severity in severities:
        rules: list[Rule] = []
        for window in recorded(burn.objective.window):
            if (window in paged) == (severity == "page"):
                rules += _windows(burn, window)
        rules.append(alert(burn, severity).rule(burn.monitor))
        found.append(Group(group_name(burn.monitor.name, burn.objective.name, severity), tuple(rules)))
    return found[0], found[1]


def _windows(burn: Burn, window: float) -> list[Rule]:
    labels = {**burn.labels, series.SLO_WINDOW: name(window)}
    events = burn.recorded(series.EVENTS, window)
    failures = burn.recorded(series.FAILURES, window)
    what, span = burn.indicator, name(window)
    return [
        recording(f"{series.EVENTS}{span}", what.operations(span), labels),
        recording(f"{series.FAILURES}{span}", what.failures(span, events), labels),
        recording(f"{series.ERROR_RATIO}{span}", f"sum({failures}) / (sum({events}) > 0)", labels),
    ]


def alert(burn: Burn, severity: Severity) -> Alert:
    """Return the alert of one severity: any of its tiers, as one alert, so that nobody is told twice."""
    objective, found = burn.objective, burn.tiers(severity)
    marks = objective.by_severity.get(severity, Marks())
    what, often, of_them = "Operations miss", "often", "them"
    if isinstance(burn.indicator, Freshness):
        what, often, of_them = "The last update is too old for", "long", "the time"
    share = f"{number(float(f'{burn.budget * 100:.9g}'))}%"
    return Alert(
        name=series.BURN_ALERT,
        severity=severity,
        expression="\nor\n".join(_condition(burn, tier) for tier in found),
        summary=f"the error budget of {objective.name} burns too fast",
        before=f"{what} the objective {objective.name} ",
        after=f" times as {often} as its budget allows ({share} of {of_them} {burn.span}).",
        verb="%.1f",
        # The labels of the objective come with its recorded series.
        labels={**marks.labels, series.OBJECTIVE_LABEL: objective.name},
        annotations={**objective.annotations, **marks.annotations},
    )


def _condition(burn: Burn, tier: Tier) -> str:
    allowed = number(burn.budget)

    def burns(window: float) -> str:
        ratio = burn.recorded(series.ERROR_RATIO, window)
        return _without_window(f"{ratio} / {allowed} > {number(tier.factor)}")

    failures = burn.recorded(series.FAILURES, tier.long)
    enough = _without_window(f"{failures} * {number(tier.long)} >= {burn.objective.fewest_failures}")
    conditions = (burns(tier.short), burns(tier.long), enough)
    return "(\n  " + "\n  and\n  ".join(conditions) + "\n)"


def _without_window(expression: str) -> str:
    return f"max without ({series.SLO_WINDOW}) ({expression})"

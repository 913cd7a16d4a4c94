"""Budgets in money: how fast one is spent, what is left of it, and tokens that nobody knows a price of.

A budget is there to be spent, so that alerts begin where it will not last: at twelve times the pace somebody
is woken, by then half of the budget is gone within a twenty-fourth of its time; three times the pace, and an
overspent budget that is still being overspent, wait for working hours. Each is watched over two windows, as
error budgets are: the short one, a twelfth of the long one, ends the alert soon after the spending ends.

An unknown price is never a silent zero: tokens without one are told, and where no cost is counted at all,
the alerts on it are told to be unable to fire.
"""

from __future__ import annotations

from dataclasses import dataclass

from airis_mon.exporters import series as exposed
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.alerts import Alert
from airis_mon.rules.groups import Group, group_name, recording
from airis_mon.rules.literals import number
from airis_mon.rules.windows import SHORT_PER_LONG, Tier, name
from airis_mon.spec import Cost, Monitor, Severity

TIERS: tuple[tuple[Severity, int, float], ...] = (("page", 24, 12.0), ("ticket", 6, 3.0), ("ticket", 1, 1.0))
"""Severity, how many long windows a budget's time has, and the pace that is too fast."""


ALERTS = "alerts"
"""Last part of the name of the group of alerts."""


@dataclass(frozen=True)
class Spending:
    """The budget of one monitor, with the names under which it is recorded."""

    monitor: Monitor
    cost: Cost

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """Pairs of windows, fastest first."""
        per = self.cost.budget.per
        return tuple(
            Tier(severity, round(per / parts), round(per / parts / SHORT_PER_LONG), pace)
            for severity, parts, pace in TIERS
        )

    @property
    def windows(self) -> tuple[float, ...]:
        """Every window in seconds, shortest first; the last is the budget's own time."""
        return tuple(sorted({window for tier in self.tiers for window in (tier.short, tier.long)}))

    @property
    def allowed(self) -> float:
        """Money per second at which the budget lasts exactly for its time."""
        return float(f"{self.cost.budget.amount / self.cost.budget.per:.12g}")

    @property
    def selector(self) -> dict[str, str]:
        """Labels of the series of costs, currency left out."""
        return dict(self.cost.selector or self.monitor.source.selector)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of every recorded series."""
        return {
            series.MODEL: self.monitor.model.name,
            series.MONITOR: self.monitor.name,
            series.TEAM: self.monitor.alerting.team,
            exposed.CURRENCY: self.cost.budget.currency,
        }

    def recorded(self, window: float) -> str:
        """Return the selector of money per second over a window."""
        return series.COST + name(window) + matchers({series.MONITOR: self.monitor.name})


def groups(spending: Spending) -> tuple[Group, Group]:
    """Return what is recorded of a budget, and the alerts on that."""
    monitor = spending.monitor
    *windows, whole = spending.windows
    counted = exposed.COST + matchers({**spending.selector, exposed.CURRENCY: spending.cost.budget.currency})
    rates = [
        recording(f"{series.COST}{name(window)}", f"sum(rate({counted}[{name(window)}]))", spending.labels)
        for window in windows
    ]
    shortest = windows[0]
    summed = f"sum(sum_over_time({spending.recorded(shortest)}[{name(whole)}:{name(shortest)}]))"
    budget = [
        recording(
            f"{series.COST}{name(whole)}",
            f"{summed} * {number(shortest)} / {number(whole)}",
            spending.labels,
        ),
        recording(
            series.COST_REMAINING,
            f"1 - sum({spending.recorded(whole)}) / {number(spending.allowed)}",
            spending.labels,
        ),
    ]
    told = [alert.rule(monitor) for alert in alerts(spending)]
    return (
        Group(group_name(monitor.name, "cost"), (*rates, *budget)),
        Group(group_name(monitor.name, "cost", ALERTS), tuple(told)),
    )


def alerts(spending: Spending) -> tuple[Alert, ...]:
    """Return the alerts on a budget: page, ticket, and the ticket on tokens without a price."""
    severities: tuple[Severity, Severity] = ("page", "ticket")
    return (*(burn(spending, severity) for severity in severities), unpriced(spending))


def burn(spending: Spending, severity: Severity) -> Alert:
    """Return the alert of one severity: any of its tiers, as one alert."""
    budget = spending.cost.budget
    return Alert(
        name=series.COST_ALERT,
        severity=severity,
        expression="\nor\n".join(
            _condition(spending, tier) for tier in spending.tiers if tier.severity == severity
        ),
        summary="money is spent too fast",
        before="Money is spent ",
        after=f" times as fast as the budget allows "
        f"({number(budget.amount)} {budget.currency} in {name(budget.per)}).",
        verb="%.1f",
        labels={series.FOR: "cost"},
    )


def _condition(spending: Spending, tier: Tier) -> str:
    def fast(window: float) -> str:
        return f"sum({spending.recorded(window)}) / {number(spending.allowed)} > {number(tier.factor)}"

    return f"(\n  {fast(tier.short)}\n  and\n  {fast(tier.long)}\n)"


def unpriced(spending: Spending) -> Alert:
    """Return the alert on tokens that were counted without a price."""
    window = name(spending.tiers[0].long)
    tokens = exposed.UNPRICED_TOKENS + matchers(spending.selector)
    return Alert(
        name=series.UNPRICED_ALERT,
        severity="ticket",
        expression=f"sum(increase({tokens}[{window}])) > 0",
        summary="tokens have no price",
        before=(
            f"Tokens were counted within {window} whose price nobody knows: what they cost is missing from "
            "the costs, and from what is said about the budget. Add the model to the table of prices."
        ),
        labels={series.FOR: "unpriced_tokens"},
    )

"""What can never work, found before anything is written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal

from airis_mon.rules import bounds, expectation, series
from airis_mon.rules.drift import FEWEST, rows_needed
from airis_mon.rules.expressions import ExpressionError, terms
from airis_mon.rules.indicators import Counted
from airis_mon.rules.literals import number
from airis_mon.rules.money import Spending
from airis_mon.rules.proofs.kinds import kinds
from airis_mon.rules.windows import DAY, budget, live_tiers, name, tiers
from airis_mon.spec import (
    LONGEST_WINDOW,
    READINGS,
    SHORTEST_WINDOW,
    Events,
    Fresh,
    Monitor,
    Objective,
    Problem,
    format_percent,
)


def problems(monitor: Monitor) -> tuple[Problem, ...]:
    """Return everything in a monitor that no alert could ever watch, or that would never end one."""
    objectives = (
        problem
        for position, objective in enumerate(monitor.objectives)
        for problem in _objective(monitor, objective, f"spec.objectives[{position}]")
    )
    return (
        *objectives,
        *bounds.problems(monitor),
        *expectation.problems(monitor),
        *_cost(monitor),
        *_drift(monitor),
    )


def _drift(monitor: Monitor) -> Iterator[Problem]:
    """Yield why features could not be held against their reference."""
    drift = monitor.drift
    if drift is None:
        return

    def problem(path: str, message: str, hint: str) -> Problem:
        return Problem(message, path, monitor.origin.locate(path), hint)

    if not (drift.selector or monitor.source.selector):
        yield problem(
            "spec.drift",
            "no labels select the features of this model",
            "write `selector` here, such as {job: api}",
        )
    shortest = FEWEST * monitor.source.shortest_range
    if drift.window < shortest:
        yield problem(
            "spec.drift.window",
            f"{name(drift.window)} hold too few readings of a source that is read every "
            f"{name(monitor.source.scrape_interval)}",
            f"write `window: {name(shortest)}` or longer",
        )
    if not drift.distributions:
        yield problem(
            "spec.drift.reference",
            f"the reference {drift.reference} was not read",
            "let `airis-mon build` read the document from its file",
        )
    elif drift.rows < rows_needed(drift):
        yield problem(
            "spec.drift.reference",
            f"a reference made of {drift.rows} rows differs from others of its kind by chance alone",
            f"make it of {rows_needed(drift)} rows or more, with fewer bins, or write a larger `at_most`",
        )


def _cost(monitor: Monitor) -> Iterator[Problem]:
    """Yield why a budget in money could not be watched."""
    if monitor.cost is None:
        return
    spending = Spending(monitor, monitor.cost)
    if not spending.selector:
        path = "spec.cost"
        hint = "write `selector` here, such as {job: gateway}"
        yield Problem("no labels select the costs of this model", path, monitor.origin.locate(path), hint)
    shortest, often = spending.windows[0], monitor.source.scrape_interval
    if shortest < monitor.source.shortest_range:
        path = "spec.cost.budget"
        days = math.ceil(monitor.source.shortest_range * monitor.cost.budget.per / shortest / DAY)
        yield Problem(
            f"no rate could be taken over {name(shortest)}, the shortest range of such a budget: it has to "
            f"hold {READINGS} readings, and Prometheus reads this source every {name(often)}",
            path,
            monitor.origin.locate(path),
            f"give the budget per {days}d or longer, or have the source read more often",
        )


def _objective(monitor: Monitor, objective: Objective, path: str) -> Iterator[Problem]:
    def problem(field: str, message: str, hint: str) -> Problem:
        where = f"{path}.{field}"
        return Problem(message, where, monitor.origin.locate(where), hint)

    if not 0 < objective.target < 1:
        yield problem(
            "target",
            f"a target of {number(objective.target)} is no share between 0 and 1",
            "write a target that can be held and missed, such as 99.9%",
        )
    elif not SHORTEST_WINDOW <= objective.window <= LONGEST_WINDOW:
        shortest = name(tiers(objective.window)[0].short)
        yield problem(
            "window",
            f"no burn rate can be watched over a window of {name(objective.window)}"
            + (f": its shortest range would be {shortest}" if objective.window < SHORTEST_WINDOW else ""),
            f"write a window from {name(SHORTEST_WINDOW)} to {name(LONGEST_WINDOW)}, such as 30d",
        )
    else:
        yield from _unmet(objective, problem)
        yield from _uncountable(objective, problem)
        yield from _never_fresh(objective, monitor.source.scrape_interval, problem)
        if not any(tier.severity == "page" for tier in live_tiers(objective.target, objective.window)):
            yield problem("target", *_never_paging(objective))
        if tiers(objective.window)[0].short < monitor.source.shortest_range:
            yield problem("window", *_too_seldom_read(objective, monitor.source.scrape_interval))


def _unmet(objective: Objective, problem: Callable[[str, str, str], Problem]) -> Iterator[Problem]:
    """Yield the burns that have to alert and are none of those on which the window's alerts are."""
    found = live_tiers(objective.target, objective.window)
    for wanted in objective.conditions:
        if not any(
            (wanted.severity, wanted.over) == (tier.severity, tier.long)
            and math.isclose(wanted.factor, tier.factor, rel_tol=0.001)
            for tier in found
        ):
            known = ", ".join(
                f"{number(tier.factor)} over {name(tier.long)} ({tier.severity})" for tier in found
            )
            yield problem(
                "conditions",
                f"no {wanted.severity} is on a burn rate of {number(wanted.factor)} over {name(wanted.over)}",
                f"over {name(objective.window)} alerts are on {known}, all of them; "
                "write one of these as the condition, or leave it out",
            )


def _uncountable(objective: Objective, problem: Callable[[str, str, str], Problem]) -> Iterator[Problem]:
    """Yield what is wrong with expressions that no rule could use, or that no proof could feed."""
    events = objective.indicator
    if not isinstance(events, Events):
        return
    part = "bad" if events.bad is not None else "good"
    sound = True
    for field in ("total", part):
        try:
            found = terms(getattr(events, field))
        except ExpressionError as error:
            sound = False
            yield problem(f"events.{field}", *error.args)
            continue
        own = next((term.metric for term in found if series.recorded(term.metric)), None)
        if own is not None:
            sound = False
            yield problem(
                f"events.{field}",
                f"`{own}` is recorded by rules such as those of this monitor: it is no counter",
                "count what the model's server exposes, such as sum(rate(http_requests_total[$window]))",
            )
            continue
        if field == "total" and any(term.sign < 0 for term in found):
            sound = False
            yield problem(
                "events.total",
                "operations are taken away from the total",
                f"write the total as a sum; subtract in `{part}`",
            )
    if sound:
        try:
            kinds(Counted.of(events))
        except ExpressionError as error:
            yield problem(f"events.{part}", *error.args)


def _never_fresh(
    objective: Objective, interval: float, problem: Callable[[str, str, str], Problem]
) -> Iterator[Problem]:
    """Yield what is wrong with an age that readings alone exceed, or with more failures than a window has."""
    fresh = objective.indicator
    if not isinstance(fresh, Fresh):
        return
    if fresh.within < 2 * interval:
        yield problem(
            "freshness.within",
            f"nothing is known to be younger than {name(fresh.within)}: Prometheus reads this source every "
            f"{name(interval)}, and a reading may be lost",
            f"write `within: {name(2 * interval)}` or longer, or have it read more often",
        )
    shortest = tiers(objective.window)[0].short
    if objective.fewest_failures > shortest:
        yield problem(
            "fewest_failures",
            f"failures of freshness are seconds, and pages look at windows of {name(shortest)}",
            f"write {math.floor(shortest)} or less",
        )


def _never_paging(objective: Objective) -> tuple[str, str]:
    """Return what is wrong with a target that wakes nobody however far it is missed, and what to write."""
    slowest = [tier for tier in tiers(objective.window) if tier.severity == "page"][-1]
    threshold = slowest.threshold(budget(objective.target))
    lowest = _lowest_target(slowest.factor)
    return (
        f"no page on this target could ever fire: even the slower one would need an error ratio above "
        f"{number(float(f'{threshold:.4g}'))}, and there is none above 1",
        f"write {lowest} or more, the lowest target that can page over {name(objective.window)}",
    )


def _lowest_target(factor: float) -> str:
    """Return the lowest target, to a hundredth of a percent, of which a tier with that factor can fire."""
    hundredths = int((1 - 1 / Decimal(repr(factor))) * 10_000) + 1
    return format_percent(hundredths / 10_000)


def _too_seldom_read(objective: Objective, interval: float) -> tuple[str, str]:
    """Return what is wrong with a window whose shortest range holds too few readings, and what to write."""
    shortest = tiers(objective.window)[0].short
    often = name(int(shortest / READINGS))
    days = range(1, int(LONGEST_WINDOW / DAY) + 1)
    enough = next((day for day in days if tiers(day * DAY)[0].short >= READINGS * interval), None)
    return (
        f"no rate could be taken over {name(shortest)}, the shortest range of a window of "
        f"{name(objective.window)}: it has to hold {READINGS} readings, and Prometheus reads this "
        f"source every {name(interval)}",
        f"no window has a longer one; write `source.scrape_interval: {often}` and have it read so often"
        if enough is None
        else f"write `window: {enough}d` or longer\n"
        f"or, where Prometheus reads it more often, `source.scrape_interval: {often}`",
    )

"""Alerts on counters that a document names and that cannot be true: the objective on them looks kept.

Nothing is known of such counters but what the expressions say: they only rise, and what is good or has failed
is a part of all operations. Where a part is larger than the whole, or less than nothing, there are no
failures to any rule (a ratio is cut off at 0), and where one is no number, no comparison is ever true. One
guard per objective tells either; it lies in a group of its own, beside those on what a contract says.
"""

from __future__ import annotations

from collections.abc import Iterator

from airis_mon.rules import readiness, series
from airis_mon.rules.alerts import Alert
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.expressions import Term
from airis_mon.rules.groups import Group, group_name
from airis_mon.rules.guards import BUSY, LARGEST, PATIENCE
from airis_mon.rules.indicators import Counted
from airis_mon.rules.literals import number
from airis_mon.rules.proofs import kinds
from airis_mon.rules.windows import name, tiers
from airis_mon.spec import Monitor

TOLERANCE = 0.05
"""Share of all operations by which a part may be too large or too small: counters of two servers are read at
different times, one reading of 48 in the window, and rates of new series lack their first operations."""


def groups(monitor: Monitor) -> Iterator[Group]:
    """Yield the guard of each objective over counters that the document names, and whether it can fire."""
    for objective in monitor.objectives:
        burn = Burn(monitor, objective)
        if isinstance(burn.indicator, Counted):
            rule = alert(burn, burn.indicator).rule(monitor)
            title = group_name(monitor.name, objective.name, "guard")
            yield Group(title, (rule, *readiness.rules([rule])))


def reach(burn: Burn) -> float:
    """Return the seconds over which operations are counted: the fastest long window of the objective."""
    return tiers(burn.objective.window)[0].long


def guarded(counted: Counted) -> tuple[Term, ...]:
    """Return the terms whose series are looked at: all but those that lie within another one."""
    found: dict[str, Term] = {}
    for term in (*counted.total, *counted.part):
        if not any(_within(term, other) for other in found.values()):
            found[term.selector] = term
    return tuple(found.values())


def _within(term: Term, other: Term) -> bool:
    """Tell whether all that a term selects is selected by another one."""
    return term.metric == other.metric and set(other.matchers) <= set(term.matchers)


def alert(burn: Burn, counted: Counted) -> Alert:
    """Return the alert on counters that cannot be true.

    A ticket: a part that is too large can come of a server that has just begun to count.
    """
    largest, objective = number(LARGEST), burn.objective.name
    found = [
        one
        for term in guarded(counted)
        for one in (
            f"{term.selector} < 0",
            f"{term.selector} != {term.selector}",
            f"{term.selector} >= {largest}",
        )
    ]
    span, seconds = name(reach(burn)), number(reach(burn))
    part, total = counted.part_rate(span), counted.operations(span)
    # Neither is asked for where no series could make it true.
    if kinds.exceeding(counted, 1 + TOLERANCE):
        found.append(f"({part} - {number(1 + TOLERANCE)} * {total}) * {seconds} >= {BUSY}")
    if kinds.undercutting(counted, TOLERANCE):
        found.append(f"({part} + {number(TOLERANCE)} * {total}) * {seconds} <= -{BUSY}")
    either = "\n  or\n  ".join(found)
    what = "good operations" if counted.part_is_good else "failures"
    return Alert(
        name=series.IMPLAUSIBLE_ALERT,
        severity="ticket",
        expression=f"count(\n  {either}\n)",
        summary=f"what {objective} counts cannot be true",
        before="",
        after=(
            f" of the values behind the objective {objective} cannot be: a counter that is no number,"
            f" negative or beyond 2^63, or {what} that are more than all operations, or less than none."
            " Failures may be there that no alert can see; mend the exporter, or the expressions."
        ),
        verb="%.0f",
        labels={
            series.FOR: counted.signal,
            series.OBJECTIVE_LABEL: objective,
            series.GUARD: series.IMPOSSIBLE,
        },
        duration=reach(burn) / PATIENCE,
    )

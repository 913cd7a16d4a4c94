"""What can never work, found before anything is written."""

from __future__ import annotations

from collections.abc import Iterator

from airis_mon.rules.literals import number
from airis_mon.rules.windows import LONGEST_PERIOD, SHORTEST_PERIOD, budget, live_tiers, name, tiers
from airis_mon.spec import Monitor, Objective, Problem


def problems(monitor: Monitor) -> tuple[Problem, ...]:
    """Return every objective of a monitor that no alert could ever watch."""
    return tuple(
        problem
        for position, objective in enumerate(monitor.objectives)
        for problem in _objective(monitor, objective, f"spec.objectives[{position}]")
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
    elif not SHORTEST_PERIOD <= objective.window <= LONGEST_PERIOD:
        shortest = name(tiers(objective.window)[0].short)
        yield problem(
            "window",
            f"no burn rate can be watched over a window of {name(objective.window)}"
            + (f": its shortest range would be {shortest}" if objective.window < SHORTEST_PERIOD else ""),
            f"write a window from {name(SHORTEST_PERIOD)} to {name(LONGEST_PERIOD)}, such as 30d",
        )
    elif not live_tiers(objective.target, objective.window):
        slowest = tiers(objective.window)[-1]
        threshold = slowest.threshold(budget(objective.target))
        highest = 100 * (1 - 1 / slowest.factor)
        yield problem(
            "target",
            f"no alert on this target could ever fire: even the slowest would need an error ratio above "
            f"{number(float(f'{threshold:.4g}'))}, and there is none above 1",
            f"write a target above {number(float(f'{highest:.4g}'))}%, or a shorter window",
        )

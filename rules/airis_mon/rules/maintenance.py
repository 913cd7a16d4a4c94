"""Maintenance as a series: 1 while a model is worked on, 0 otherwise, from the clock alone; and its budget.

Rules have no time zone but UTC, and neither has this.
"""

from __future__ import annotations

from collections.abc import Iterator

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.groups import Group, group_name, recording
from airis_mon.rules.literals import number
from airis_mon.rules.windows import name, recorded
from airis_mon.spec import Maintenance, Monitor, Recurrence, Window

_DAY, _LONGEST_MONTH = 24 * 60, 31


def groups(monitor: Monitor) -> tuple[Group, ...]:
    """Return a group per maintenance of a monitor."""
    return tuple(group(monitor, one) for one in monitor.maintenance)


def budgets(monitor: Monitor) -> tuple[Group, ...]:
    """Return, where anything is known of maintenance, what of each objective's budget was spent in it.

    Not of a period of the calendar: that would need every period's maintenance counted apart.
    """
    if not monitor.maintenance:
        return ()
    burns = (Burn(monitor, objective) for objective in monitor.objectives if objective.calendar is None)
    return tuple(map(_budget, burns))


def _budget(burn: Burn) -> Group:
    monitor, period, shortest = burn.monitor, burn.objective.window, recorded(burn.objective.window)[0]
    span = name(shortest)
    holds = series.MAINTENANCE + matchers({series.MONITOR: monitor.name})

    def total(prefix: str) -> str:
        return f"sum(sum_over_time({burn.recorded(prefix, shortest)}[{name(period)}:{span}]))"

    rules = (
        recording(
            f"{series.MAINTENANCE_FAILURES}{span}",
            f"sum({burn.recorded(series.FAILURES, shortest)}) * max({holds})",
            {**burn.labels, series.SLO_WINDOW: span},
        ),
        recording(
            series.BUDGET_IN_MAINTENANCE,
            f"{total(series.MAINTENANCE_FAILURES)} / ({total(series.EVENTS)} > 0) / {number(burn.budget)}",
            burn.labels,
        ),
    )
    return Group(group_name(monitor.name, burn.objective.name, "maintenance"), rules)


def group(monitor: Monitor, maintenance: Maintenance) -> Group:
    """Return the series about one maintenance."""
    if maintenance.once is not None:
        expression = _once(maintenance.once)
    else:
        expression = "\n+\n".join(map(_recurrence, maintenance.recurring))
        if len(maintenance.recurring) > 1:  # they may overlap
            expression = f"(\n{expression}\n) > bool 0"
    rule = recording(series.MAINTENANCE, expression, labels(monitor, maintenance))
    return Group(group_name(monitor.name, "maintenance", maintenance.name), (rule,))


def labels(monitor: Monitor, maintenance: Maintenance) -> dict[str, str]:
    """Return what says whose maintenance it is."""
    return {
        series.MAINTENANCE_LABEL: maintenance.name,
        series.MODEL: monitor.model.name,
        series.MONITOR: monitor.name,
        series.TEAM: monitor.alerting.team,
    }


def _once(window: Window) -> str:
    return f"vector((time() >= bool {number(window.begin)}) * (time() < bool {number(window.end)}))"


def _recurrence(recurrence: Recurrence) -> str:
    """Return PromQL that is 1 within it, else 0: a product of sums, whose summands exclude each other."""
    return " * ".join(_sum(parts) for parts in _parts(recurrence) if parts)


def _sum(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({' + '.join(parts)})"


def _parts(recurrence: Recurrence) -> Iterator[list[str]]:
    yield [_product(_time(*span)) for span in _apart(recurrence.times)]
    # 0 is Sunday to Prometheus, Monday to Python.
    yield [f"(day_of_week() == bool {(day + 1) % 7})" for day in recurrence.weekdays]
    days = [_product([*_first_day(first), *_last_day(last)]) for first, last in recurrence.days_of_month]
    yield [f"(({' + '.join(days)}) > bool 0)"] if len(days) > 1 else days
    yield [f"(month() == bool {month})" for month in recurrence.months]


def _product(conditions: list[str]) -> str:
    """Return PromQL that is 1 where all of them hold; no condition always holds."""
    return f"({' * '.join(f'({one})' for one in conditions)})" if conditions else "vector(1)"


def _time(first: int, last: int) -> list[str]:
    # What holds at every time of every day is not said: a rule has no condition that could not be wrong.
    second = "vector(time() % 86400)"
    begins = [f"{second} >= bool {first * 60}"] if first > 0 else []
    return begins + ([f"{second} < bool {last * 60}"] if last < _DAY else [])


def _first_day(first: int) -> list[str]:
    return [] if first in (1, -_LONGEST_MONTH) else [f"{_day(first)} >= bool {_bound(first)}"]


def _last_day(last: int) -> list[str]:
    return [] if last in (_LONGEST_MONTH, -1) else [f"{_day(last)} <= bool {_bound(last)}"]


def _day(bound: int) -> str:
    return "day_of_month()" if bound > 0 else "day_of_month() - days_in_month()"


def _bound(bound: int) -> int:
    return bound if bound > 0 else bound + 1


def _apart(times: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """Return the same times, none of them touching the next."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(times):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found

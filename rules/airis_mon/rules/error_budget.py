"""The error budget as series: what was promised, how fast it burns, what is left of it.

The ratio over the whole period is weighted by traffic: failures over operations, each summed over the
period. The mean of short ratios, which others record, counts a quiet night as much as a busy noon. Steps are
as long as the window that was recorded, so every operation counts once whatever the evaluation interval is.
"""

from __future__ import annotations

from collections.abc import Iterator

from airis_mon.rules import series
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.calendar import PERIODS
from airis_mon.rules.groups import Group, group_name, recording
from airis_mon.rules.literals import number
from airis_mon.rules.windows import DAY, name, recorded

MODE = "airis-mon"
SPEC = "airis.dev/v1alpha1"


def groups(burn: Burn) -> tuple[Group, ...]:
    """Return the series about one objective's budget, after what is counted by calendar period, if it is."""
    return (*_periods(burn), _budget(burn))


def _periods(burn: Burn) -> Iterator[Group]:
    if burn.objective.calendar is None:
        return
    period, shortest = PERIODS[burn.objective.calendar], recorded(burn.objective.window)[0]
    labels = {**burn.labels, series.SLO_WINDOW: name(shortest)}
    counted = ((series.PERIOD_EVENTS, series.EVENTS), (series.PERIOD_FAILURES, series.FAILURES))
    rules = [recording(series.PERIOD_INFO, period.current, burn.labels)]
    for prefix, of in counted:
        expression = f"{_current(burn)} * on () group_left () sum({burn.recorded(of, shortest)})"
        rules.append(recording(f"{prefix}{name(shortest)}", expression, labels))
    yield Group(group_name(burn.monitor.name, burn.objective.name, "period"), tuple(rules))


def _current(burn: Burn) -> str:
    return f"max by ({series.PERIOD}) ({burn.recorded(series.PERIOD_INFO)})"


def _budget(burn: Burn) -> Group:
    period, shortest = burn.objective.window, recorded(burn.objective.window)[0]
    labels = burn.labels
    whole_period = {**labels, series.SLO_WINDOW: name(period)}
    target = number(float(f"{burn.objective.target * 100:.12g}"))
    info = {**labels, "sloth_mode": MODE, "sloth_objective": target, "sloth_spec": SPEC}

    calendar = None if burn.objective.calendar is None else PERIODS[burn.objective.calendar]

    def total(rolling: str, periodic: str) -> str:
        if calendar is None:
            return f"sum({summed(rolling, period)})"
        return f"sum({summed(periodic, calendar.longest)} and on ({series.PERIOD}) {_current(burn)})"

    def summed(prefix: str, length: float) -> str:
        return f"sum_over_time({burn.recorded(prefix, shortest)}[{name(length)}:{name(shortest)}])"

    def per_budget(window: float) -> str:
        return f"sum({burn.recorded(series.ERROR_RATIO, window)}) / {number(burn.budget)}"

    events = total(series.EVENTS, series.PERIOD_EVENTS)
    failures = total(series.FAILURES, series.PERIOD_FAILURES)
    period_burn_rate = burn.recorded(series.PERIOD_BURN_RATE)
    rules = (
        recording(series.OBJECTIVE, f"vector({number(burn.objective.target)})", labels),
        recording(series.ERROR_BUDGET, f"vector({number(burn.budget)})", labels),
        recording(series.TIME_PERIOD, f"vector({number(period / DAY)})", labels),
        recording(
            f"{series.ERROR_RATIO}{name(period)}",
            f"{failures} / ({events} > 0)",
            whole_period,
        ),
        recording(series.CURRENT_BURN_RATE, per_budget(shortest), labels),
        recording(series.PERIOD_BURN_RATE, per_budget(period), labels),
        recording(series.BUDGET_REMAINING, f"1 - sum({period_burn_rate})", labels),
        recording(series.INFO, "vector(1)", info),
    )
    return Group(group_name(burn.monitor.name, burn.objective.name, "budget"), rules)

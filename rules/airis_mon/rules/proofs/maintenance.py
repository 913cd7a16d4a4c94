"""Proof of the series about maintenance: at each of its bounds, on other days, and what failed meanwhile.

promtool's time begins in 1970, and it evaluates from there step by step. A proof with a step as long as the
time until a moment sees that moment alone; there is one for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import maintenance, series
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.proofs import strangers
from airis_mon.rules.proofs.case import Case, Input, SampleCheck
from airis_mon.rules.proofs.proof import Proof
from airis_mon.rules.windows import name, recorded
from airis_mon.spec import Maintenance, Monitor

_FIRST = date(2028, 1, 1)
"""A leap year; which one has no meaning."""
_FAILING = 0.5
"""Operations a second that miss the objective, all along."""
_PLANS = ((0, 0, 1, 1, 0, 0), (0, 0, 0, 1, 1, 0))
"""Two of a monitor's maintenance, step by step: one may hold while the other does."""


def failures(burn: Burn, step: float) -> Case:
    """Return the test of failures during maintenance: ours while any of ours holds, and nothing else."""
    own = {series.MODEL: burn.labels[series.MODEL], series.TEAM: burn.labels[series.TEAM]}
    inputs = [
        Input(
            series.MAINTENANCE
            + matchers(
                {**own, series.MONITOR: burn.monitor.name, series.MAINTENANCE_LABEL: f"plan-{number}"}
            ),
            " ".join(map(str, plan)),
        )
        for number, plan in enumerate(_PLANS)
    ]
    steps = len(_PLANS[0])
    other = {**own, series.MONITOR: f"{burn.monitor.name}-other", series.MAINTENANCE_LABEL: "plan-0"}
    inputs.append(strangers.steady(series.MAINTENANCE, other, 1.0, steps))
    span = name(recorded(burn.objective.window)[0])
    labels = {**burn.labels, series.SLO_WINDOW: span}
    inputs.append(strangers.steady(f"{series.FAILURES}{span}", labels, _FAILING, steps))
    inputs += strangers.recorded(burn, series.FAILURES, recorded(burn.objective.window)[0], 1000.0, steps)
    metric = f"{series.MAINTENANCE_FAILURES}{span}"
    checks = [
        SampleCheck(at * step, metric, ((labels, _FAILING * max(holding)),), metric)
        for at, holding in enumerate(zip(*_PLANS, strict=True))
    ]
    return Case(f"{burn.objective.name}: what fails during maintenance", step, tuple(inputs), samples=checks)


def proofs(monitor: Monitor, planned: Maintenance) -> Iterator[Proof]:
    """Yield a proof for each moment at which something changes."""
    group = maintenance.group(monitor, planned)
    labels = maintenance.labels(monitor, planned)
    for number, moment in enumerate(sorted(set(_moments(planned)))):
        value = 1.0 if planned.holds(moment) else 0.0
        check = SampleCheck(
            moment,
            series.MAINTENANCE + matchers(dict(sorted(labels.items()))),
            ((labels, value),),
            name=series.MAINTENANCE,
        )
        at = datetime.fromtimestamp(moment, UTC)
        case = Case(f"{at:%A %Y-%m-%d %H:%M:%S}", 60.0, (), samples=(check,))
        yield Proof(f"maintenance-{number}", (group,), moment, (case,))


def _moments(planned: Maintenance) -> Iterator[float]:
    if planned.once is not None:
        for end in (planned.once.begin, planned.once.end):
            yield from (end - 1, end)
    for recurrence in planned.recurring:
        yield from (bound.replace(tzinfo=UTC).timestamp() for bound in recurrence.bounds(_FIRST))

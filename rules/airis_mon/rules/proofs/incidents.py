"""Proof of an objective from its counters on: what is counted, through the recordings, to the alerts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from airis_mon.rules import series
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.literals import number
from airis_mon.rules.proofs.case import AlertCheck, Case, SampleCheck, close
from airis_mon.rules.proofs.traffic import Phase, Traffic
from airis_mon.rules.proofs.verdicts import UndecidedError, alerts
from airis_mon.rules.windows import name, recorded

STEPS = 10
"""Samples in the shortest window."""
PER_STEP = 200.0
"""Operations between two samples: enough that every failure counts."""
MARGIN = 0.15
STEADY_MARGIN = 0.001
LONGEST = 100
"""Shortest windows after which a search for decided traffic ends."""


def cases(burn: Burn, step: float) -> Iterator[Case]:
    """Yield the tests of one objective; rules are evaluated every `step` seconds."""
    yield from _outage(burn, step)
    yield from _slow_burn(burn, step)
    yield _quiet(burn, step, "no failure, and no failed series", (Phase(2 * STEPS, PER_STEP),), ratio=0.0)
    yield _quiet(burn, step, "no traffic", (Phase(2 * STEPS, 0.0),), ratio=None)
    few = (Phase(STEPS + 1, 0.0), Phase(1, 3.0, failing=1 / 3), Phase(STEPS, 0.0))
    yield _quiet(burn, step, "one failure among three operations", few, ratio=1 / 3)


def _case(burn: Burn, what: str, traffic: Traffic, checks: list[AlertCheck], *, spelling: int = 0) -> Case:
    return Case(
        f"{burn.objective.name}: {what}", traffic.step, traffic.inputs(burn.indicator, spelling), checks
    )


def _outage(burn: Burn, step: float) -> Iterator[Case]:
    """Everything fails until the first alert has to fire; after the repair the page ends."""
    shortest = recorded(burn.objective.window)[0]
    severity = "page" if burn.tiers("page") else "ticket"

    def traffic(failing: int, repaired: int) -> Traffic:
        phases = (Phase(2, 0.0), Phase(failing, 1.0), Phase(repaired, 0.0))
        return Traffic(
            shortest / STEPS,
            tuple(Phase(phase.steps * STEPS, PER_STEP, phase.operations) for phase in phases),
        )

    def check(failing: int, windows: int) -> AlertCheck:
        at = math.ceil(windows * shortest / step) * step
        found = alerts(burn, traffic(failing, LONGEST), at, MARGIN)
        return AlertCheck(at, series.BURN_ALERT, found)

    def fires(failing: int) -> bool:
        return severity in _severities(check(failing, 2 + failing))

    failing = _first(fires)
    if failing is None:
        return
    checks = [check(failing, 2), check(failing, 2 + failing)]
    repaired = _first(lambda after: severity not in _severities(check(failing, 2 + failing + after)))
    if repaired is not None:
        checks.append(check(failing, 2 + failing + repaired))
    whole = traffic(failing, 2 + (repaired or 0))
    yield _case(burn, "an outage, and its repair", whole, checks)


def _severities(check: AlertCheck) -> set[str]:
    return {alert.labels[series.SEVERITY] for alert in check.fired}


def _first(holds: Callable[[int], bool]) -> int | None:
    """Return the smallest number from 1 on for which something holds and is decided."""
    for count in range(1, LONGEST):
        try:
            if holds(count):
                return count
        except UndecidedError:
            continue
    return None


def _slow_burn(burn: Burn, step: float) -> Iterator[Case]:
    """Failures slower than any page and faster than a ticket, through a restart of all counters."""
    shortest = recorded(burn.objective.window)[0]
    pages = [tier.factor for tier in burn.tiers("page")]
    limit = min([*pages, 1 / burn.budget])
    slower = [tier.factor for tier in burn.tiers("ticket") if tier.factor < limit]
    rate = math.sqrt(max(slower) * limit)
    share = rate * burn.budget
    phases = (Phase(3 * STEPS, PER_STEP, share), Phase(3 * STEPS, PER_STEP, share, restarted=True))
    traffic = Traffic(shortest / STEPS, phases)
    at = math.ceil(5 * shortest / step) * step
    try:
        check = AlertCheck(at, series.BURN_ALERT, alerts(burn, traffic, at, STEADY_MARGIN))
    except UndecidedError:
        return
    events = close(burn.recorded(series.EVENTS, shortest), PER_STEP / traffic.step, 0.01)
    labels = {**burn.labels, series.SLO_WINDOW: name(shortest)}
    case = _case(burn, "a slow burn through a counter reset", traffic, [check], spelling=1)
    yield Case(
        case.name,
        case.interval,
        case.inputs,
        case.alerts,
        [SampleCheck(at, events, ((labels, 1.0),))],
    )


def _quiet(burn: Burn, step: float, what: str, phases: tuple[Phase, ...], ratio: float | None) -> Case:
    """Nothing fires; the shortest ratio is as given, or absent."""
    shortest = recorded(burn.objective.window)[0]
    traffic = Traffic(shortest / STEPS, phases)
    at = math.floor(traffic.end / step) * step
    labels = {**burn.labels, series.SLO_WINDOW: name(shortest)}
    samples = () if ratio is None else ((labels, 1.0),)
    case = _case(burn, what, traffic, [AlertCheck(at, series.BURN_ALERT)], spelling=1)
    expression = f"abs({burn.recorded(series.ERROR_RATIO, shortest)} - {number(ratio or 0)}) < bool 0.001"
    sample = SampleCheck(at, expression, samples)
    return Case(case.name, case.interval, case.inputs, case.alerts, [sample])

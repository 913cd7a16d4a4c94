"""Proof of an objective from its counters on: what is counted, through the recordings, to the alerts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from airis_mon.exporters.contracts import spellings
from airis_mon.rules import series
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.indicators import LatencyBelow
from airis_mon.rules.literals import number
from airis_mon.rules.proofs.case import AlertCheck, Case, SampleCheck, close
from airis_mon.rules.proofs.traffic import Phase, Traffic
from airis_mon.rules.proofs.verdicts import UndecidedError, alerts
from airis_mon.rules.windows import name, recorded

STEPS = 10
"""Samples in the shortest window."""
PER_FAILURE = 40.0
"""Operations between two samples for each of the fewest failures of an alert: enough of them in any case."""
LONGEST = 100
"""Shortest windows after which a search for decided traffic ends."""


def cases(burn: Burn) -> Iterator[Case]:
    """Yield the tests of one objective; rules are evaluated once in each shortest window."""
    yield from _outage(burn)
    yield from _slow_burn(burn)
    yield from _healthy(burn)
    windows = recorded(burn.objective.window)[:1]
    if not isinstance(burn.indicator, LatencyBelow):  # a histogram has all its buckets from the start
        everything = (Phase(1, 0.0, failing=1.0), Phase(2 * STEPS - 1, 0.1 / STEPS, failing=1.0))
        whole = recorded(burn.objective.window)
        yield _quiet(
            burn, "nothing but failures, too few to count", everything, at=1, windows=whole, ratio=1.0
        )
    idle = _quiet(burn, "no traffic", (Phase(2 * STEPS, 0.0),), at=2, windows=windows, ratio=None)
    yield replace(idle, samples=[*idle.samples, *_no_failures(burn, 2)])
    if burn.objective.fewest_failures == 1:
        return
    few = (Phase(STEPS // 2, 0.0), Phase(1, 3.0, failing=1 / 3), Phase(STEPS, 0.0))
    what = "one failure among three operations"
    yield _quiet(burn, what, few, at=1, windows=windows, ratio=1 / 3)


def _no_failures(burn: Burn, at: int) -> Iterator[SampleCheck]:
    """Yield that over each window no failure is known, rather than nothing, after `at` of the shortest."""
    shortest, *longer = recorded(burn.objective.window)
    for window in (shortest, *longer):
        labels = {**burn.labels, series.SLO_WINDOW: name(window)}
        expression = f"{burn.recorded(series.FAILURES, window)} == bool 0"
        yield SampleCheck(at * shortest, expression, ((labels, 1.0),))


def _healthy(burn: Burn) -> Iterator[Case]:
    """No failure is a ratio of 0 over every window, however the server spells the boundary."""
    windows, what = recorded(burn.objective.window), burn.indicator
    # So little traffic that any other limit than none would show.
    phases = (Phase(2 * STEPS, 0.5),)
    written = ("",) if what.boundary is None else spellings(what.boundary)
    for spelling, text in enumerate(written):
        title = f"no failure, boundary written {text}" if text else "no failure, and no failed series"
        yield _quiet(burn, title, phases, at=2, windows=windows, ratio=0.0, spelling=spelling)


def _traffic(burn: Burn, *phases: Phase) -> Traffic:
    return Traffic(recorded(burn.objective.window)[0] / STEPS, phases)


def _busy(burn: Burn) -> float:
    """Return operations between two samples."""
    return PER_FAILURE * burn.objective.fewest_failures


def _check(burn: Burn, traffic: Traffic, windows: int) -> AlertCheck:
    """Return what has to fire after that many of the shortest window."""
    at = windows * recorded(burn.objective.window)[0]
    return AlertCheck(at, series.BURN_ALERT, alerts(burn, traffic, at))


def _case(
    burn: Burn,
    what: str,
    traffic: Traffic,
    checks: list[AlertCheck],
    samples: Sequence[SampleCheck] = (),
    spelling: int = 0,
) -> Case:
    inputs = traffic.inputs(burn.indicator, spelling)
    return Case(f"{burn.objective.name}: {what}", traffic.step, inputs, checks, samples)


def _outage(burn: Burn) -> Iterator[Case]:
    """Everything fails until the first alert has to fire; after the repair it ends."""
    severity = series.PAGE
    healthy = 2

    def traffic(failing: int, repaired: int) -> Traffic:
        shares = ((healthy, 0.0), (failing, 1.0), (repaired, 0.0))
        return _traffic(burn, *(Phase(windows * STEPS, _busy(burn), share) for windows, share in shares))

    def check(failing: int, windows: int) -> AlertCheck:
        return _check(burn, traffic(failing, LONGEST), windows)

    failing = _first(lambda failing: severity in _severities(check(failing, healthy + failing)))
    if failing is None:
        return
    checks = [check(failing, healthy), check(failing, healthy + failing)]
    end = healthy + failing
    repaired = _first(lambda after: severity not in _severities(check(failing, end + after)))
    if repaired is not None:
        checks.append(check(failing, end + repaired))
    yield _case(burn, "an outage, and its repair", traffic(failing, 1 + (repaired or 0)), checks)


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


def _slow_burn(burn: Burn) -> Iterator[Case]:
    """Failures slower than any page and faster than a ticket, through a restart of all counters."""
    pages = [tier.factor for tier in burn.tiers("page")]
    limit = min([*pages, 1 / burn.budget])
    slower = [tier.factor for tier in burn.tiers("ticket") if tier.factor < limit]
    share = math.sqrt(max(slower) * limit) * burn.budget
    before = Phase(3 * STEPS + STEPS // 2, _busy(burn), share)
    after = Phase(2 * STEPS, _busy(burn), share, restarted=True)
    traffic = _traffic(burn, before, after)
    try:
        check = _check(burn, traffic, 4)
    except UndecidedError:
        return
    shortest = recorded(burn.objective.window)[0]
    events = close(burn.recorded(series.EVENTS, shortest), _busy(burn) / traffic.step, 0.01)
    labels = {**burn.labels, series.SLO_WINDOW: name(shortest)}
    sample = SampleCheck(check.at, events, ((labels, 1.0),))
    yield _case(burn, "a slow burn through a counter reset", traffic, [check], [sample], spelling=1)


def _quiet(
    burn: Burn,
    what: str,
    phases: tuple[Phase, ...],
    *,
    at: int,
    windows: tuple[float, ...],
    ratio: float | None,
    spelling: int = 0,
) -> Case:
    """Nothing fires after `at` of the shortest window; ratios over `windows` are as given, or absent."""
    moment = at * recorded(burn.objective.window)[0]
    samples = []
    for window in windows:
        labels = {**burn.labels, series.SLO_WINDOW: name(window)}
        expression = f"abs({burn.recorded(series.ERROR_RATIO, window)} - {number(ratio or 0)}) < bool 0.001"
        samples.append(SampleCheck(moment, expression, () if ratio is None else ((labels, 1.0),)))
    check = AlertCheck(moment, series.BURN_ALERT)
    return _case(burn, what, _traffic(burn, *phases), [check], samples, spelling)

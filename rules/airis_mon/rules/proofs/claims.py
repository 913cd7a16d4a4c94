"""What has to be proven of a monitor, claim by claim.

A claim is about as little of a document as its rules can be derived from: then monitors that share it share
its proofs. Add one for what stands by itself, rather than a case to a claim that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from airis_mon.rules import (
    absence,
    anomalies,
    collection,
    drift,
    expectation,
    forecasts,
    maintenance,
    series,
    shapes,
    signals,
    tallies,
)
from airis_mon.rules import thresholds as held
from airis_mon.rules.alerts import Alert
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.drift import PAST, Watch
from airis_mon.rules.groups import Group
from airis_mon.rules.indicators import Counted, Freshness
from airis_mon.rules.money import ALERTS, Spending
from airis_mon.rules.proofs import (
    bounds,
    calendars,
    canaries,
    counts,
    drifts,
    expectations,
    features,
    footnotes,
    freshness,
    histories,
    incidents,
    long_windows,
    money,
    plausibility,
    readiness,
    standing,
    thresholds,
    values,
)
from airis_mon.rules.proofs import maintenance as maintained
from airis_mon.rules.proofs.case import Case
from airis_mon.rules.proofs.proof import Proof
from airis_mon.rules.windows import name, recorded
from airis_mon.spec import Events, Monitor

USUAL_STEP = 300.0


@dataclass(frozen=True)
class Claim:
    """That some rules do what the document says."""

    about: Monitor
    """What of the document they follow from."""
    groups: Callable[[Monitor], tuple[Group, ...]]
    """Rules of such a monitor."""
    proofs: Callable[[Monitor], Iterator[Proof]]
    """What has to hold of them."""


def claims(monitor: Monitor) -> Iterator[Claim]:
    """Yield every claim about a monitor; together they are about all of its rules."""
    for objective in monitor.objectives:
        yield Claim(shapes.of_objective(monitor, objective), _objective_groups, _objective)
    if monitor.thresholds:
        yield Claim(shapes.of_signals(monitor), collection.bounded_signals, _signals)
    for expected in expectation.expectations(monitor):
        yield Claim(shapes.of_expectation(monitor, expected.of), expectation.groups, _expectation)
    if monitor.cost is not None:
        yield Claim(shapes.of_cost(monitor), collection.of_cost, _cost)
    if monitor.drift is not None:
        yield Claim(shapes.of_drift(monitor), collection.of_drift, _drift)
    if monitor.canary is not None:
        yield Claim(shapes.of_canary(monitor), collection.of_canary, _canary)
    yield Claim(replace(monitor, maintenance=()), _standing_groups, _standing)
    for objective in monitor.objectives if monitor.maintenance else ():
        if objective.calendar is None:
            yield Claim(shapes.of_maintained(monitor, objective), maintenance.budgets, _maintained)
    yield Claim(shapes.of_guards(monitor), collection.guarding, _guarding)
    for objective in monitor.objectives:
        if isinstance(objective.indicator, Events):
            alone = shapes.of_guards(shapes.of_objective(monitor, objective))
            yield Claim(alone, _tallied_groups, _tallied)
    for planned in monitor.maintenance:
        yield Claim(shapes.of_maintenance(monitor, planned), maintenance.groups, _maintenance)


def _objective_groups(monitor: Monitor) -> tuple[Group, ...]:
    return collection.of_objective(monitor, *monitor.objectives)


def _objective(monitor: Monitor) -> Iterator[Proof]:
    (objective,) = monitor.objectives
    burn, groups, period = Burn(monitor, objective), _objective_groups(monitor), objective.window
    shortest, longest = recorded(period)[0], long_windows.step(period)
    ready = readiness.case(objective.name, tuple(readiness.objective(burn)), shortest)
    fresh = isinstance(burn.indicator, Freshness)
    cases = (thresholds.case(burn), *(() if fresh else incidents.cases(burn)), ready)
    yield Proof(f"burn-{name(period)}", groups, shortest, cases)
    if fresh:
        yield from freshness.proofs(burn, groups)
    reaching = (
        long_windows.promises([burn]),
        *(() if fresh else long_windows.windows(burn, longest)),
        long_windows.period(burn, longest)
        if objective.calendar is None
        else calendars.current(burn, objective.calendar, longest),
    )
    yield Proof(f"windows-{name(period)}", groups, longest, reaching)
    if objective.calendar is not None:
        labelled = tuple(group for group in groups if group.name.endswith(":period"))
        yield Proof("calendar", labelled, calendars.STEP, (calendars.turns(burn, objective.calendar),))


def _signals(monitor: Monitor) -> Iterator[Proof]:
    groups = collection.bounded_signals(monitor)
    found = signals.signals(monitor)
    step = max((signal.window for signal in found), default=USUAL_STEP)
    ready = readiness.case(monitor.name, tuple(readiness.bounded(monitor)), step)
    yield Proof("signals", groups, step, (*values.cases(found, step), ready))
    for history in held.histories(monitor):
        step, cases = histories.step(history), tuple(histories.cases(history))
        yield Proof(f"past-{name(step)}", groups, step, cases)
    waits = sorted({threshold.duration for threshold in monitor.thresholds})
    for wait in waits:
        # Together as far as they wait equally long: a proof is as fine as its shortest wait.
        together = [threshold for threshold in monitor.thresholds if threshold.duration == wait]
        step = wait or USUAL_STEP
        cases = tuple(bounds.case(monitor, threshold, step) for threshold in together)
        # What they read is given: they are alone.
        yield Proof(f"thresholds-{name(wait)}", collection.bounds(monitor), step, cases)


def _cost(monitor: Monitor) -> Iterator[Proof]:
    if monitor.cost is None:
        return
    spending, groups = Spending(monitor, monitor.cost), collection.of_cost(monitor)
    shortest, longest = spending.windows[0], money.step(spending)
    ready = readiness.case("cost", tuple(readiness.spending(spending)), shortest)
    # What is recorded is given there, so that nothing else may record it.
    alerting = tuple(group for group in groups if group.name.endswith(f":{ALERTS}"))
    yield Proof("cost-alerts", alerting, shortest, (money.thresholds(spending),))
    yield Proof("cost", groups, shortest, (money.without_price(spending), money.nothing(), ready))
    yield Proof("cost-windows", groups, longest, (money.windows(spending), money.period(spending)))


def _drift(monitor: Monitor) -> Iterator[Proof]:
    if monitor.drift is None:
        return
    watch, groups = Watch(monitor, monitor.drift), collection.of_drift(monitor)
    past = tuple(group for group in groups if group.name.endswith(f":{PAST}"))
    alerting = tuple(group for group in groups if group.name.endswith(f":{ALERTS}"))
    recorded = tuple(group for group in groups if group not in (*past, *alerting))
    window, waits = watch.drift.window, drift.waits(watch)
    ready = readiness.case("drift", tuple(readiness.features(watch)), watch.step)
    yield Proof("drift-rates", groups, watch.step, (features.rates(watch), ready, features.nothing()))
    yield Proof(f"drift-shares-{name(window)}", recorded, window, tuple(features.shares(watch)))
    yield Proof("drift-past", past, drift.HISTORY, tuple(features.past(watch)))
    # What they read is given: they are alone.
    yield Proof("drift-usual", alerting, drift.HISTORY, tuple(features.usual(watch)))
    yield Proof(f"drift-alerts-{name(waits)}", alerting, waits, tuple(drifts.alerts(watch)))


def _canary(monitor: Monitor) -> Iterator[Proof]:
    if monitor.canary is not None:
        groups, step = collection.of_canary(monitor), canaries.STEP
        ready = readiness.case("canary", (readiness.versions(monitor, monitor.canary),), step)
        yield Proof("canary", groups, step, (*canaries.cases(monitor, monitor.canary), ready))


def _standing_groups(monitor: Monitor) -> tuple[Group, ...]:
    apart = (
        *collection.bounded_signals(monitor),
        *collection.guarding(monitor),
        *tallies.groups(monitor),
        *collection.of_cost(monitor),
        *expectation.groups(monitor),
        *collection.of_drift(monitor),
        *collection.of_canary(monitor),
    )
    elsewhere = {group.name for group in apart}
    return tuple(group for group in collection.groups(monitor) if group.name not in elsewhere)


def _expectation(monitor: Monitor) -> Iterator[Proof]:
    for expected in expectation.expectations(monitor):
        yield from expectations.proofs(expected)


def _maintained(monitor: Monitor) -> Iterator[Proof]:
    (objective,) = monitor.objectives
    burn, groups = Burn(monitor, objective), maintenance.budgets(monitor)
    shortest, longest = recorded(objective.window)[0], long_windows.step(objective.window)
    yield Proof("maintained", groups, shortest, (maintained.failures(burn, shortest),))
    period = long_windows.maintained(burn, longest)
    yield Proof(f"maintained-{name(objective.window)}", groups, longest, (period,))


def _maintenance(monitor: Monitor) -> Iterator[Proof]:
    (planned,) = monitor.maintenance
    yield from maintained.proofs(monitor, planned)


def _standing(monitor: Monitor) -> Iterator[Proof]:
    step = standing_step(monitor)
    yield Proof("standing", _standing_groups(monitor), step, tuple(_standing_cases(monitor, step)))


def _guarding(monitor: Monitor) -> Iterator[Proof]:
    groups = collection.guarding(monitor)
    if groups:
        yield Proof("guards", groups, plausibility.step(monitor), tuple(plausibility.cases(monitor)))


def _tallied_groups(monitor: Monitor) -> tuple[Group, ...]:
    return tuple(tallies.groups(monitor))


def _tallied(monitor: Monitor) -> Iterator[Proof]:
    (objective,) = monitor.objectives
    burn = Burn(monitor, objective)
    if isinstance(burn.indicator, Counted):
        step, cases = counts.step(burn), tuple(counts.cases(burn, burn.indicator))
        yield Proof("own-guards", _tallied_groups(monitor), step, cases)


def standing_step(monitor: Monitor) -> float:
    """Return seconds between evaluations that are no longer than any `for`."""
    waits = (alert.duration for alert in _standing_alerts(monitor) if alert.duration)
    return min(waits, default=USUAL_STEP)


def _standing_alerts(monitor: Monitor) -> Iterator[Alert]:
    yield from absence.alerts(monitor)
    yield from anomalies.alerts(monitor)
    yield from (reach.alert() for reach in forecasts.reaches(monitor))


def _needing(monitor: Monitor) -> bool:
    """Tell whether any alert that is proven together with the one on blind alerts needs series."""
    return any(watched.alternatives != ((),) for watched in readiness.monitor(monitor))


def _standing_cases(monitor: Monitor, step: float) -> Iterator[Case]:
    for anomaly in monitor.anomalies:
        yield standing.anomaly(monitor, anomaly, step)
        yield standing.anomaly_without_band(monitor, anomaly, step)
        yield from footnotes.anomaly(monitor, anomaly, step)
        if anomaly.page_after is not None:
            yield standing.anomaly_that_pages(monitor, anomaly, step)
    for reach in forecasts.reaches(monitor):
        yield from standing.forecast(reach, step)
        yield from footnotes.forecast(reach, step)
    yield from standing.silence(monitor, step)
    yield from standing.blind(monitor, step)
    yield readiness.case(monitor.name, tuple(readiness.monitor(monitor)), step)
    for unready in collection.unready_alerts(monitor):
        wait = standing.evaluations(unready, step)
        blind = readiness.blind if _needing(monitor) else readiness.recorded
        yield blind(monitor, unready, step, wait)
    others = (series.BURN_ALERT, series.ANOMALY_ALERT, series.FORECAST_ALERT, series.THRESHOLD_ALERT)
    yield standing.nothing(monitor, step, others)

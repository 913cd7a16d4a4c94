"""Proof of budgets in money: each tier at its threshold, how far windows reach, tokens without a price."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from airis_mon.exporters import series as exposed
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.literals import number
from airis_mon.rules.money import Spending, burn, unpriced
from airis_mon.rules.proofs import strangers
from airis_mon.rules.proofs.case import AlertCheck, Case, Input, SampleCheck, close, fired
from airis_mon.rules.proofs.counters import INSTANCE, INSTANCES, Counter
from airis_mon.rules.proofs.traffic import Phase, Traffic
from airis_mon.rules.windows import Tier, name

ABOVE, BELOW = 1.01, 0.99
STEPS = 20
"""Samples in the shortest window."""
BUSIER = 3.0
"""How much more was spent the longer ago: in each window, and in the older half of the shortest."""
LOUD = 1e6
"""Spent by others between two samples."""
STRETCH = 40
"""Samples of recorded money in each stretch of the budget's time, which has 288."""
WITHIN = 0.08
"""What Prometheus 3, whose ranges do not include their left end, may differ by."""


def step(spending: Spending) -> float:
    """Return seconds between two evaluations where windows are proven: the longest that is read as a rate."""
    return spending.windows[-2]


def thresholds(spending: Spending) -> Case:
    """Return the truth table of the tiers, one line per evaluation; in the end all is well."""
    every, moments = spending.windows[0], []
    for tier in spending.tiers:
        moments += [(tier, ABOVE, ABOVE), (tier, BELOW, ABOVE), (tier, ABOVE, BELOW)]
    checks = []
    for place, (tier, long, short) in enumerate(moments):
        alert = burn(spending, tier.severity)
        fires = min(long, short) > 1
        told = (fired(spending.monitor, alert, {}, short * tier.factor),) if fires else ()
        checks.append(AlertCheck(place * every, series.COST_ALERT, told))
    checks.append(AlertCheck(len(moments) * every, series.COST_ALERT))
    inputs = []
    for window in spending.windows:
        values = [*(_share(spending, moment, window) for moment in moments), 0.0]
        text = " ".join(map(number, values))
        inputs.append(Input(f"{series.COST}{name(window)}{_labels(spending)}", text))
        inputs += _recorded_strangers(spending, window, len(values))
    return Case("money is spent at each pace", every, tuple(inputs), checks)


def _share(spending: Spending, moment: tuple[Tier, float, float], window: float) -> float:
    tier, long, short = moment
    return {tier.long: long, tier.short: short}.get(window, 0.0) * tier.factor * spending.allowed


def windows(spending: Spending) -> Case:
    """Return the test of every window that is read as a rate: the longer ago, the more was spent."""
    *read, _ = spending.windows
    at, sample = 2 * step(spending), read[0] / STEPS
    edges = [0, STEPS // 2, *(round(window / sample) for window in read), round(at / sample)]
    phases = [
        Phase(oldest - newest, BUSIER**place)
        for place, (newest, oldest) in reversed(list(enumerate(itertools.pairwise(edges))))
        if oldest > newest
    ]
    traffic, budget = Traffic(sample, tuple(phases)), spending.cost.budget
    counted = {**spending.selector, exposed.CURRENCY: budget.currency}
    instances = (counted[INSTANCE],) if INSTANCE in counted else INSTANCES
    share = 1 / len(instances)
    inputs = [
        traffic.counter(Counter(exposed.COST, {**counted, INSTANCE: instance}, share, share))
        for instance in instances
    ]
    skipped = round(at / sample) - STEPS // 2
    loud = Traffic(sample, (Phase(STEPS, LOUD),))
    for other in strangers.neighbours(counted, counted):
        values = loud.counter(Counter(exposed.COST, other, 1.0, 1.0))
        inputs.append(Input(values.series, f"_x{skipped} {values.values}"))
    checks = []
    for window in read:
        expected = traffic.counts(window, at)[0] / window
        found = close(f"{series.COST}{name(window)}{_chosen(spending)}", expected, WITHIN)
        checks.append(SampleCheck(at, found, ((spending.labels, 1.0),)))
    return Case("money over each window", sample, tuple(inputs), samples=checks)


def period(spending: Spending) -> Case:
    """Return the test of the budget's own time, from money that is given as recorded.

    Before it much was spent; within it, in an early stretch twice as much as in a late one.
    """
    shortest, whole = spending.windows[0], spending.windows[-1]
    at = whole + step(spending)
    begin, end = round(step(spending) / shortest) + STRETCH // 2, round(at / shortest) - STRETCH
    early, late = (number(part * spending.allowed) for part in (2.0, 1.0))
    values = (
        f"{number(LOUD)}+0x{STRETCH - 1} {_gap(begin - STRETCH)} {early}+0x{STRETCH - 1} "
        f"{_gap(end - begin - STRETCH)} {late}+0x{STRETCH - 1}"
    )
    inputs = [Input(f"{series.COST}{name(shortest)}{_labels(spending)}", values)]
    for window in (shortest, whole):
        inputs += _recorded_strangers(spending, window, STRETCH, end)
    share = 3.0 * STRETCH * shortest / whole
    checks = [
        SampleCheck(at, close(expression, value, 0.02), ((spending.labels, 1.0),))
        for expression, value in (
            (f"{series.COST}{name(whole)}{_chosen(spending)}", share * spending.allowed),
            (f"{series.COST_REMAINING}{_chosen(spending)}", 1 - share),
        )
    ]
    return Case("what is left of the budget", shortest, tuple(inputs), samples=checks)


def without_price(spending: Spending) -> Case:
    """Return the test of tokens without a price: those of long ago are none of now, nor are others'."""
    alert, every = unpriced(spending), spending.windows[0]
    long = round(spending.tiers[0].long / every)
    values = f"5+0x{long + 1} 6+0x{2 * long + 4}"
    inputs = [Input(exposed.UNPRICED_TOKENS + matchers(spending.selector), values)]
    inputs += (
        Input(exposed.UNPRICED_TOKENS + matchers(other), f"0+7x{3 * long + 6}")
        for other in strangers.neighbours(spending.selector, spending.selector)
    )
    told = (fired(spending.monitor, alert, {}),)
    # The first reading of 6 is that of step `long + 2`.
    checks = [
        AlertCheck((long + 1) * every, alert.name),
        AlertCheck((long + 2) * every, alert.name, told),
        AlertCheck((2 * long) * every, alert.name, told),
        AlertCheck((2 * long + 4) * every, alert.name),
    ]
    return Case("tokens without a price", every, tuple(inputs), checks)


def nothing() -> Case:
    """Return the test of no data at all."""
    names = (series.COST_ALERT, series.UNPRICED_ALERT)
    return Case("no money and no tokens", 60.0, (), [AlertCheck(0.0, one) for one in names])


def _labels(spending: Spending) -> str:
    return matchers(dict(sorted(spending.labels.items())))


def _chosen(spending: Spending) -> str:
    return matchers({series.MONITOR: spending.monitor.name})


def _recorded_strangers(spending: Spending, window: float, steps: int, skipped: int = 0) -> Iterator[Input]:
    for other in strangers.neighbours(spending.labels, (series.MONITOR,)):
        yield strangers.steady(f"{series.COST}{name(window)}", other, LOUD, steps, skipped)


def _gap(steps: int) -> str:
    return f"stale _x{steps - 1}"

"""Proof of what takes days: how far each window reaches, and the whole period weighted by traffic."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.error_budget import MODE, SPEC
from airis_mon.rules.literals import number
from airis_mon.rules.proofs import strangers
from airis_mon.rules.proofs.case import Case, Input, SampleCheck, close
from airis_mon.rules.proofs.counters import counters, others
from airis_mon.rules.proofs.traffic import Phase, Traffic
from airis_mon.rules.windows import DAY, name, recorded

STEPS = 20
"""Samples in the shortest window."""
BUSIER = 3.0
"""How many times busier each window was than the next shorter one, so that no two of them are alike."""
LOUD = 1e6
"""Operations of others between two samples: more than ours in any window."""
FARTHEST, SERIES = 72, 6
"""Windows up to this many times the shortest one are proven with the same traffic where it is so many series:
promtool reads 10,000 samples in a query."""
FARTHEST_NATIVE = 24
"""The same for native histograms, of which each sample counts for many."""
LONGEST_STRETCH = 2000
"""Samples of recorded traffic within a period: two stretches of it are in one query."""
EVALUATIONS = 2
"""Evaluations in the longest window."""
PER_STEP, FLOOD = 8.0, 800.0
"""Operations between two samples, just before all fails and then: many, to weigh in a long window."""
WITHIN = 0.08
"""What Prometheus 3, whose ranges do not include their left end, may differ by in the shortest window."""
CLOSEST = 0.02
"""The same in windows of many samples."""


def step(period: float) -> float:
    """Return the seconds between two evaluations: a multiple of the samples' interval."""
    shortest, *_, longest = recorded(period)
    sample = shortest / STEPS
    return max(1, round(longest / EVALUATIONS / sample)) * sample


def windows(burn: Burn, every: float) -> Iterator[Case]:
    """Yield the tests of every window: a flood that fails, for half of the shortest window.

    Rates and ratios are then different over each window. Others' traffic and others' objectives must not
    count. Evaluations are `every` seconds apart.
    """
    left = list(recorded(burn.objective.window))
    read = counters(burn.indicator)
    farthest = FARTHEST * min(1.0, SERIES / len(read))
    if any(one.native for one in read):
        farthest = min(farthest, FARTHEST_NATIVE)
    while left:
        together = [window for window in left if window <= max(1.0, farthest) * left[0]]
        yield _windows(burn, every, together)
        left = left[len(together) :]


def _windows(burn: Burn, every: float, found: list[float]) -> Case:
    shortest, longest = found[0], found[-1]
    at = (longest // every + 1) * every
    steps = round(at / shortest * STEPS)
    # The last sample stands at the moment of the evaluation, or a part of a millisecond before it.
    sample, before = math.floor(at / steps * 1000) / 1000, steps - STEPS // 2
    flood = Phase(STEPS // 2, FLOOD, failing=1.0)
    oldest, *recent = _healthy(sample, found, steps)
    traffic = Traffic(sample, (oldest, *recent, flood))
    inputs = traffic.inputs(burn.indicator)
    if any(one.native for one in counters(burn.indicator)):
        # Longer windows, of which no sample is checked, would read too many.
        kept = min(STEPS, oldest.steps - 1)
        late = Traffic(sample, (replace(oldest, steps=kept), *recent, flood)).inputs(burn.indicator)
        inputs = tuple(Input(one.series, f"_x{oldest.steps - kept} {one.values}") for one in late)
    checks = []
    for window in found:
        labels = {**burn.labels, series.SLO_WINDOW: name(window)}
        operations, failures = traffic.counts(window, at)
        for prefix, value in (
            (series.EVENTS, operations / window),
            (series.FAILURES, failures / window),
            (series.ERROR_RATIO, failures / operations),
        ):
            # The fewer samples a window has, the more the one at its left end is.
            within = max(CLOSEST, WITHIN * shortest / window)
            expression = close(burn.recorded(prefix, window), value, within)
            checks.append(SampleCheck(at, expression, ((labels, 1.0),)))
    if shortest == recorded(burn.objective.window)[0]:
        operations, failures = traffic.counts(shortest, at)
        rate = failures / operations / burn.budget
        burns = close(burn.recorded(series.CURRENT_BURN_RATE), rate, WITHIN)
        checks.append(SampleCheck(at, burns, ((burn.labels, 1.0),)))
    return Case(
        f"{burn.objective.name}: {name(shortest)} to {name(longest)} reach as far as their names say",
        sample,
        (*inputs, *_strangers(burn, sample, found, before)),
        samples=checks,
    )


def _healthy(sample: float, found: list[float], steps: int) -> Iterator[Phase]:
    """Yield traffic that was the busier the longer ago, by the windows' edges, up to the flood.

    Between two edges all of it is in the older half: what looks back half as far sees another rate.
    """
    edges = [STEPS // 2, *(round(window / sample) for window in found), steps]
    for older, (newest, oldest) in reversed(list(enumerate(itertools.pairwise(edges)))):
        busy, length = PER_STEP * BUSIER**older, oldest - newest
        if older == len(found):  # beyond all windows
            yield Phase(length, busy)
        elif length > 1:
            yield Phase(length - length // 2, 2 * busy)
            yield Phase(length // 2, 0.0)


def _strangers(burn: Burn, sample: float, found: list[float], skipped: int) -> Iterator[Input]:
    """Yield traffic of other sources, and what is recorded for other objectives, around the last moment."""
    loud = Traffic(sample, (Phase(STEPS, LOUD, failing=0.5),))
    for one in map(loud.counter, others(burn.indicator)):
        yield Input(one.series, f"_x{skipped} {one.values}")
    for window in found:
        for prefix, value in ((series.EVENTS, 1000.0), (series.FAILURES, 300.0), (series.ERROR_RATIO, 1.0)):
            yield from strangers.recorded(burn, prefix, window, value, STEPS, skipped)


def period(burn: Burn, every: float) -> Case:
    """Return the test of the whole period, from operations and failures that are given as recorded.

    Before the period all failed. Within it, a busy stretch without failures and a quiet one with a tenth of
    its traffic: weighted, failures there count for an eleventh, where a mean of ratios would say a half. So
    little of it all that any other limit than none would show.
    """
    length, shortest = burn.objective.window, recorded(burn.objective.window)[0]
    stretch = min(round(length / 20 / shortest), LONGEST_STRETCH)
    at = math.ceil((length + 2 * stretch * shortest) / every) * every
    # Half of the budget, if a stretch that failed altogether can spend that much.
    failing = min(1.0, 11 * 0.5 * burn.budget)
    ratio = failing / 11
    begin, end = round((at - length) / shortest) + stretch, round(at / shortest) - stretch
    events = _recorded(burn, series.EVENTS, stretch, begin, end, (1e-3, 1e-4, 1e-5))
    failures = _recorded(burn, series.FAILURES, stretch, begin, end, (1e-3, 0.0, 1e-5 * failing))
    whole = {**burn.labels, series.SLO_WINDOW: name(length)}
    weighted = close(burn.recorded(series.ERROR_RATIO, length), ratio, 0.02)
    rate = close(burn.recorded(series.PERIOD_BURN_RATE), ratio / burn.budget, 0.02)
    left = close(burn.recorded(series.BUDGET_REMAINING), 1 - ratio / burn.budget, 0.02)
    return Case(
        f"{burn.objective.name}: the whole period, weighted by traffic",
        shortest,
        (events, failures, *_recorded_strangers(burn, shortest, stretch, end)),
        samples=[
            SampleCheck(at, weighted, ((whole, 1.0),)),
            SampleCheck(at, rate, ((burn.labels, 1.0),)),
            SampleCheck(at, left, ((burn.labels, 1.0),)),
        ],
    )


def maintained(burn: Burn, every: float) -> Case:
    """Return the test of what maintenance cost over the whole period, from what is given as recorded."""
    length, shortest = burn.objective.window, recorded(burn.objective.window)[0]
    stretch = min(round(length / 20 / shortest), LONGEST_STRETCH)
    at = math.ceil((length + 2 * stretch * shortest) / every) * every
    begin, end = round((at - length) / shortest) + stretch, round(at / shortest) - stretch
    events = _recorded(burn, series.EVENTS, stretch, begin, end, (1e-3, 1e-4, 1e-5))
    failures = _recorded(burn, series.MAINTENANCE_FAILURES, stretch, begin, end, (1e-3, 0.0, 1e-5))
    spent = close(burn.recorded(series.BUDGET_IN_MAINTENANCE), 1 / 11 / burn.budget, 0.02)
    others = [
        one
        for prefix in (series.EVENTS, series.MAINTENANCE_FAILURES)
        for one in strangers.recorded(burn, prefix, shortest, 1000.0, stretch, end)
    ]
    return Case(
        f"{burn.objective.name}: what of the whole period's budget maintenance cost",
        shortest,
        (events, failures, *others),
        samples=[SampleCheck(at, spent, ((burn.labels, 1.0),))],
    )


def _recorded_strangers(burn: Burn, shortest: float, steps: int, skipped: int) -> Iterator[Input]:
    for prefix, window in (
        (series.EVENTS, shortest),
        (series.FAILURES, shortest),
        (series.ERROR_RATIO, burn.objective.window),
        (series.PERIOD_BURN_RATE, None),
    ):
        # One more than our own last one: Prometheus 3 no longer sees what is as old as it looks back.
        yield from strangers.recorded(burn, prefix, window, 1000.0, steps + 1, skipped)


def _recorded(
    burn: Burn, prefix: str, stretch: int, begin: int, end: int, rates: tuple[float, float, float]
) -> Input:
    """Return a recorded series of three stretches: from the start, from step `begin`, from step `end`."""
    window = recorded(burn.objective.window)[0]
    first, busy, quiet = (f"{number(rate)}+0x{stretch - 1}" for rate in rates)
    labels = matchers({**burn.labels, series.SLO_WINDOW: name(window)})
    values = f"{first} {_silence(begin - stretch)} {busy} {_silence(end - begin - stretch)} {quiet}"
    return Input(f"{prefix}{name(window)}{labels}", values)


def _silence(steps: int) -> str:
    return f"stale _x{steps - 1}"


def promises(burns: Sequence[Burn]) -> Case:
    """Return the test of what is known without any traffic: targets, budgets and periods."""
    checks = []
    for burn in burns:
        target = number(float(f"{burn.objective.target * 100:.12g}"))
        info = {**burn.labels, "sloth_mode": MODE, "sloth_objective": target, "sloth_spec": SPEC}
        for recorded_as, labels, value in (
            (series.OBJECTIVE, burn.labels, burn.objective.target),
            (series.ERROR_BUDGET, burn.labels, burn.budget),
            (series.TIME_PERIOD, burn.labels, burn.objective.window / DAY),
            (series.INFO, info, 1.0),
        ):
            expression = burn.recorded(recorded_as)
            checks.append(SampleCheck(0.0, expression, ((labels, value),), recorded_as))
    return Case("every promise is a series", 60.0, (), samples=checks)

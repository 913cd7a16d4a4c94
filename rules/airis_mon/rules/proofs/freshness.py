"""Proof of an objective on the age of an update, from the timestamps to the alerts.

Looks at the timestamps stand at multiples of their own step. Evaluations are a little off, so that a range is
the same in Prometheus 2 and 3, which differ in whether it includes its left end.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.groups import Group
from airis_mon.rules.indicators import Freshness
from airis_mon.rules.literals import number
from airis_mon.rules.proofs import strangers
from airis_mon.rules.proofs.case import AlertCheck, Case, Input, SampleCheck, close
from airis_mon.rules.proofs.counters import INSTANCE, INSTANCES
from airis_mon.rules.proofs.proof import Proof
from airis_mon.rules.proofs.traffic import Phase, Traffic
from airis_mon.rules.proofs.verdicts import UndecidedError, alerts
from airis_mon.rules.windows import name, recorded

PARTS = 4
"""Samples between two evaluations at least."""
BEYOND, JUST_BEYOND, JUST_WITHIN = 3.0, 1.01, 0.99
"""Ages as shares of the one that is allowed."""
FINE = 0.1
"""Share of the age that is allowed, by which one may grow between two readings near the limit."""
LONGEST = 100
"""Evaluations after which a search for a decided moment ends."""
NEAR, WITHIN = 0.001, 0.08
"""What a share may differ by that is all or nothing, and one that begins between two looks."""


@dataclass(frozen=True)
class Stretch:
    """A time in which a timestamp is read."""

    samples: int
    age: float | None
    """Seconds that it is old when read, below zero in the future; None where there is none."""
    stands: bool = False
    """Whether it stays what it was when the stretch began, rather than equally old."""


@dataclass(frozen=True)
class Clock:
    """When timestamps are read, and when rules are evaluated."""

    sample: float
    """Seconds between two readings; shorter than any age that is told apart."""
    samples: int
    """Between two evaluations."""

    @classmethod
    def of(cls, burn: Burn, what: Freshness) -> Clock:
        """Return it for two evaluations, and a little more, in the shortest window."""
        half = recorded(burn.objective.window)[0] / 2
        samples = max(PARTS, math.ceil(half / what.within))
        return cls((math.ceil(half / samples * 1000) + 1) / 1000, samples)

    @property
    def step(self) -> float:
        """Seconds between two evaluations."""
        return round(self.sample * self.samples, 3)


@dataclass(frozen=True)
class Looks(Traffic):
    """Seconds as traffic: those that the looks within a window stand for, as many as there were."""

    what: Freshness

    def counts(self, window: float, at: float) -> tuple[float, float]:
        """Return seconds, and those that were too old."""
        look = round(self.what.step(window) * 1000)
        end, begin = round(at * 1000), round((at - window) * 1000)
        seen = range(max(begin // look + 1, 0), end // look + 1)
        bounds = [round(one * self.step * 1000) for one in accumulate(phase.steps for phase in self.phases)]
        stale = sum(self.phases[bisect(bounds, one * look)].failing for one in seen)
        return len(seen) * look / 1000, stale * look / 1000


def proofs(burn: Burn, groups: Sequence[Group]) -> Iterator[Proof]:
    """Yield what stands in place of traffic: minutes in one proof, and days in the other."""
    what = burn.indicator
    if not isinstance(what, Freshness):
        return
    clock = Clock.of(burn, what)
    yield Proof("fresh", groups, clock.step, tuple(_minutes(burn, what, clock)))
    every = max(1, round(recorded(burn.objective.window)[-1] / 2 / clock.step))
    step = round(every * clock.step, 3)
    yield Proof("fresh-windows", groups, step, tuple(_days(burn, what, clock, step)))


def _minutes(burn: Burn, what: Freshness, clock: Clock) -> Iterator[Case]:
    yield _edges(burn, what, clock)
    yield from _limits(burn, what, clock)
    yield from _outage(burn, what, clock)
    every = recorded(burn.objective.window)
    fresh, stale = Stretch(6 * clock.samples, _young(what)), Stretch(6 * clock.samples, _old(what))
    absent = Stretch(6 * clock.samples, None)
    yield _steady(
        burn, what, clock, "fresh all along", ([fresh], [fresh]), dict.fromkeys(every, 0.0), _old(what)
    )
    one = "fresh in one instance, and set back by a restart of the other"
    back = [Stretch(2 * clock.samples, _young(what)), Stretch(4 * clock.samples, _old(what), stands=True)]
    yield _steady(burn, what, clock, one, (back, [fresh]), dict.fromkeys(every, 0.0), _old(what))
    shortest = {every[0]: 1.0}
    both = "set back by a restart of all"
    yield _steady(burn, what, clock, both, (back, back), shortest, _young(what), alerting=False)
    other = "too old, while others are fresh"
    yield _steady(
        burn, what, clock, other, ([stale], [stale]), dict.fromkeys(every, 1.0), _young(what), alerting=False
    )
    none = "nothing is told of an update"
    yield _steady(burn, what, clock, none, ([absent], [absent]), dict.fromkeys(every), _young(what))
    yield _standing_still(burn, what, clock)


def _young(what: Freshness) -> float:
    """Return the age at a reading after which it stays young up to the next one."""
    return -what.within / 2


def _old(what: Freshness) -> float:
    return what.within * BEYOND


def _values(stretches: Iterable[Stretch], sample: float) -> str:
    """Return timestamps as promtool writes them."""
    parts, begun, there = [], 0, False
    for one in stretches:
        if one.age is None:
            parts.append(
                "stale" + f" _x{one.samples - 1}" * (one.samples > 1) if there else f"_x{one.samples}"
            )
        else:
            first = round(begun * sample - one.age, 3)
            slope = "0" if one.stands else number(sample)
            parts.append(f"{number(first)}+{slope}x{one.samples - 1}" if one.samples > 1 else number(first))
        begun, there = begun + one.samples, one.age is not None
    return " ".join(parts)


def _inputs(
    what: Freshness, sample: float, instances: Sequence[Sequence[Stretch]], strange: float
) -> Iterator[Input]:
    """Yield the timestamps of our instances, and of other sources, of one age all along."""
    for instance, stretches in zip(INSTANCES, instances, strict=False):
        yield _input(what, {INSTANCE: instance, **what.selector}, _values(stretches, sample))
    whole = max(sum(one.samples for one in stretches) for stretches in instances)
    for labels in strangers.neighbours(what.selector, what.selector):
        yield _input(what, labels, _values([Stretch(whole, strange)], sample))


def _input(what: Freshness, labels: Mapping[str, str], values: str) -> Input:
    return Input(what.metric + matchers(dict(sorted(labels.items()))), values)


def _is(burn: Burn, prefix: str, window: float, value: float | None, at: float) -> SampleCheck:
    """Return the check that something is recorded with a value, or absent."""
    expression = f"abs({burn.recorded(prefix, window)} - {number(value or 0.0)}) < bool {number(NEAR)}"
    labels = {**burn.labels, series.SLO_WINDOW: name(window)}
    return SampleCheck(at, expression, () if value is None else ((labels, 1.0),))


def _all(burn: Burn, window: float, share: float | None, at: float) -> Iterator[SampleCheck]:
    """Yield the checks of a share of a window, None where there is no timestamp."""
    yield _is(burn, series.EVENTS, window, None if share is None else 1.0, at)
    yield _is(burn, series.FAILURES, window, share, at)
    yield _is(burn, series.ERROR_RATIO, window, share, at)


def _steady(
    burn: Burn,
    what: Freshness,
    clock: Clock,
    told: str,
    instances: Sequence[Sequence[Stretch]],
    shares: Mapping[float, float | None],
    strange: float,
    *,
    alerting: bool = True,
) -> Case:
    """Return the test of shares at one moment; nothing fires where that is said."""
    at = 5 * clock.step
    checks = [check for window, share in shares.items() for check in _all(burn, window, share, at)]
    inputs = tuple(_inputs(what, clock.sample, instances, strange))
    quiet = [AlertCheck(at, series.BURN_ALERT)] if alerting else []
    return Case(f"{burn.objective.name}: {told}", clock.sample, inputs, quiet, checks)


def _edges(burn: Burn, what: Freshness, clock: Clock) -> Case:
    """Return the test of ages at both edges, read at each look; as far in the future is too old as well."""
    shortest = recorded(burn.objective.window)[0]
    look = what.step(shortest)
    samples = math.ceil((shortest + 2 * clock.step) / look) + 1
    shares = [JUST_WITHIN, JUST_BEYOND, -JUST_WITHIN, -JUST_BEYOND, 0.0, -1e9]
    checks: list[SampleCheck] = []
    for place, share in enumerate(shares):
        # The first evaluation whose window lies within the stretch.
        at = math.ceil((place * samples * look + shortest + look) / clock.step) * clock.step
        checks += _all(burn, shortest, float(abs(share) > 1), round(at, 3))
    stretches = [Stretch(samples, share * what.within) for share in shares]
    inputs = tuple(_inputs(what, look, (stretches,), _young(what)))
    title = f"{burn.objective.name}: just young enough, just too old, and in the future"
    return Case(title, look, inputs, samples=checks)


def _limits(burn: Burn, what: Freshness, clock: Clock) -> Iterator[Case]:
    """Yield the tests of an age a little under its limit, and a little over it, over every window."""
    sample = math.floor(min(clock.sample, what.within * FINE) * 1000) / 1000
    samples, at = math.ceil(6 * clock.step / sample), 5 * clock.step
    # Up to the next reading it grows by a tenth.
    for told, share, expected in (("under", 0.85, 0.0), ("over", 1.05, 1.0)):
        inputs = tuple(_inputs(what, sample, ([Stretch(samples, share * what.within)],), _old(what)))
        checks = [
            check for window in recorded(burn.objective.window) for check in _all(burn, window, expected, at)
        ]
        title = f"{burn.objective.name}: a little {told} the limit, over every window"
        yield Case(title, sample, inputs, samples=checks)


def _standing_still(burn: Burn, what: Freshness, clock: Clock) -> Case:
    """Return the test of a timestamp that stands still and becomes too old half a window ago."""
    shortest, at = recorded(burn.objective.window)[0], 5 * clock.step
    left = at - shortest / 2 - what.within
    moving = max(0, math.floor(left / clock.sample))
    stretches = [
        *([Stretch(moving, _young(what))] if moving else []),
        Stretch(6 * clock.samples - moving, moving * clock.sample - left, stands=True),
    ]
    labels = {**burn.labels, series.SLO_WINDOW: name(shortest)}
    checks = [
        SampleCheck(at, close(burn.recorded(prefix, shortest), 0.5, WITHIN), ((labels, 1.0),))
        for prefix in (series.FAILURES, series.ERROR_RATIO)
    ]
    inputs = tuple(_inputs(what, clock.sample, (stretches,), _old(what)))
    title = f"{burn.objective.name}: it stands still, and is too old half a window later"
    return Case(title, clock.sample, inputs, samples=checks)


def _outage(burn: Burn, what: Freshness, clock: Clock) -> Iterator[Case]:
    """Yield the test of updates that stop until the first page has to fire, and come back."""
    fresh = 4

    def traffic(stale: int, repaired: int) -> Traffic:
        shares = ((fresh, 0.0), (stale, 1.0), (repaired, 0.0))
        return Looks(clock.step, tuple(Phase(steps, clock.step, share) for steps, share in shares), what)

    def check(stale: int, evaluation: int) -> AlertCheck:
        at = round(evaluation * clock.step, 3)
        return AlertCheck(at, series.BURN_ALERT, alerts(burn, traffic(stale, LONGEST), at))

    def pages(found: AlertCheck) -> bool:
        return series.PAGE in {alert.labels[series.SEVERITY] for alert in found.fired}

    def first(stale: int | None, page: bool) -> int | None:
        for count in range(1, LONGEST):
            try:
                found = check(count, fresh + count) if stale is None else check(stale, fresh + stale + count)
            except UndecidedError:
                continue
            if pages(found) == page:
                return count
        return None

    stale = first(None, page=True)
    if stale is None:
        return
    repaired = first(stale, page=False)
    checks = [check(stale, fresh), check(stale, fresh + stale)]
    if repaired is not None:
        checks.append(check(stale, fresh + stale + repaired))
    ages = ((fresh, _young(what)), (stale, _old(what)), (1 + (repaired or 0), _young(what)))
    stretches = [Stretch(steps * clock.samples, age) for steps, age in ages]
    inputs = tuple(_inputs(what, clock.sample, (stretches, stretches), _young(what)))
    yield Case(f"{burn.objective.name}: updates stop, and come back", clock.sample, inputs, checks)


def _days(burn: Burn, what: Freshness, clock: Clock, step: float) -> Iterator[Case]:
    """Yield the tests of how far each window reaches, and of the part of it that counts."""
    windows = recorded(burn.objective.window)
    whole = math.ceil(2.2 * windows[-1] / step)
    at, samples = round(whole * step, 3), round(whole * step / clock.sample)
    # Between any window and its half, and between it and its double.
    gone = {round(part * window, 3) for window in windows for part in (0.75, 1.5)}
    there = math.ceil(2 * max(map(what.step, windows)) / clock.sample)
    for ago in sorted(gone):
        after = round(ago / clock.sample)
        stretches = [
            Stretch(samples - there - after, None),
            Stretch(there, _old(what)),
            Stretch(after + PARTS, None),
        ]
        checks = [
            check
            for window in windows
            for check in _all(burn, window, 1.0 if window > after * clock.sample else None, at)
        ]
        yield _reach(burn, what, clock, f"gone for {name(ago)}", stretches, checks, samples)
    for window in windows:
        stale = round(0.4 * window / clock.sample)
        before = min(samples - stale, math.ceil(1.2 * window / clock.sample))
        stretches = [
            Stretch(samples - stale - before, None),
            Stretch(before, _young(what)),
            Stretch(stale + PARTS, _old(what)),
        ]
        share = stale * clock.sample / window
        labels = {**burn.labels, series.SLO_WINDOW: name(window)}
        found = [
            SampleCheck(at, close(burn.recorded(prefix, window), share, WITHIN), ((labels, 1.0),))
            for prefix in (series.FAILURES, series.ERROR_RATIO)
        ]
        if window == windows[0]:
            rate = close(burn.recorded(series.CURRENT_BURN_RATE), share / burn.budget, WITHIN)
            found.append(SampleCheck(at, rate, ((burn.labels, 1.0),)))
        told = f"too old for two fifths of {name(window)}"
        yield _reach(burn, what, clock, told, stretches, found, samples)


def _reach(
    burn: Burn,
    what: Freshness,
    clock: Clock,
    told: str,
    stretches: Sequence[Stretch],
    checks: Sequence[SampleCheck],
    samples: int,
) -> Case:
    """Return a test in which others are fresh, and other objectives are recorded, at the last moment."""
    kept = [one for one in stretches if one.samples > 0]
    inputs = [_input(what, {INSTANCE: INSTANCES[0], **what.selector}, _values(kept, clock.sample))]
    # An older one is there wherever the newest is: it does not count.
    older = [one if one.age is None else Stretch(one.samples, one.age + _old(what)) for one in kept]
    inputs.append(_input(what, {INSTANCE: INSTANCES[1], **what.selector}, _values(older, clock.sample)))
    skipped = samples - PARTS
    late = [Stretch(skipped, None), Stretch(2 * PARTS, _young(what))]
    others = strangers.neighbours(what.selector, what.selector)
    inputs += [_input(what, labels, _values(late, clock.sample)) for labels in others]
    for window in recorded(burn.objective.window):
        for prefix, value in ((series.EVENTS, 1000.0), (series.FAILURES, 300.0), (series.ERROR_RATIO, 1.0)):
            inputs += strangers.recorded(burn, prefix, window, value, 2 * PARTS, skipped)
    return Case(f"{burn.objective.name}: {told}", clock.sample, tuple(inputs), samples=checks)

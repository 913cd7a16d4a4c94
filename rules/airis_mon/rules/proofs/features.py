"""Proof of what is recorded of features: shares, distances and their past as they follow from counters.

Values of PSI are computed here from the document's reference and the shares that are given.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from airis_mon.exporters import series as exposed
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import drift, series
from airis_mon.rules.drift import Watch
from airis_mon.rules.literals import number
from airis_mon.rules.proofs import strangers
from airis_mon.rules.proofs.case import AlertCheck, Case, Input, SampleCheck, close
from airis_mon.rules.proofs.counters import INSTANCE, INSTANCES
from airis_mon.rules.proofs.standing import steadily
from airis_mon.spec import Distribution

SAMPLES = 10
"""Readings in the range of a rate."""
WITHIN = 0.005
"""What values may be off by."""
AT_EDGES = 0.02
"""What Prometheus 3, whose ranges do not include their left end, may differ by."""
LOUD = 1e6
"""Value of what must not count."""
TINY = 1e-9
EMPTY = 0.0001
"""Share that a bin without values is taken to have."""


def psi(now: Sequence[float], before: Sequence[float]) -> float:
    """Return the population stability index of shares against others; the empty ones count as EMPTY."""
    pairs = [(max(one, EMPTY), max(other, EMPTY)) for one, other in zip(now, before, strict=True)]
    return math.fsum((one - other) * math.log(one / other) for one, other in pairs)


def js_distance(now: Sequence[float], before: Sequence[float]) -> float:
    """Return the Jensen-Shannon distance of shares, base 2."""
    pairs = [(max(one, EMPTY), max(other, EMPTY)) for one, other in zip(now, before, strict=True)]
    return math.sqrt(
        math.fsum(
            one * math.log2(2 * one / (one + other)) + other * math.log2(2 * other / (one + other))
            for one, other in pairs
        )
        / 2
    )


def rates(watch: Watch) -> Case:
    """Return the test of the rates: of all processes, one of which begins anew; and of nobody else."""
    feature = watch.drift.distributions[0]
    bins = [bin_ for bin_, _ in feature.bins][:2]
    selector, sample = watch.selector, watch.step / SAMPLES
    instances = (selector[INSTANCE],) if INSTANCE in selector else INSTANCES
    inputs = []
    for place, bin_ in enumerate(bins, 1):
        own = {exposed.FEATURE: feature.feature, exposed.BIN: bin_}
        for instance in instances:
            labels = {**selector, INSTANCE: instance, **own}
            # A busy past, which the range must not reach; then twice as much, a restart, and once as much.
            values = f"0+100x{2 * SAMPLES - 1} 0+{2 * place}x{SAMPLES // 2} {place}+{place}x{SAMPLES}"
            inputs.append(given(exposed.FEATURE_BINS, labels, values))
        inputs += [
            given(exposed.FEATURE_BINS, other, "0+1000x60")
            for other in strangers.neighbours({**selector, **own}, selector)
        ]
    at = 3 * watch.step
    checks = [
        SampleCheck(
            at,
            close(_of(watch.rate, watch, feature.feature, bin_), 1.5 * place * len(instances) / sample, 0.06),
            ((labels_of(watch, feature.feature, bin_), 1.0),),
        )
        for place, bin_ in enumerate(bins, 1)
    ]
    counted = SampleCheck(at, f"count({watch.rate})", (({}, float(len(bins))),))
    return Case("values of features per second", sample, tuple(inputs), samples=[*checks, counted])


def nothing() -> Case:
    """Return the test of no data at all."""
    checks = [SampleCheck(0.0, one) for one in (series.OBSERVATIONS, series.SHARE, series.PSI, series.JS)]
    return Case("no features", 60.0, (), [AlertCheck(0.0, series.DRIFT_ALERT)], checks)


def shares(watch: Watch) -> Iterator[Case]:
    """Yield the tests of what follows from the rates: the reference, shares, distances."""
    yield _reference(watch)
    for feature in watch.drift.distributions:
        count = len(feature.bins)
        same = [share for _, share in feature.bins]
        shifted = [float(place + 1) for place in range(count)]
        yield _distances(watch, feature, "as it was", same, len(same))
        yield _distances(watch, feature, "shifted", shifted, count)
        # The last bin has no series at all, the first is there and empty.
        yield _distances(watch, feature, "a bin that was never seen", [0.0, *shifted[1:-1], 0.0], count - 1)
    yield _few(watch)


def _reference(watch: Watch) -> Case:
    samples = tuple(
        (labels_of(watch, one.feature, bin_), max(share, EMPTY))
        for one in watch.drift.distributions
        for bin_, share in one.bins
    )
    check = SampleCheck(0.0, series.REFERENCE_SHARE, samples, series.REFERENCE_SHARE)
    return Case("the reference", 60.0, (), samples=[check])


def _distances(watch: Watch, feature: Distribution, what: str, weights: Sequence[float], there: int) -> Case:
    """Return the test of a feature whose values fall into its bins by weight; `there` bins have a series.

    Before the window, all fell into the last one. In the window's first half there is twice the traffic.
    """
    window, step = watch.drift.window, watch.step
    half, total = round(window / step / 2), math.fsum(weights)
    now = [weight / total for weight in weights]
    before = [share for _, share in feature.bins]
    inputs = []
    for place, (bin_, _) in enumerate(feature.bins[:there]):
        past = LOUD if place == there - 1 else 0.0
        stretches = ((past, 2 * half), (2 * now[place], half), (now[place], half + 2))
        inputs.append(given(watch.rate, labels_of(watch, feature.feature, bin_), steadily(*stretches)))
    at = 2 * window
    own = labels_of(watch, feature.feature, feature.bins[0][0])
    inputs += [
        given(watch.rate, other, f"{number(LOUD)}+0x{4 * half + 2}")
        for other in strangers.neighbours(own, (series.MONITOR,))
    ]
    # What is recorded of others; its bins are ours.
    for metric, value in (
        (series.FEATURE_VALUES, LOUD),
        (series.OBSERVATIONS, LOUD),
        (series.SHARE, 0.7),
        (series.REFERENCE_SHARE, 0.1),
    ):
        labels = {**own, series.MONITOR: f"{watch.monitor.name}-other"}
        if metric == series.OBSERVATIONS:
            del labels[exposed.BIN]
        inputs.append(given(metric, labels, f"{number(value)}+0x{4 * half + 2}"))
    of_feature = labels_of(watch, feature.feature)
    # Prometheus 3 does not count the left end of a range, where there is more than on average, and 2 does;
    # and halves of an odd number of steps are not equal.
    values, edges = 1.5 * window, 2 * step / window + WITHIN
    checks = [
        SampleCheck(at, close(_of(metric, watch, feature.feature), value, within), ((of_feature, 1.0),))
        for metric, value, within in (
            (series.OBSERVATIONS, values, edges),
            (series.PSI, psi(now, before), WITHIN),
            (series.JS, js_distance(now, before), WITHIN),
        )
        if value > TINY
    ]
    for place, (bin_, _) in enumerate(feature.bins[:there]):
        if now[place]:
            counted = close(
                _of(series.FEATURE_VALUES, watch, feature.feature, bin_), now[place] * values, edges
            )
            checks.append(SampleCheck(at, counted, ((labels_of(watch, feature.feature, bin_), 1.0),)))
    for place, (bin_, _) in enumerate(feature.bins):
        expected = close(_of(series.SHARE, watch, feature.feature, bin_), max(now[place], EMPTY), WITHIN)
        checks.append(SampleCheck(at, expected, ((labels_of(watch, feature.feature, bin_), 1.0),)))
    if psi(now, before) <= TINY:
        unmoved = f"{_of(series.PSI, watch, feature.feature)} < bool {number(1e-6)}"
        checks.append(SampleCheck(at, unmoved, ((of_feature, 1.0),)))
    mine = matchers({series.MONITOR: watch.monitor.name})
    for metric, found in ((series.SHARE, len(feature.bins)), (series.PSI, 1), (series.JS, 1)):
        checks.append(SampleCheck(at, f"count({metric}{mine})", (({}, float(found)),)))
    return Case(f"{feature.feature}: {what}", step, tuple(inputs), samples=checks)


def _few(watch: Watch) -> Case:
    """Return the test of half a value: it is there, and of none there is nothing."""
    first, *others = watch.drift.distributions
    window, step = watch.drift.window, watch.step
    count = round(window / step)
    inputs = [
        given(
            watch.rate,
            labels_of(watch, first.feature, first.bins[0][0]),
            f"{number(0.5 / window)}+0x{2 * count}",
        )
    ]
    inputs += [
        given(watch.rate, labels_of(watch, other.feature, other.bins[0][0]), f"0+0x{2 * count}")
        for other in others[:1]
    ]
    before = [share for _, share in first.bins]
    distance = psi([1.0, *([0.0] * (len(before) - 1))], before)
    shown = close(_of(series.PSI, watch, first.feature), distance, WITHIN)
    checks = [
        SampleCheck(2 * window, f"count({series.OBSERVATIONS})", (({}, 1.0),)),
        SampleCheck(2 * window, shown, ((labels_of(watch, first.feature), 1.0),)),
    ]
    return Case("half a value, and none", step, tuple(inputs), samples=checks)


def past(watch: Watch) -> Iterator[Case]:
    """Yield the tests of the weekly shifts, and of what is typical of them."""
    yield _shift(watch)
    own, count = labels_of(watch, watch.drift.distributions[0].feature), _remembered()
    rising = f"{number(LOUD)}+0x{count} 0+{number(1.0 / (count - 1))}x{count - 1}"
    inputs = [given(series.SHIFT, own, rising)]
    inputs += [
        given(series.SHIFT, other, f"{number(LOUD)}+0x{2 * count}")
        for other in strangers.neighbours(own, (series.MONITOR,))
    ]
    at = 2 * drift.HISTORY
    checks = [
        SampleCheck(at, close(f"{series.TYPICAL_SHIFT}{matchers(own)}", 0.5, AT_EDGES), ((own, 1.0),)),
        SampleCheck(at, f"count({series.TYPICAL_SHIFT})", (({}, 1.0),)),
    ]
    yield Case("what is typical of shifts that rise", drift.HISTORY_STEP, tuple(inputs), samples=checks)


def _remembered() -> int:
    return round(drift.HISTORY / drift.HISTORY_STEP)


def usual(watch: Watch) -> Iterator[Case]:
    """Yield the tests of what is usual: neither drift itself, nor what was before, nor too little of it."""
    own, count = labels_of(watch, watch.drift.distributions[0].feature), _remembered()
    half, third = count // 2, count // 3
    recent = f"_x{count} _x4 1+0x"
    at = 2 * drift.HISTORY
    for what, values, typical, expected in (
        ("rise steadily", f"2+0x{count} 0+{number(1.0 / (count - 1))}x{count - 1}", 0.5, 0.99),
        # A third is far beyond the median: that is drift, and no history. A little less is some.
        ("are drift in part", f"1+0x{count + third} 10.3+0x{third - 1} 1+0x{third}", 1.0, 1.0),
        ("are large in part", f"1+0x{count + third} 9.7+0x{third - 1} 1+0x{third}", 1.0, 9.7),
        ("are just enough", f"{recent}{round(half * 1.05) - 1} stale", 1.0, 1.0),
        ("are too few", f"1+0x{count - 1} _x4 1+0x{round(half * 0.95) - 1} stale", 1.0, None),
    ):
        inputs = [given(series.SHIFT, own, values)]
        inputs.append(given(series.TYPICAL_SHIFT, own, f"{number(typical)}+0x{2 * count}"))
        for other in strangers.neighbours(own, (series.MONITOR,)):
            inputs.append(given(series.SHIFT, other, f"{number(LOUD)}+0x{2 * count}"))
            inputs.append(given(series.TYPICAL_SHIFT, other, f"{number(TINY)}+0x{2 * count}"))
        # Of others nothing is recorded.
        checks = [SampleCheck(at, f"count({series.USUAL_SHIFT})", () if expected is None else (({}, 1.0),))]
        if expected is not None:
            shown = close(f"{series.USUAL_SHIFT}{matchers(own)}", expected, WITHIN)
            checks.append(SampleCheck(at, shown, ((own, 1.0),)))
        yield Case(f"weekly shifts {what}", drift.HISTORY_STEP, tuple(inputs), samples=checks)


def _shift(watch: Watch) -> Case:
    """Return the test of shares against those of a week ago: neither a day more, nor a day less."""
    feature = watch.drift.distributions[0]
    count = len(feature.bins)
    early, then, now = ([1.0] * count, [*([1.0] * (count - 1)), 4.0], [4.0, *([1.0] * (count - 1))])
    step, at = drift.HISTORY_STEP, drift.HISTORY
    begin = round((at - drift.WEEK) / step) - 2
    inputs = []
    for place, (bin_, _) in enumerate(feature.bins):
        values = [one[place] / math.fsum(one) for one in (early, then, now)]
        stretches = zip(values, (begin, 5, round(at / step)), strict=True)
        labels = labels_of(watch, feature.feature, bin_)
        inputs.append(given(series.SHARE, labels, steadily(*stretches)))
    labels = labels_of(watch, feature.feature, feature.bins[0][0])
    inputs += [
        given(series.SHARE, other, f"0.1+0x{begin + 3} 0.9+0x{round(at / step)}")
        for other in strangers.neighbours(labels, (series.MONITOR,))
    ]
    expected = psi([one / math.fsum(now) for one in now], [one / math.fsum(then) for one in then])
    of_feature = labels_of(watch, feature.feature)
    shown = close(_of(series.SHIFT, watch, feature.feature), expected, WITHIN)
    return Case(
        "shares and those of a week ago",
        step,
        tuple(inputs),
        samples=[SampleCheck(at, shown, ((of_feature, 1.0),))],
    )


def labels_of(watch: Watch, feature: str, bin_: str | None = None) -> dict[str, str]:
    """Return the labels of what is recorded of a feature, or of one of its bins."""
    own = {
        series.MONITOR: watch.monitor.name,
        series.MODEL: watch.monitor.model.name,
        exposed.FEATURE: feature,
    }
    return dict(sorted({**own, **({} if bin_ is None else {exposed.BIN: bin_})}.items()))


def _of(metric: str, watch: Watch, feature: str, bin_: str | None = None) -> str:
    chosen = {series.MONITOR: watch.monitor.name, exposed.FEATURE: feature}
    return metric + matchers(chosen | ({} if bin_ is None else {exposed.BIN: bin_}))


def given(metric: str, labels: Mapping[str, str], values: str) -> Input:
    """Return a series that a test is given."""
    return Input(metric + matchers(dict(sorted(labels.items()))), values)

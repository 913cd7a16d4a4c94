"""Proof of recorded signals: from the server's own series, through rates and quantiles, to one value.

A signal is the same over its window only where the whole window and nothing else is read: before it, all was
different, and its two halves are different from one another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from airis_mon.exporters.contracts import QUANTILES, Requests, matchers
from airis_mon.rules.indicators import contract_of
from airis_mon.rules.proofs import histograms, strangers
from airis_mon.rules.proofs.case import Case, Input, SampleCheck, close
from airis_mon.rules.proofs.matchers import label_sets
from airis_mon.rules.signals import Signal

STEPS = 60
"""Samples in a window; an even number."""
WITHIN = 0.025
"""What Prometheus 3, whose ranges do not include their left end, may differ by."""
GROUPS = (("a", 1.0), ("b", 3.0))
"""Values of the labels that a signal is kept apart by, and how much busier each is."""
BEFORE = 100.0
"""How many times busier, or worse, all was before the window."""
FAILING = 0.5
"""Share of operations that fails in the first half of the window."""
BUSIER = 3.0
"""How many times busier the second half is."""
LOW = 0.01
"""How many times less busy, or better, all is where values are low."""
WIDER = 100.0
"""Upper of two boundaries as a multiple of the lower one."""


@dataclass(frozen=True)
class _Stretch:
    """What a counter grows by between two samples: before the window, in its first half, in its second."""

    before: float
    first: float
    second: float


@dataclass(frozen=True)
class _Native:
    """What a native histogram grows by, all of it in one bucket."""

    count: _Stretch
    total: _Stretch
    """Sum of what is observed."""
    bucket: int = 0
    """Power of two at which the bucket ends."""


@dataclass(frozen=True)
class _Example:
    """Series of a server, and the value that they come to."""

    series: tuple[tuple[str, Mapping[str, str], _Stretch | _Native | float], ...]
    """Metric, labels, and the growth of a counter or of a native histogram, or the value of a gauge."""
    value: float


def cases(recorded: Sequence[Signal], step: float) -> Iterator[Case]:
    """Yield the tests of each signal; rules are evaluated every `step` seconds."""
    for signal in recorded:
        yield _value(signal, step)
        if signal.of == "error_ratio":
            yield _no_failure(signal, step)
        yield _nothing(signal, step)


def idle(signal: Signal, step: float) -> Iterator[Case]:
    """Yield the tests of a signal that is read by `>= 0`: what is low is read, what is no number is not."""
    at = math.ceil(3 * signal.window / step) * step
    labels = dict.fromkeys(signal.by, GROUPS[0][0])
    own = {**labels, **signal.labels}
    still = _Stretch(0.0, 0.0, 0.0)
    if signal.of != "error_ratio":
        example = _example(signal, labels, LOW)
        check = SampleCheck(at, close(_of(signal, GROUPS[0][0]), example.value, WITHIN), ((own, 1.0),))
        inputs = tuple(_inputs(signal, example, at))
        yield Case(f"{_title(signal)}: a low value", signal.window / STEPS, inputs, samples=[check])
    example = _example(signal, labels, 1.0)
    counted = all(isinstance(growth, _Stretch) for _, _, growth in example.series)
    quiet = _Example(tuple((metric, one, still) for metric, one, _ in example.series), 0.0)
    if counted:
        nothing: tuple[tuple[Mapping[str, str], float], ...] = (
            ((own, 0.0),) if signal.of.endswith("_rate") else ()
        )
        check = SampleCheck(at, signal.selector, nothing, signal.name)
        inputs = tuple(_inputs(signal, quiet, at))
        yield Case(f"{_title(signal)}: nothing happens", signal.window / STEPS, inputs, samples=[check])


def metrics(signal: Signal) -> tuple[str, ...]:
    """Return the metrics that a signal is computed from."""
    return tuple(dict.fromkeys(metric for metric, _, _ in _example(signal, {}, 1.0).series))


def _value(signal: Signal, step: float) -> Case:
    at = math.ceil(3 * signal.window / step) * step
    inputs: list[Input] = []
    expected: list[SampleCheck] = []
    for group, factor in GROUPS if signal.by else GROUPS[:1]:
        example = _example(signal, dict.fromkeys(signal.by, group), factor)
        inputs += _inputs(signal, example, at)
        labels = {**dict.fromkeys(signal.by, group), **signal.labels}
        expected.append(SampleCheck(at, close(_of(signal, group), example.value, WITHIN), ((labels, 1.0),)))
    for other in strangers.neighbours(signal.monitor.source.selector, signal.monitor.source.selector):
        example = _example(signal, {**dict.fromkeys(signal.by, GROUPS[0][0]), **other}, 50.0)
        inputs += _inputs(signal, example, at)
    return Case(f"{_title(signal)}: its value", signal.window / STEPS, tuple(inputs), samples=expected)


def _no_failure(signal: Signal, step: float) -> Case:
    """Return the test that no failure, and no failed series, is a ratio of 0."""
    at = math.ceil(3 * signal.window / step) * step
    requests, labels = _requests(signal), dict.fromkeys(signal.by, GROUPS[0][0])
    good, _ = label_sets(requests.errors)
    growth = _counted(signal, requests.total, _Stretch(1.0, 1.0, 1.0))
    example = _Example(((requests.total, {**signal.monitor.source.selector, **labels, **good}, growth),), 0.0)
    check = SampleCheck(at, signal.selector, (({**labels, **signal.labels}, 0.0),), signal.name)
    inputs = tuple(_inputs(signal, example, at))
    return Case(f"{_title(signal)}: no failure", signal.window / STEPS, inputs, samples=[check])


def _nothing(signal: Signal, step: float) -> Case:
    return Case(f"{_title(signal)}: no data", step, (), samples=[SampleCheck(step, signal.selector)])


def _title(signal: Signal) -> str:
    apart = f" by {', '.join(signal.by)}" if signal.by else ""
    return f"{signal.of} over {signal.name.rpartition('over')[2]}{apart}"


def _of(signal: Signal, group: str) -> str:
    chosen = matchers({**dict.fromkeys(signal.by, group), **signal.labels})
    return f"{signal.name}{chosen}"


def _example(signal: Signal, labels: Mapping[str, str], factor: float) -> _Example:
    """Return series that come to a value which is in proportion to a factor, where it is no share."""
    contract, of = contract_of(signal.monitor), signal.of
    chosen = {**signal.monitor.source.selector, **labels}
    one, two = ({**chosen, _free(signal): name} for name in ("one", "two"))
    name, _, suffix = of.rpartition("_")
    if of in contract.gauges:
        gauge, value = contract.gauges[of], 0.2 * factor
        stored = value / gauge.scale
        return _Example(((gauge.metric, one, stored), (gauge.metric, two, stored / 2)), value)
    if of == "error_ratio":
        return _ratio(signal, (one, two), factor)
    if name in contract.distributions and suffix in QUANTILES:
        metric = contract.distributions[name].metric
        example = _native_quantile if metric in contract.native else _quantile
        return example(metric, (one, two), suffix, factor)
    if name in contract.distributions:
        metric, scale = contract.distributions[name].metric, contract.distributions[name].scale
        value = 2.0 * factor
        total, count = _around(10 * value / scale), _Stretch(10.0, 10.0, 10 * BUSIER)
        mean = 2 * value / (1 + BUSIER)
        if metric in contract.native:
            return _Example(tuple((metric, labels, _Native(count, total)) for labels in (one, two)), mean)
        sums = tuple((f"{metric}_sum", labels, total) for labels in (one, two))
        counts = tuple((f"{metric}_count", labels, count) for labels in (one, two))
        return _Example((*sums, *counts), mean)
    metric = _requests(signal).total if of == "request_rate" else contract.counters[name].metric
    growth = _counted(signal, metric, _around(5 * factor))
    return _Example(((metric, one, growth), (metric, two, growth)), 10 * factor / (signal.window / STEPS))


def _requests(signal: Signal) -> Requests:
    found = contract_of(signal.monitor).requests
    if found is None:
        raise LookupError(f"{signal.of} of a contract that counts no operations")
    return found


def _counted(signal: Signal, metric: str, growth: _Stretch) -> _Stretch | _Native:
    """Return the growth of what counts operations."""
    return _Native(growth, growth) if metric in contract_of(signal.monitor).native else growth


def _free(signal: Signal) -> str:
    """Return a label that tells the two series of one signal apart."""
    taken = {*signal.by, *signal.monitor.source.selector}
    return next(label for label in ("instance", "pod", "replica", "copy") if label not in taken)


def _around(mean: float) -> _Stretch:
    return _Stretch(BEFORE * mean, 1.5 * mean, 0.5 * mean)


def _ratio(signal: Signal, instances: Sequence[Mapping[str, str]], factor: float) -> _Example:
    """Return operations of which some fail, all of them in the first half of the window.

    Others are busier, and fail less: together with them the ratio would be another one.
    """
    requests = _requests(signal)
    good, failing = label_sets(requests.errors)
    busy, share = 10 * factor, FAILING / factor
    found: list[tuple[str, Mapping[str, str], _Stretch | _Native | float]] = []
    for labels in instances:
        well = _counted(signal, requests.total, _Stretch(0.0, busy * (1 - share), BUSIER * busy))
        ill = _counted(signal, requests.total, _Stretch(BEFORE * busy, busy * share / len(failing), 0.0))
        found.append((requests.total, {**labels, **good}, well))
        found += [(requests.total, {**labels, **failed}, ill) for failed in failing]
    return _Example(tuple(found), share / (1 + BUSIER))


def _quantile(metric: str, instances: Sequence[Mapping[str, str]], suffix: str, factor: float) -> _Example:
    """Return operations of which half are slow: the first ones, from one instance."""
    lower, upper = factor, WIDER * factor
    one, two = instances
    slow, quick, none = _Stretch(0.0, 10.0, 0.0), _Stretch(BEFORE * 10, 0.0, 10.0), _Stretch(0.0, 0.0, 0.0)
    found = []
    for labels, below, within in ((one, none, slow), (two, quick, quick)):
        for le, growth in ((lower, below), (upper, within)):
            found.append((f"{metric}_bucket", {**labels, "le": repr(le)}, growth))
        found.append((f"{metric}_bucket", {**labels, "le": "+Inf"}, within))
    share = QUANTILES[suffix]
    value = 2 * share * lower if share <= 0.5 else lower + (2 * share - 1) * (upper - lower)
    return _Example(tuple(found), value)


def _native_quantile(
    metric: str, instances: Sequence[Mapping[str, str]], suffix: str, factor: float
) -> _Example:
    """Return the same in native histograms, in whose buckets values lie by their logarithm."""
    lower = round(math.log2(factor))
    upper = lower + round(math.log2(WIDER))
    slow, quick = _Stretch(0.0, 10.0, 0.0), _Stretch(BEFORE * 10, 0.0, 10.0)
    one, two = instances
    found = ((metric, one, _Native(slow, slow, upper)), (metric, two, _Native(quick, quick, lower)))
    share = 2 * QUANTILES[suffix]
    return _Example(found, 2.0 ** (lower - 1 + share if share <= 1 else upper - 2 + share))


def _inputs(signal: Signal, example: _Example, end: float) -> Iterator[Input]:
    """Yield the series up to a time, with the window at their end; one counter begins anew within it."""
    before = round(end / signal.window * STEPS) - STEPS
    for place, (metric, labels, growth) in enumerate(example.series):
        selector = metric + matchers(dict(sorted(labels.items())))
        if isinstance(growth, float):
            yield Input(selector, f"{growth!r}+0x{before + STEPS}")
        elif isinstance(growth, _Native):
            counts = _parts(growth.count, before, restarted=place == 0)
            totals = _parts(growth.total, before, restarted=place == 0)
            grown = []
            for (count, more, steps), (total, further, _) in zip(counts, totals, strict=True):
                first = histograms.text(count, total, growth.bucket)
                grown.append(f"{first}+{histograms.text(more, further, growth.bucket)}x{steps}")
            yield Input(selector, " ".join(grown))
        else:
            parts = _parts(growth, before, restarted=place == 0)
            yield Input(selector, " ".join(f"{begin!r}+{step!r}x{steps}" for begin, step, steps in parts))


def _parts(growth: _Stretch, before: int, *, restarted: bool) -> tuple[tuple[float, float, int], ...]:
    """Return where each stretch begins, what it grows by, and how often."""
    half = STEPS // 2
    middle = growth.before * before
    # A restart: all that the counter had is lost, and nothing of what it counts.
    again = growth.first if restarted else middle + growth.first
    third = again + growth.first * (half - 1) + growth.second
    return (
        (0, growth.before, before),
        (again, growth.first, half - 1),
        (third, growth.second, half - 1),
    )

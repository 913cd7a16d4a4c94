"""Selectors of rules and signals, held against the series that are there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import Contract, contract_of, problems
from airis_mon.rules import impossible, places
from airis_mon.rules.collection import groups, of_cost
from airis_mon.rules.cost.reading import Selector, UnreadableError, reads
from airis_mon.rules.live.missing import Missing
from airis_mon.rules.live.prometheus import Prometheus
from airis_mon.spec import Anomaly, Forecast, Monitor, Problem, Threshold, format_duration

WRITTEN = frozenset(analyzer.RESULTS)
"""Series of the analyzer, which may be started after the rules are there."""
SELDOM = 1.25
"""Times the declared scrape interval from which on the real one is another."""
UNASKED = "spec"
"""Place of what no key of the document asks for, such as a guard on a signal that nobody watches: where it is
missing, there is nothing to guard."""
_RANKS = {"spec.objectives": 0, UNASKED: 2}
"""Of several places that ask for the same, the one that promises something is told of."""
LOOKED = 40
"""Scrapes that are looked at for their interval."""


@dataclass(frozen=True)
class Examination:
    """What the series say to one monitor."""

    problems: tuple[Problem, ...] = ()
    counted: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Series by selector, for the cost."""


def examine(monitor: Monitor, prometheus: Prometheus) -> Examination:
    """Return what is wrong with a monitor that compiles, seen from the series that are there."""
    wanted = _wanted(monitor)
    counted = {str(selector): _count(str(selector), prometheus) for selector in wanted}
    there = [selector for selector in wanted if counted[str(selector)]]
    missing = Missing(monitor, prometheus)
    found = [
        problem
        for selector, place in wanted.items()
        if not counted[str(selector)] and place != UNASKED
        for problem in missing.problems(selector, place, _wider(selector, there))
    ]
    # Of a series that several parts ask for, the first tells.
    found = list({problem.message: problem for problem in reversed(found)}.values())[::-1]
    found += _unlabelled(monitor, wanted, counted, prometheus)
    found += _kept_apart(monitor, counted, prometheus)
    found += _seldom_read(monitor, there, prometheus)
    return Examination(tuple(dict.fromkeys(found)), counted)


def _wanted(monitor: Monitor) -> dict[Selector, str]:
    """Return what rules and signals select of others' series, each with the place that asked for it."""
    emitted = [rule for group in groups(monitor) for rule in group.rules]
    recorded = {rule["record"] for rule in emitted if "record" in rule}
    asked = [
        *((places.path(monitor, rule), str(rule["expr"])) for rule in emitted),
        *(("spec.cost", str(rule["expr"])) for group in of_cost(monitor) for rule in group.rules),
        *_signals(monitor),
    ]
    found: dict[Selector, str] = {}
    for path, expression in sorted(asked, key=lambda one: _RANKS.get(one[0].partition("[")[0], 1)):
        for selector in _selectors(expression):
            if selector.metric not in recorded | WRITTEN:
                found.setdefault(selector, path)
    return found


def _selectors(expression: str) -> Iterator[Selector]:
    try:
        yield from (one.selector for one in reads(expression))
    except UnreadableError:
        return


def _signals(monitor: Monitor) -> Iterator[tuple[str, str]]:
    contract, source = contract_of(monitor.source), monitor.source
    for path, item in _watched(monitor):
        yield f"{path}.of", contract.expression(item.of, source.selector, item.window)


def _watched(monitor: Monitor) -> Iterator[tuple[str, Anomaly | Forecast | Threshold]]:
    watched: tuple[tuple[str, Sequence[Anomaly | Forecast | Threshold]], ...] = (
        ("anomalies", monitor.anomalies),
        ("forecasts", monitor.forecasts),
        ("thresholds", monitor.thresholds),
    )
    for key, items in watched:
        for index, item in enumerate(items):
            yield f"spec.{key}[{index}]", item


def _count(selector: str, prometheus: Prometheus) -> float:
    answer = prometheus.vector(f"count({selector})")
    return answer[0].value if answer else 0.0


def _wider(selector: Selector, there: list[Selector]) -> Selector | None:
    """Return a selector of the same series that finds some, and of which this one is a part."""
    parts = set(selector.matchers)
    wider = [one for one in there if one.metric == selector.metric and set(one.matchers) < parts]
    return max(wider, key=lambda one: len(one.matchers), default=None)


def _unlabelled(
    monitor: Monitor, wanted: Mapping[Selector, str], counted: Mapping[str, float], prometheus: Prometheus
) -> Iterator[Problem]:
    """Yield labels that are told to be something else, and are not there: that is something else too."""
    for selector, place in wanted.items():
        for label, operator, _ in selector.matchers:
            if operator not in ("!=", "!~") or not counted[str(selector)]:
                continue
            lacking = Selector(selector.metric, (*selector.matchers, (label, "=", "")))
            number = _count(str(lacking), prometheus)
            if number:
                yield Problem(
                    f"{number:g} series of `{selector.metric}` have no label `{label}`,"
                    f" and are all taken by {str(selector)[len(selector.metric) :]}",
                    place,
                    monitor.origin.locate(place),
                    "what lacks the label would count as what it should tell apart; is it another contract?",
                )


def _kept_apart(monitor: Monitor, counted: Mapping[str, float], prometheus: Prometheus) -> Iterator[Problem]:
    """Yield labels of `by` that no series of the signal has: what should be many would be one."""
    contract, source = contract_of(monitor.source), monitor.source
    for path, item in _watched(monitor):
        selectors = _selectors(contract.expression(item.of, source.selector, item.window))
        there = [one for one in selectors if counted.get(str(one))]
        for label in item.by:
            having = (Selector(one.metric, (*one.matchers, (label, "!=", ""))) for one in there)
            if there and not any(_count(str(one), prometheus) for one in having):
                yield Problem(
                    f"no series of `{item.of}` has a label `{label}`",
                    f"{path}.by",
                    monitor.origin.locate(f"{path}.by"),
                    "write a label that the series have, or leave `by` out",
                )


def _seldom_read(monitor: Monitor, there: list[Selector], prometheus: Prometheus) -> Iterator[Problem]:
    """Yield what follows from a scrape interval that is longer than the document says."""
    declared = monitor.source.scrape_interval
    actual = _interval(there, declared, contract_of(monitor.source), prometheus)
    if actual is None or actual <= declared * SELDOM:
        return
    path = "spec.source.scrape_interval"
    yield Problem(
        f"Prometheus reads this source every {format_duration(actual)}, and the document says"
        f" {format_duration(declared)}",
        path,
        monitor.origin.locate(path),
        f"write `scrape_interval: {format_duration(actual)}`",
        severity="warning",
    )
    real = replace(monitor, source=replace(monitor.source, scrape_interval=actual))
    yield from problems(real)
    yield from impossible.problems(real)


def _interval(
    there: list[Selector], declared: float, contract: Contract, prometheus: Prometheus
) -> float | None:
    """Return the usual seconds between two samples, of the first series that has some."""
    for selector in there:
        # Native histograms have no order.
        value = contract.operations(selector.metric, str(selector))
        found = prometheus.vector(f"topk(1, {value})")
        if not found:
            continue
        first = found[0]
        labels = sorted(first.labels.items())
        name = first.labels.get("__name__", selector.metric)
        one = Selector(name, tuple((label, "=", value) for label, value in labels if label != "__name__"))
        times = prometheus.times(str(one), LOOKED * declared)
        steps = sorted(later - earlier for earlier, later in itertools.pairwise(times))
        if len(steps) < 2:
            return None
        usual = steps[len(steps) // 2]
        return round(usual, 1 if usual >= 1 else 3)  # scrapes come some milliseconds early or late
    return None

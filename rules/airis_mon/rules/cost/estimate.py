"""Rules of monitors -> series that they record and samples that they read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from airis_mon.exporters.contracts import Contract, contract_of
from airis_mon.rules import places
from airis_mon.rules.collection import groups
from airis_mon.rules.cost.reading import Read, Selector, UnreadableError, reads, returned
from airis_mon.rules.groups import Group, Rule
from airis_mon.spec import Alerting, Model, Monitor

USUAL_BUCKETS = 15
"""Buckets of a histogram that the contract does not know."""


@dataclass(frozen=True)
class Assumptions:
    """What no document says."""

    series_per_selector: float = 3.0
    """Series that a selector of the application's metrics finds, buckets apart: instances of the model, times
    the combinations of labels that each of them exposes."""
    evaluation_interval: float = 60.0
    """Seconds between two evaluations of a group; Prometheus' default."""
    counted: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Series that were found by selector, as PromQL, where a server was asked; instead of the assumption."""


@dataclass(frozen=True)
class Heavy:
    """The rule of a monitor that reads most."""

    group: str
    rule: str
    samples: float


@dataclass(frozen=True)
class Reach:
    """The rule of a part of a document that looks back furthest."""

    rule: str
    seconds: float


@dataclass(frozen=True)
class Cost:
    """What the rules of a monitor cost."""

    monitor: str
    groups: tuple[int, ...]
    """Rules of each group, as they are proven."""
    series: float
    """Series that are recorded; those of `ALERTS`, two for each alert that fires, come on top."""
    samples: float
    """Samples that one evaluation of all rules reads."""
    samples_per_second: float
    reaches: Mapping[str, Reach]
    """What looks back furthest, by the path of the document that asked for it."""
    heaviest: Heavy | None
    unread: tuple[str, ...] = ()
    """Rules that could not be read, and are not in the sums."""

    @property
    def rules(self) -> int:
        """How many there are."""
        return sum(self.groups)


def estimates(
    monitors: Sequence[Monitor], assumptions: Assumptions, known: MutableMapping[str, Cost] | None = None
) -> tuple[Cost, ...]:
    """Return the cost of each monitor; those that differ in names alone are reckoned once.

    `known` are costs of earlier calls, by what they follow from; it is left with those of this one.
    """
    earlier, asked = dict(known or {}), {} if known is None else known
    asked.clear()
    found = []
    for monitor in monitors:
        if assumptions.counted:  # by selector, and so by name
            found.append(estimate(monitor, assumptions))
            continue
        key = hashlib.sha256(f"{_nameless(monitor)} {assumptions}".encode()).hexdigest()
        if key not in asked:
            asked[key] = earlier.get(key) or estimate(monitor, assumptions)
        cost = asked[key]
        heaviest = cost.heaviest and replace(
            cost.heaviest, group=cost.heaviest.group.replace(cost.monitor, monitor.name)
        )
        found.append(replace(cost, monitor=monitor.name, heaviest=heaviest))
    return tuple(found)


def _nameless(monitor: Monitor) -> Monitor:
    """Return what the numbers follow from."""
    source = replace(monitor.source, selector=dict.fromkeys(monitor.source.selector, ""))
    return replace(monitor, name="", model=Model(""), source=source, alerting=Alerting())


def estimate(monitor: Monitor, assumptions: Assumptions) -> Cost:
    """Return the cost of a monitor's rules."""
    emitted = groups(monitor)
    population = _Population(monitor, emitted, assumptions)
    series = samples = 0.0
    reaches: dict[str, Reach] = {}
    heaviest: Heavy | None = None
    unread = []
    for group, rule in _rules(emitted):
        name = str(rule.get("record", rule.get("alert")))
        try:
            read = reads(str(rule["expr"]))
        except UnreadableError:
            unread.append(f"{group.name}: {name}")
            continue
        reading = sum(map(population.samples, read))
        samples += reading
        if "record" in rule:
            series += population.returned(rule)
        reach = Reach(name, max((one.reach for one in read), default=0.0))
        path = places.path(monitor, rule)
        if path not in reaches or reach.seconds > reaches[path].seconds:
            reaches[path] = reach
        if heaviest is None or reading > heaviest.samples:
            heaviest = Heavy(group.name, name, reading)
    return Cost(
        monitor=monitor.name,
        groups=tuple(len(group.rules) for group in emitted),
        series=series,
        samples=samples,
        samples_per_second=samples / assumptions.evaluation_interval,
        reaches=reaches,
        heaviest=heaviest,
        unread=tuple(unread),
    )


def _rules(emitted: Sequence[Group]) -> Iterator[tuple[Group, Rule]]:
    for group in emitted:
        for rule in group.rules:
            yield group, rule


def _exposed(contract: Contract) -> Iterator[str]:
    """Yield the names of all series of a contract."""
    if contract.requests is not None:
        yield contract.requests.total
    yield from contract.native
    for distribution in contract.distributions.values():
        yield from (f"{distribution.metric}_{part}" for part in ("bucket", "count", "sum"))
    yield from (gauge.metric for gauge in contract.gauges.values())
    yield from (counter.metric for counter in contract.counters.values())


class _Population:
    """How many series there are of each selector: of the application's metrics, and of what is recorded."""

    def __init__(self, monitor: Monitor, emitted: Sequence[Group], assumptions: Assumptions) -> None:
        self._assumptions = assumptions
        self._scraped = monitor.source.scrape_interval
        contract = contract_of(monitor.source)
        self._buckets = {
            f"{known.metric}_bucket": len(monitor.source.buckets.get(name, known.buckets)) + 1
            for name, known in contract.distributions.items()
        }
        self._exposed = frozenset(_exposed(contract))
        self._recorded: dict[str, list[Rule]] = {}
        for _, rule in _rules(emitted):
            if "record" in rule:
                self._recorded.setdefault(str(rule["record"]), []).append(rule)
        self._returned: dict[int, float] = {}

    def samples(self, read: Read) -> float:
        """Return how many samples are read at one evaluation."""
        interval = self._assumptions.evaluation_interval if self._derived(read.selector) else self._scraped
        return self.series(read.selector) * read.looks * max(1.0, read.span / interval)

    def series(self, selector: Selector) -> float:
        """Return how many series a selector finds."""
        found = self._assumptions.counted.get(str(selector))
        if found is not None:
            return found
        if selector.metric in self._recorded:
            fixed = selector.fixed
            return sum(
                self.returned(rule)
                for rule in self._recorded[selector.metric]
                if all(rule["labels"].get(label, value) == value for label, value in fixed.items())
            )
        whole = selector.metric.endswith("_bucket") and not selector.one_bucket
        return self._assumptions.series_per_selector * (self._histogram(selector.metric) if whole else 1)

    def returned(self, rule: Rule) -> float:
        """Return how many series a recording rule records."""
        if id(rule) not in self._returned:
            self._returned[id(rule)] = 1.0  # a rule that reads itself
            try:
                found = returned(str(rule["expr"]), self.series, self._combinations)
            except UnreadableError:
                found = 1.0
            self._returned[id(rule)] = found
        return self._returned[id(rule)]

    def _derived(self, selector: Selector) -> bool:
        """Return whether series come of an evaluation: a colon is for recorded names, and for vLLM's own."""
        metric = selector.metric
        return metric in self._recorded or (":" in metric and metric not in self._exposed)

    def _histogram(self, metric: str) -> int:
        return self._buckets.get(metric, USUAL_BUCKETS)

    def _combinations(self, labels: Sequence[str]) -> float:
        buckets = max(self._buckets.values(), default=USUAL_BUCKETS) if "le" in labels else 1
        return buckets * (self._assumptions.series_per_selector if set(labels) - {"le"} else 1)

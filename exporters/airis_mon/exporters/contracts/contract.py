"""A contract: signals in, PromQL out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from airis_mon.spec import format_duration

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


class UnknownSignalError(KeyError):
    """A signal that the contract does not carry."""


def matchers(selector: Mapping[str, str], *more: str) -> str:
    """Return `{a="x",b="y",...}` with values escaped; `more` are matchers already in PromQL."""
    pairs = [f"{label}={_quoted(value)}" for label, value in selector.items()]
    return "{" + ",".join([*pairs, *(text for text in more if text)]) + "}"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@dataclass(frozen=True)
class Requests:
    """How operations are counted."""

    total: str
    """Counter of operations, failed ones included (a histogram's `_count` will do)."""
    errors: str
    """Matcher that keeps the failed ones, such as `error_type!=""`."""

    @property
    def telling(self) -> tuple[str, ...]:
        """Labels that tell failed operations from good ones."""
        return tuple(re.findall(r'(\w+)(?:=~|!~|!=|=)"', self.errors))


@dataclass(frozen=True)
class Distribution:
    """A histogram."""

    metric: str
    """Base name, without `_bucket`; a native one has no other."""
    unit: str
    """Base unit of the signal: `seconds`, `tokens`, `ratio`."""
    buckets: tuple[float, ...]
    """Boundaries in the base unit, ascending, without +Inf, where it is a classic one."""
    scale: float = 1.0
    """Factor from the server's unit to the base unit: 1e-6 where it counts microseconds."""


@dataclass(frozen=True)
class Gauge:
    """A value that goes up and down."""

    metric: str
    unit: str
    scale: float = 1.0


@dataclass(frozen=True)
class Counter:
    """A total; its signal is `<name>_rate`, per second."""

    metric: str
    unit: str


@dataclass(frozen=True)
class Contract:
    """What one kind of model server exposes."""

    name: str
    title: str
    """What a person calls that server."""
    requests: Requests | None = None
    """None where only expressions of the document's own say what an operation is."""
    labelled: Requests | None = None
    """How predictions are counted whose true answer is known; None where that server knows of none."""
    distributions: Mapping[str, Distribution] = field(default_factory=dict)
    gauges: Mapping[str, Gauge] = field(default_factory=dict)
    counters: Mapping[str, Counter] = field(default_factory=dict)
    native: frozenset[str] = frozenset()
    """Metrics that are native histograms: each series holds buckets, count and sum."""

    def natively(self) -> Contract:
        """Return what the same server exposes where Prometheus keeps its histograms as native ones."""
        counts = {f"{one.metric}_count": one.metric for one in self.distributions.values()}
        requests = self.requests
        if requests is not None:
            requests = replace(requests, total=counts.get(requests.total, requests.total))
        return replace(self, requests=requests, native=frozenset(counts.values()))

    def count(self, distribution: str) -> str:
        """Return the metric that counts a distribution's operations."""
        metric = self.distributions[distribution].metric
        return metric if metric in self.native else f"{metric}_count"

    def operations(self, metric: str, expression: str) -> str:
        """Return PromQL for the number of operations in an expression over the series of a metric."""
        return f"histogram_count({expression})" if metric in self.native else expression

    def signals(self) -> tuple[str, ...]:
        """Return every name that `of:` accepts, in a fixed order."""
        names = ["request_rate", "error_ratio"] if self.requests is not None else []
        for name in self.distributions:
            names += [f"{name}_{suffix}" for suffix in (*QUANTILES, "mean")]
        return (*names, *self.gauges, *(f"{name}_rate" for name in self.counters))

    def unit(self, signal: str) -> str:
        """Return the base unit of a signal: `seconds`, `ratio`, `tokens per second`."""
        if self.requests is not None and signal == "request_rate":
            return "requests per second"
        if self.requests is not None and signal == "error_ratio":
            return "ratio"
        if signal in self.gauges:
            return self.gauges[signal].unit
        name, _, suffix = signal.rpartition("_")
        if suffix == "rate" and name in self.counters:
            return f"{self.counters[name].unit} per second"
        if name in self.distributions and (suffix in QUANTILES or suffix == "mean"):
            return self.distributions[name].unit
        raise UnknownSignalError(signal)

    def expression(
        self, signal: str, selector: Mapping[str, str], window: float, by: Sequence[str] = ()
    ) -> str:
        """Return PromQL for a signal in base units, one series per combination of the labels `by`.

        `window` is the range in seconds that rates and quantiles look back. UnknownSignalError where the
        contract has no such signal.
        """
        rates = _Rates(self, selector, format_duration(window), tuple(by))
        if self.requests is not None and signal == "request_rate":
            return rates.total(self.requests.total)
        if self.requests is not None and signal == "error_ratio":
            failed = rates.total(self.requests.total, self.requests.errors)
            total = rates.total(self.requests.total)
            # `or total * 0`: no failure at all is a ratio of 0, not an absent series.
            return f"({failed} or {total} * 0) / {total}"
        if signal in self.gauges:
            gauge = self.gauges[signal]
            return _scaled(f"max{rates.grouping}({gauge.metric}{matchers(selector)})", gauge.scale)
        name, _, suffix = signal.rpartition("_")
        if suffix == "rate" and name in self.counters:
            return rates.total(self.counters[name].metric)
        if name in self.distributions:
            distribution = self.distributions[name]
            if suffix in QUANTILES:
                quantile = rates.quantile(QUANTILES[suffix], distribution.metric)
                return _scaled(quantile, distribution.scale)
            if suffix == "mean":
                return _scaled(rates.mean(distribution.metric), distribution.scale)
        raise UnknownSignalError(signal)


@dataclass(frozen=True)
class _Rates:
    """The few shapes that all signals are made of."""

    contract: Contract
    selector: Mapping[str, str]
    window: str
    by: tuple[str, ...]

    @property
    def grouping(self) -> str:
        return f" by ({', '.join(self.by)}) " if self.by else ""

    def total(self, metric: str, *more: str) -> str:
        return self.contract.operations(metric, self._sum(metric, *more))

    def mean(self, metric: str) -> str:
        if metric in self.contract.native:
            return f"histogram_avg({self._sum(metric)})"
        return f"{self._sum(f'{metric}_sum')} / {self._sum(f'{metric}_count')}"

    def _sum(self, metric: str, *more: str) -> str:
        return f"sum{self.grouping}(rate({metric}{matchers(self.selector, *more)}[{self.window}]))"

    def quantile(self, quantile: float, metric: str) -> str:
        if metric in self.contract.native:
            return f"histogram_quantile({quantile:g}, {self._sum(metric)})"
        labels = ", ".join(("le", *self.by))
        rate = f"rate({metric}_bucket{matchers(self.selector)}[{self.window}])"
        return f"histogram_quantile({quantile:g}, sum by ({labels}) ({rate}))"


def _scaled(expression: str, scale: float) -> str:
    return expression if scale == 1 else f"({expression}) * {scale:g}"

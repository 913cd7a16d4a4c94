"""What an objective counts: operations, and those that missed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airis_mon.exporters.contracts import CONTRACTS, Contract, matchers
from airis_mon.rules.literals import le_matcher
from airis_mon.spec import Errors, Latency, Monitor


@dataclass(frozen=True)
class Availability:
    """Operations that failed, counted by a matcher on the counter of all operations."""

    metric: str
    selector: Mapping[str, str]
    failing: str
    """Matcher that keeps the failed ones, such as `error_type!=""`."""
    signal = "request_rate"

    @property
    def total(self) -> str:
        """Series selector of all operations."""
        return self.metric + matchers(self.selector)

    def failures(self, window: str, events: str) -> str:
        """Return PromQL for failures per second.

        A model that never failed has no failed series at all: that is a rate of 0 and not an unknown one.
        """
        failed = self.metric + matchers(self.selector, self.failing)
        return f"sum(rate({failed}[{window}])) or 0 * sum(rate({self.total}[{window}]))"


@dataclass(frozen=True)
class LatencyBelow:
    """Operations that a histogram does not hold at or below a boundary."""

    metric: str
    """Histogram's name, without `_bucket`."""
    selector: Mapping[str, str]
    boundary: float
    """In the server's own unit."""
    signal: str
    """Distribution of the contract."""

    @property
    def total(self) -> str:
        """Series selector of the histogram's count."""
        return f"{self.metric}_count{matchers(self.selector)}"

    def failures(self, window: str, events: str) -> str:
        """Return PromQL for slow operations per second; absent where the histogram has no such bucket.

        `events` is all operations per second, already recorded. Rates extrapolate each series on its own, so
        the difference can be a hair below zero.
        """
        good = f"{self.metric}_bucket{matchers(self.selector, le_matcher(self.boundary))}"
        return f"clamp_min(sum({events}) - sum(rate({good}[{window}])), 0)"


Indicator = Availability | LatencyBelow


def indicator(monitor: Monitor, kind: Errors | Latency) -> Indicator:
    """Return what an objective of a monitor counts; KeyError where the contract does not carry it."""
    contract, selector = contract_of(monitor), monitor.source.selector
    if isinstance(kind, Errors):
        return Availability(contract.requests.total, selector, contract.requests.errors)
    distribution = contract.distributions[kind.of]
    # Twelve digits take away what the division adds.
    boundary = float(f"{kind.below / distribution.scale:.12g}")
    return LatencyBelow(distribution.metric, selector, boundary, kind.of)


def contract_of(monitor: Monitor) -> Contract:
    """Return the contract that a monitor's source names."""
    return CONTRACTS[monitor.source.contract]


def requests_of(monitor: Monitor) -> str:
    """Return the series selector of a monitor's operations."""
    return contract_of(monitor).requests.total + matchers(monitor.source.selector)

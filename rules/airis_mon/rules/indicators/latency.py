"""Operations that a histogram does not hold at or below a boundary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airis_mon.exporters.contracts import le_matcher, matchers


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

    @property
    def lacking(self) -> str:
        """What is wrong with the series where nothing can be computed."""
        return f"{self.total} has no series or lacks the bucket of the objective"

    def operations(self, window: str) -> str:
        """Return PromQL for operations per second."""
        return f"sum(rate({self.total}[{window}]))"

    def failures(self, window: str, events: str) -> str:
        """Return PromQL for slow operations per second; absent where the histogram has no such bucket.

        `events` is all operations per second, already recorded. Rates extrapolate each series on its own, so
        the difference can be a hair below zero.
        """
        good = f"{self.metric}_bucket{matchers(self.selector, le_matcher(self.boundary))}"
        return f"clamp_min(sum({events}) - sum(rate({good}[{window}])), 0)"

    def rests_on(self, metric: str, labels: Mapping[str, str]) -> bool:
        """Tell whether there is a value wherever that series is."""
        return False  # the bucket may be missing beside a count that is there

"""Operations that a native histogram holds above a threshold, wherever that lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airis_mon.exporters.contracts import matchers
from airis_mon.rules.literals import number


@dataclass(frozen=True)
class NativeLatency:
    """Operations that took longer than a threshold; within its bucket, they are taken to be spread evenly."""

    metric: str
    """Histogram's name; a native one has no `_bucket`, `_count` and `_sum`."""
    selector: Mapping[str, str]
    threshold: float
    """In the server's own unit."""
    signal: str
    """Distribution of the contract."""
    boundary = None

    @property
    def lacking(self) -> str:
        """What is wrong with the series where nothing can be computed."""
        return f"{self.metric}{matchers(self.selector)} has no native histogram"

    def operations(self, window: str) -> str:
        """Return PromQL for operations per second."""
        return f"histogram_count({self._rate(window)})"

    def failures(self, window: str, events: str) -> str:
        """Return PromQL for slow operations per second.

        No operation is a share of nothing, which is no number: that is a rate of 0.
        """
        rate, count = self._rate(window), self.operations(window)
        share = f"1 - histogram_fraction(-Inf, {number(self.threshold)}, {rate})"
        return f"clamp_min(({count} > 0) * ({share}), 0) or 0 * {count}"

    def rests_on(self, metric: str, labels: Mapping[str, str]) -> bool:
        """Tell whether there is a value wherever that series is."""
        # Only where the whole source is native does the contract count operations by the same series.
        return metric == self.metric and self.selector.items() <= labels.items()

    def _rate(self, window: str) -> str:
        return f"sum(rate({self.metric}{matchers(self.selector)}[{window}]))"

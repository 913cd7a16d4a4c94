"""Operations that failed, counted by a matcher on the counter of all operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airis_mon.exporters.contracts import matchers


@dataclass(frozen=True)
class Availability:
    """Operations that failed, counted by a matcher on the counter of all operations."""

    metric: str
    selector: Mapping[str, str]
    failing: str
    """Matcher that keeps the failed ones, such as `error_type!=""`."""
    signal: str = "request_rate"
    """What is silent where there is none of it."""
    native: bool = False
    """Whether the metric is a native histogram, whose count is what is counted."""
    boundary = None

    @property
    def total(self) -> str:
        """Series selector of all operations."""
        return self.metric + matchers(self.selector)

    @property
    def lacking(self) -> str:
        """What is wrong with the series where nothing can be computed."""
        return f"{self.total} has no series"

    def operations(self, window: str) -> str:
        """Return PromQL for operations per second."""
        return self._rate(self.total, window)

    def failures(self, window: str, events: str) -> str:
        """Return PromQL for failures per second.

        A model that never failed has no failed series at all: that is a rate of 0 and not an unknown one.
        """
        failed = self.metric + matchers(self.selector, self.failing)
        return f"{self._rate(failed, window)} or 0 * {self.operations(window)}"

    def _rate(self, chosen: str, window: str) -> str:
        rate = f"sum(rate({chosen}[{window}]))"
        return f"histogram_count({rate})" if self.native else rate

    def rests_on(self, metric: str, labels: Mapping[str, str]) -> bool:
        """Tell whether there is a value wherever that series is."""
        return metric == self.metric and self.selector.items() <= labels.items()

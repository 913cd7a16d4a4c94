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
        return f"sum(rate({self.total}[{window}]))"

    def failures(self, window: str, events: str) -> str:
        """Return PromQL for failures per second.

        A model that never failed has no failed series at all: that is a rate of 0 and not an unknown one.
        """
        failed = self.metric + matchers(self.selector, self.failing)
        return f"sum(rate({failed}[{window}])) or 0 * sum(rate({self.total}[{window}]))"

    def rests_on(self, metric: str, labels: Mapping[str, str]) -> bool:
        """Tell whether there is a value wherever that series is."""
        return metric == self.metric and self.selector.items() <= labels.items()

"""Time in which what was last brought up to date was too old."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from airis_mon.exporters.contracts import matchers
from airis_mon.rules.literals import number
from airis_mon.spec import format_duration, parse_duration

FEWEST, MOST = 20, 1440
"""Looks at the gauge in one window: as often as it is read, but so many that a look weighs little, and so few
that three days cost no more than a rate over them does."""


@dataclass(frozen=True)
class Freshness:
    """Seconds in which the newest of some timestamps was too old.

    An operation is a second: 1 of them each second while there is a timestamp, whatever Prometheus reads.
    """

    metric: str
    """Gauge that holds Unix seconds."""
    selector: Mapping[str, str]
    within: float
    """Seconds that the newest may be old."""
    interval: float
    """Seconds between two readings by Prometheus."""
    signal = "freshness"
    """What is silent where there is none of it."""
    boundary = None

    @property
    def total(self) -> str:
        """Series selector of the timestamps."""
        return self.metric + matchers(self.selector)

    @property
    def lacking(self) -> str:
        """What is wrong with the series where nothing can be computed."""
        return f"{self.total} has no series"

    def step(self, window: float) -> float:
        """Return the seconds between two looks within a window."""
        looks = min(max(FEWEST, round(window / self.interval)), MOST)
        return math.ceil(window / looks * 1000) / 1000

    def operations(self, window: str) -> str:
        """Return PromQL that is 1 where there was a timestamp within a window."""
        return f"avg_over_time(group({self.total})[{self._looks(window)}])"

    def failures(self, window: str, events: str) -> str:
        """Return PromQL for the share of a window, as far as there was a timestamp, in which it was too old.

        One that lies as far in the future is no time of an update: that is what milliseconds look like.
        """
        age = f"abs(time() - max({self.total}))"
        return f"avg_over_time(({age} > bool {number(self.within)})[{self._looks(window)}])"

    def _looks(self, window: str) -> str:
        return f"{window}:{format_duration(self.step(parse_duration(window)))}"

    def rests_on(self, metric: str, labels: Mapping[str, str]) -> bool:
        """Tell whether there is a value wherever that series is."""
        return metric == self.metric and self.selector.items() <= labels.items()

"""Traffic whose error ratio over any window is known, and the series that a server would expose for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate

from airis_mon.exporters.contracts import matchers
from airis_mon.rules.indicators import Indicator
from airis_mon.rules.proofs.case import Input
from airis_mon.rules.proofs.counters import Counter, counters


@dataclass(frozen=True)
class Phase:
    """A stretch of steady traffic."""

    steps: int
    operations: float
    """Per step, over all instances."""
    failing: float = 0.0
    """Share of them that misses the objective."""
    restarted: bool = False
    """Whether all counters begin at zero again."""


@dataclass(frozen=True)
class Traffic:
    """Phases one after the other, sampled every `step` seconds from zero."""

    step: float
    phases: tuple[Phase, ...]

    @property
    def end(self) -> float:
        """Seconds at which the last phase ends."""
        return self.step * sum(phase.steps for phase in self.phases)

    def counts(self, window: float, at: float) -> tuple[float, float]:
        """Return operations and failures within the window that ends at `at`, as far as there are any."""
        ends = list(accumulate(phase.steps * self.step for phase in self.phases))
        operations = failures = 0.0
        for phase, end in zip(self.phases, ends, strict=True):
            begin = end - phase.steps * self.step
            steps = max(0.0, min(end, at) - max(begin, at - window)) / self.step
            operations += steps * phase.operations
            failures += steps * phase.operations * phase.failing
        return operations, failures

    def steady(self, window: float, at: float) -> bool:
        """Tell whether the error ratio is the same all through a window."""
        ends = list(accumulate(phase.steps * self.step for phase in self.phases))
        return 1 == len(
            {
                phase.failing
                for phase, end in zip(self.phases, ends, strict=True)
                if end > at - window and end - phase.steps * self.step < at
            }
        )

    def inputs(self, what: Indicator, spelling: int = 0) -> tuple[Input, ...]:
        """Return the series of a server with this traffic; `spelling` chooses how it writes a boundary."""
        # A server that never failed exposes no failed series, and one that always failed no good ones.
        good = any(phase.failing < 1 for phase in self.phases)
        failing = any(phase.failing for phase in self.phases)
        found = (one for one in counters(what, spelling) if (one.good and good) or (one.failed and failing))
        return tuple(map(self.counter, found))

    def counter(self, one: Counter) -> Input:
        """Return a counter with its share of the traffic.

        promtool adds growth up step by step. Binary fractions that are coarse enough add up exactly, so that
        no phase begins a hair below the end of the one before: that would be a counter reset.
        """
        most = sum(phase.steps * phase.operations for phase in self.phases)
        units = 2.0 ** min(40, 51 - math.frexp(most)[1])
        good = failed = 0.0
        parts = [one.value(good, failed)]
        for phase in self.phases:
            if phase.restarted:
                good = failed = 0.0
            well = round(phase.operations * (1 - phase.failing) * one.good * units) / units
            badly = round(phase.operations * phase.failing * one.failed * units) / units
            first = one.value(good + well, failed + badly)
            parts.append(f"{first}+{one.value(well, badly)}x{phase.steps - 1}")
            good, failed = good + well * phase.steps, failed + badly * phase.steps
        return Input(one.metric + matchers(dict(sorted(one.labels.items()))), " ".join(parts))

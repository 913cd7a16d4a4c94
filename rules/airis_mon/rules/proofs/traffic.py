"""Traffic whose error ratio over any window is known, and the series that a server would expose for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from airis_mon.exporters.contracts import matchers
from airis_mon.rules.indicators import Availability, Indicator
from airis_mon.rules.literals import spellings
from airis_mon.rules.proofs.case import Input

INSTANCES = ("one:8000", "two:8000")
"""Traffic comes from two instances, so that sums are proven to be sums."""
_MATCHER = re.compile(r'([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')


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
        instances = ("",) if "instance" in what.selector else INSTANCES
        return tuple(
            series for instance in instances for series in self._of(what, instance, len(instances), spelling)
        )

    def _of(self, what: Indicator, instance: str, count: int, spelling: int) -> Iterator[Input]:
        labels = {**what.selector, **({"instance": instance} if instance else {})}
        if isinstance(what, Availability):
            good, failing = label_sets(what.failing)
            yield self._counter(what.metric, {**labels, **good}, 1 / count, failing=False)
            # A server that never failed exposes no failed series.
            for failed in failing if any(phase.failing for phase in self.phases) else ():
                yield self._counter(what.metric, {**labels, **failed}, 1 / count / len(failing), failing=True)
            return
        written = spellings(what.boundary)
        boundary = written[spelling % len(written)]
        yield self._counter(f"{what.metric}_bucket", {**labels, "le": boundary}, 1 / count, failing=False)
        for name, more in ((f"{what.metric}_bucket", {"le": "+Inf"}), (f"{what.metric}_count", {})):
            yield self._counter(name, {**labels, **more}, 1 / count, failing=None)

    def _counter(self, metric: str, labels: Mapping[str, str], share: float, failing: bool | None) -> Input:
        """Return a counter of good, failing or (None) all operations, with a share of the traffic."""
        value, parts = 0.0, ["0"]
        for phase in self.phases:
            part = {True: phase.failing, False: 1 - phase.failing, None: 1.0}[failing]
            growth = round(phase.operations * part * share, 9)
            first = growth if phase.restarted else value + growth
            parts.append(f"{_plain(first)}+{_plain(growth)}x{phase.steps - 1}")
            value = first + growth * (phase.steps - 1)
        return Input(metric + matchers(dict(sorted(labels.items()))), " ".join(parts))


def _plain(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")


def label_sets(matcher: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return labels of a good operation, and of failed ones: one set per alternative of the matcher.

    ValueError for a matcher that no example can be derived from.
    """
    found = _MATCHER.findall(matcher)
    if len(found) != 1:
        raise ValueError(f"no example of a failed operation can be derived from `{matcher}`")
    label, operator, value = found[0]
    alternatives = value.split("|") if "~" in operator else [value]
    matching = [{label: alternative} if alternative else {} for alternative in alternatives]
    other: dict[str, str] = {label: "ok" if "ok" not in alternatives else "failed"}
    if any(set(alternative) & set(r".*+?()[]{}^$\\") for alternative in alternatives):
        raise ValueError(f"no example of a failed operation can be derived from `{matcher}`")
    return (other, matching) if operator in ("=", "=~") else (matching[0], [other])

"""Signals as recorded series: what a document calls `kv_cache_usage` or `error_ratio`, under one name.

A signal is recorded once for each window and each set of labels that it is kept apart by, so that alerts and
graphs read a value that is there, instead of computing it each for themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.groups import Rule, recording
from airis_mon.rules.indicators import contract_of
from airis_mon.rules.windows import name
from airis_mon.spec import Band, Monitor, Threshold


@dataclass(frozen=True)
class Signal:
    """A signal of a monitor over one window."""

    monitor: Monitor = field(compare=False)
    of: str
    window: float
    """Seconds over which rates and quantiles are taken; gauges are taken as they are."""
    by: tuple[str, ...] = ()
    """Labels that are kept apart, sorted."""

    @property
    def name(self) -> str:
        """Name of the recorded series."""
        return f"{series.SIGNAL}{name(self.window)}"

    @property
    def labels(self) -> dict[str, str]:
        """Labels that are added to those of `by`."""
        apart = {series.DIMENSIONS: ",".join(self.by)} if self.by else {}
        return {
            series.MONITOR: self.monitor.name,
            series.MODEL: self.monitor.model.name,
            series.FOR: self.of,
            **apart,
        }

    @property
    def selector(self) -> str:
        """PromQL of the recorded series; the same signal kept apart otherwise is another one."""
        chosen = {
            series.MONITOR: self.monitor.name,
            series.FOR: self.of,
            series.DIMENSIONS: ",".join(self.by),
        }
        return self.name + matchers(chosen)

    @property
    def value(self) -> str:
        """PromQL of the signal, with the labels that its alerts are to have."""
        return f"max without ({series.DIMENSIONS}) ({self.selector})" if self.by else self.selector

    @property
    def unit(self) -> str:
        """Base unit."""
        return contract_of(self.monitor).unit(self.of)

    def rule(self) -> Rule:
        """Return the rule that records it."""
        contract, selector = contract_of(self.monitor), self.monitor.source.selector
        return recording(self.name, contract.expression(self.of, selector, self.window, self.by), self.labels)


def signal(monitor: Monitor, watched: Threshold) -> Signal:
    """Return the signal that something is about."""
    return Signal(monitor, watched.of, watched.window, tuple(sorted(watched.by)))


def steady(monitor: Monitor) -> Iterator[Threshold]:
    """Yield the thresholds that read recorded signals; the others read what the analyzer writes."""
    return (one for one in monitor.thresholds if not isinstance(one.bound, Band))


def signals(monitor: Monitor) -> tuple[Signal, ...]:
    """Return every signal that is recorded for a monitor, each once."""
    return tuple(dict.fromkeys(signal(monitor, one) for one in steady(monitor)))

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from airis_mon.instrument import Instruments


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Bench:
    """Instruments on a registry of their own, and what the registry then holds."""

    clock: Clock = field(default_factory=Clock)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.instruments = Instruments(registry=self.registry, clock=self.clock)

    def value(self, name: str, **labels: str) -> float | None:
        """Sum over the samples of that exact name that carry these labels; None where there is none."""
        found = [
            sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None


@pytest.fixture
def bench() -> Bench:
    return Bench()

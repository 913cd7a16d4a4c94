"""A Prometheus as one who asks it sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Sample:
    """One series of an answer, with its value."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Facts:
    """What a server says of itself; None where it does not, as servers that only speak its API."""

    version: tuple[int, int] | None = None
    retention: float | None = None
    """Seconds for which samples are kept."""
    evaluation_interval: float | None = None
    """Seconds between two evaluations, where a group does not say otherwise."""
    lookback: float | None = None
    """Seconds after which a sample is no longer seen (`--query.lookback-delta`)."""


class Prometheus(Protocol):
    """What is asked of a server; each question may raise what the caller's means of asking raise."""

    def vector(self, expression: str) -> Sequence[Sample]:
        """Return the series that an expression has now."""

    def times(self, selector: str, span: float) -> Sequence[float]:
        """Return the timestamps of one series over the last `span` seconds, oldest first."""

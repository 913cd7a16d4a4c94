"""What a supervisor and a worker tell each other."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client.metrics_core import Metric

from airis_mon.analyzer.config import Configuration


@dataclass(frozen=True)
class Work:
    """What a worker has to do from now on."""

    number: int
    """Counts what has been told; reports have it, so that it is known what was taken."""
    share: Configuration
    """Its share of what is judged."""
    held: bool = False
    """What is written stays in the queue: older samples of the same series are to arrive first."""


@dataclass(frozen=True)
class Report:
    """How a worker is."""

    number: int
    """Of the work that it has taken."""
    ready: bool
    families: tuple[Metric, ...] | None
    """Its series; None where they are as they were told last, or nearly so."""

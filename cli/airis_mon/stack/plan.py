"""What to start: the built artefacts, where data lives, who is scraped, how often, on which addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

RETENTION = 45 * 86_400.0
"""Longer than the 30 days over which objectives mostly promise; the server's default would forget half."""
ANY_PORT = "127.0.0.1:0"


@dataclass(frozen=True)
class ScrapeTarget:
    """An application whose `/metrics` Prometheus reads."""

    job: str
    address: str
    """`host:port`."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Added to each of its series."""


@dataclass(frozen=True)
class Plan:
    """One stack; all durations in seconds."""

    artefacts: Path
    """Folder that `build` wrote: rules, alertmanager, analyzer."""
    data: Path
    """Folder of all that is written: `prometheus` (the TSDB), `alertmanager`, `logs`, configuration."""
    scrape: tuple[ScrapeTarget, ...] = ()
    scrape_interval: float = 15.0
    evaluation_interval: float = 15.0
    analyzer: bool = True
    """Whether there is an analyzer: where rules do all of its work, it would judge nothing."""
    analyzer_interval: float = 60.0
    analyzer_step: float = 60.0
    retention: float = RETENTION
    """How long Prometheus keeps what it has taken."""
    prometheus: Path | None = None
    """Binary to run; None takes PATH, else Docker Compose, else Debian's package."""
    alertmanager: Path | None = None
    cache: Path | None = None
    """Where Debian's packages are unpacked; None is the user's cache."""
    prometheus_address: str = ANY_PORT
    """`host:port`; port 0 takes a free one."""
    alertmanager_address: str = ANY_PORT
    sidecar_address: str = ANY_PORT
    analyzer_address: str = ANY_PORT

"""Every size that a sender controls, and where it ends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one sidecar takes in. Lengths of strings stand in `items`, where they are checked."""

    body_bytes: int = 8 * 1024 * 1024
    """Bytes of one request's body; more is 413."""
    memory_bytes: int = 64 * 1024 * 1024
    """Bytes of all bodies that are being read or wait for the disk; more is 429."""
    waiting: int = 3_200
    """Items that wait for the disk at the same time; beyond, a request is 429: what is accepted is answered
    soon, and these take some 25 ms to work on."""
    message_bytes: int = 4 * 1024 * 1024
    """Of a body in protobuf, unpacked: its messages take up to 35 times as much memory, a 2,000th of which is
    what an honest one needs."""
    body_seconds: float = 30.0
    """How long a body may take to arrive; later is 408."""
    items: int = 10_000
    """Items of one request; more is 413, and none of them counts."""
    errors: int = 100
    """Item errors that an answer lists; the rest is told as a number."""
    series: int = 100_000
    """Label sets over all metrics; an item that needs one more is refused."""
    series_per_metric: int = 10_000
    """Label sets of one metric."""
    metrics: int = 2_000
    """Metric names."""
    ahead_seconds: float = 600.0
    """How far a timestamp may lie in the future: clocks differ, but not by more."""
    ttl_seconds: float = 86_400.0
    """How long a series stays that nothing comes for; 0 for ever."""
    snapshot_seconds: float = 60.0
    """Between two snapshots ..."""
    snapshot_bytes: int = 256 * 1024 * 1024
    """... unless this much was written before: it bounds how long a start takes."""
    chore_seconds: float = 5.0
    """Between two looks at what is due."""

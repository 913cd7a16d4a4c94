"""Series in portions of what one request may hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from airis_mon.remote_write.sample import Series

Batch = tuple[Series, ...]


@dataclass(frozen=True)
class Limits:
    """The most that one request holds."""

    samples: int = 2000
    """As Prometheus' `max_samples_per_send`."""
    series: int = 2000
    message_bytes: int = 4 * 1024 * 1024
    """Before compression. Receivers take 32 MiB (Prometheus) or 100 MB (Mimir); proxies often 1 MiB after it,
    which is some ten times more before it."""


def batches(series: Iterable[Series], limits: Limits) -> Iterator[Batch]:
    """Yield groups within the limits of number; a series that is longer is cut, in time order."""
    batch: list[Series] = []
    room = size = max(1, limits.samples)
    for one in series:
        first = 0
        while first < len(one.samples):
            end = first + room
            part = one if first == 0 and end >= len(one.samples) else one.part(first, end)
            batch.append(part)
            room -= len(part.samples)
            first = end
            if room == 0 or len(batch) >= limits.series:
                yield tuple(batch)
                batch, room = [], size
    if batch:
        yield tuple(batch)


def counted(batch: Batch) -> int:
    """Return the samples of a batch."""
    return sum(len(series.samples) for series in batch)


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Cut a batch of several samples in two; what comes first is sent first, for the order of time."""
    if len(batch) > 1:
        middle = len(batch) // 2
        return batch[:middle], batch[middle:]
    (one,) = batch
    middle = len(one.samples) // 2
    return (one.part(0, middle),), (one.part(middle),)

"""What an item goes through between being valid and being counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from airis_mon.sidecar.items import Event, Metric


@dataclass(frozen=True)
class Batch:
    """The admitted items of one request."""

    metrics: tuple[Metric, ...] = ()
    events: tuple[Event, ...] = ()


class JournalError(Exception):
    """A batch that could not be kept; it is neither counted nor acknowledged."""


class Journal(Protocol):
    """Keeps batches before they count: what is acknowledged must not be lost with the process."""

    @property
    def durable(self) -> bool:
        """Whether a batch survives the process once `append` has returned."""

    async def append(self, batch: Batch) -> None:
        """Keep a batch; JournalError where that fails."""


class MemoryJournal:
    """Keeps nothing. Acknowledged then means accepted, and counted until the process ends."""

    durable = False

    async def append(self, batch: Batch) -> None:
        """Return at once."""

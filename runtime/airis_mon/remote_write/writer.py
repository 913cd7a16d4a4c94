"""What takes samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from airis_mon.remote_write.sample import Sample

ERRORS_MAX = 20
"""Texts that one result holds."""


@dataclass(frozen=True)
class WriteResult:
    """What became of the samples of one write."""

    sent: int = 0
    """Samples that the receiver acknowledged."""
    dropped: int = 0
    """Samples that were given up: not fit to be sent, refused, or not delivered in time."""
    errors: tuple[str, ...] = ()
    """Why, one text for each cause; limited in number, so that a bad day does not fill the log."""
    queued: int = 0
    """Samples that are kept on disk until the receiver takes them: neither sent nor dropped."""
    notes: tuple[str, ...] = ()
    """What was found out about the receiver, and should be told once."""

    def __add__(self, other: WriteResult) -> WriteResult:
        """Return what two writes did together."""
        return WriteResult(
            self.sent + other.sent,
            self.dropped + other.dropped,
            (self.errors + other.errors)[:ERRORS_MAX],
            self.queued + other.queued,
            self.notes + other.notes,
        )


class Writer(Protocol):
    """A place that samples are written to."""

    def write(self, samples: Iterable[Sample]) -> WriteResult:
        """Deliver samples, or say what became of them; raises nothing for what a receiver or network does."""

    def close(self) -> None:
        """Let go of connections."""

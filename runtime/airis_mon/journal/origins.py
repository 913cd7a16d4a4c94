"""Which batches of which sender have been kept: the memory behind counting once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

WINDOW = 128
"""Batches behind a sender's newest that are told apart; what is older counts as kept."""
LONGEST_PRODUCER = 128
_LARGEST = 2**63 - 1
_MASK = (1 << WINDOW) - 1


@dataclass(frozen=True, slots=True)
class Origin:
    """A sender's own numbering of a batch."""

    producer: str
    """Who sends: 1 to 128 characters, unique among senders."""
    epoch: int
    """Which life of it, 0 to 2^63 - 1; numbers begin anew with each."""
    sequence: int
    """Which batch of that life, 0 to 2^63 - 1, ascending by one or more."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.producer) <= LONGEST_PRODUCER:
            raise ValueError(f"a producer has 1 to {LONGEST_PRODUCER} characters, not {len(self.producer)}")
        if not self.producer.isprintable():
            raise ValueError("a producer is of printable characters")
        for name, value in (("epoch", self.epoch), ("sequence", self.sequence)):
            if not 0 <= value <= _LARGEST:
                raise ValueError(f"{name} {value} is outside of 0 to 2^63 - 1")


class Origins:
    """The windows of all senders, of which the longest silent are forgotten beyond a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._windows: dict[tuple[str, int], tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def known(self, origin: Origin) -> bool:
        """Say whether this batch was kept before, or is too old to tell."""
        window = self._windows.get((origin.producer, origin.epoch))
        if window is None:
            return False
        highest, kept = window
        behind = highest - origin.sequence
        return behind >= WINDOW or (behind >= 0 and bool(kept >> behind & 1))

    def add(self, origin: Origin) -> None:
        """Remember a batch as kept."""
        key = (origin.producer, origin.epoch)
        # Taken out and put in again: the dict's order is that of the latest use.
        highest, kept = self._windows.pop(key, (origin.sequence, 0))
        ahead = origin.sequence - highest
        if ahead > 0:
            highest, kept = origin.sequence, (kept << min(ahead, WINDOW)) & _MASK
            ahead = 0
        if -ahead < WINDOW:
            kept |= 1 << -ahead
        self._windows[key] = (highest, kept)
        if len(self._windows) > self._limit:
            del self._windows[next(iter(self._windows))]

    def saved(self) -> list[tuple[str, int, int, str]]:
        """Return all windows as (producer, epoch, highest sequence, bits in hexadecimal)."""
        return [
            (producer, epoch, highest, f"{kept:x}")
            for (producer, epoch), (highest, kept) in self._windows.items()
        ]

    def restore(self, saved: Iterator[tuple[str, int, int, str]]) -> None:
        """Take windows back in."""
        for producer, epoch, highest, kept in saved:
            self._windows[producer, epoch] = (highest, int(kept, 16))

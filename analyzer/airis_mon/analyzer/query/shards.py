"""Which of several analyzers a series belongs to, by its labels alone.

The labels that an expression gives, sorted by name and written as `name` 0xff `value` 0xff in UTF-8, are
hashed by BLAKE2b to 8 bytes; that, read as a big-endian number, modulo the number of shards is the shard. No
UTF-8 text holds a 0xff, so no two sets of labels are written alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from airis_mon.analyzer.query.querier import Labels

COUNT_MAX = 1000


@dataclass(frozen=True)
class Shard:
    """One share of all series; every series belongs to exactly one of `count`, whatever the query."""

    index: int = 0
    """From 0."""
    count: int = 1

    def __post_init__(self) -> None:
        """Refuse what is none, with what to write instead."""
        if not 1 <= self.count <= COUNT_MAX:
            raise ValueError(f"there are {self.count} shards; write 1 to {COUNT_MAX}")
        if not 0 <= self.index < self.count:
            last = f"0 to {self.count - 1}" if self.count > 1 else "0"
            raise ValueError(f"shard {self.index} of {self.count}: they are counted from 0; write {last}")

    def __str__(self) -> str:
        """Return index and count."""
        return f"{self.index}/{self.count}"

    @property
    def whole(self) -> bool:
        """Whether it is all there is."""
        return self.count == 1

    def owns(self, labels: Labels) -> bool:
        """Say whether a series belongs here."""
        return self.count == 1 or place(labels) % self.count == self.index


def place(labels: Labels) -> int:
    """Return the hash of a series' labels, which are sorted by name."""
    text = b"".join(part.encode("utf-8", "surrogatepass") + b"\xff" for pair in labels for part in pair)
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")

"""Which of several analyzers judges a query, with all its series: replicas are compared with each other.

What tells a query from others (`by`, its labels sorted and joined by commas; `for`; `model`; `monitor`), in
that order and each written as name 0xff value 0xff in UTF-8, is hashed by BLAKE2b to 8 bytes; that, read as a
big-endian number, modulo the number of shards is the shard. No UTF-8 text holds a 0xff. Queries of which one
reads what another one writes are in one shard, in which one is judged after the other: that of the least of
their numbers, so that a query that has nothing to do with them moves none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from airis_mon.analyzer import series
from airis_mon.analyzer.config import Configuration, Query
from airis_mon.analyzer.dependencies import components
from airis_mon.analyzer.versions import Rollout

COUNT_MAX = 1000


@dataclass(frozen=True)
class Shard:
    """One share of all queries; every query, and so every series, belongs to exactly one of `count`."""

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

    def of(self, queries: Iterable[Query]) -> tuple[Query, ...]:
        """Return those of all queries that belong here, in their order."""
        everything = tuple(queries)
        if self.count == 1:
            return everything
        here = {
            query
            for together in components(everything)
            if min(map(place, together)) % self.count == self.index
            for query in together
        }
        return tuple(query for query in everything if query in here)

    def share(self, configuration: Configuration) -> Configuration:
        """Return what of a configuration belongs here."""
        return Configuration(self.of(configuration.queries), self.rollouts(configuration.rollouts))

    def split(self, workers: int) -> tuple[Shard, ...]:
        """Return this share in so many parts: a finer one of all queries, whoever else has the others."""
        if self.count * workers > COUNT_MAX:
            most = COUNT_MAX // self.count
            raise ValueError(f"{workers} workers in each of {self.count} shards; write at most {most}")
        return tuple(Shard(self.index + self.count * part, self.count * workers) for part in range(workers))

    def rollouts(self, rollouts: Iterable[Rollout]) -> tuple[Rollout, ...]:
        """Return the versions that are compared here, as if a monitor's were a query for `canary`."""
        return tuple(
            one
            for one in rollouts
            if place(Query(one.monitor, one.model, series.CANARY, "")) % self.count == self.index
        )


def place(query: Query) -> int:
    """Return the hash of what tells a query from others; its expression may change, and it stays."""
    told = (
        ("by", ",".join(sorted(query.by))),
        ("for", query.signal),
        ("model", query.model),
        ("monitor", query.monitor),
    )
    text = b"".join(part.encode("utf-8", "surrogatepass") + b"\xff" for pair in told for part in pair)
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")

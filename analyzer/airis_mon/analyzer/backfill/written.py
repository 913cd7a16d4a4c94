"""What is stored already of what a query writes: a time that has a value keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from airis_mon.analyzer import series
from airis_mon.analyzer.backfill.reading import ReadAhead
from airis_mon.analyzer.config import Query
from airis_mon.analyzer.query import Labels, Querier
from airis_mon.exporters.contracts import matchers
from airis_mon.remote_write import Sample


class Written:
    """The samples of one query that its server has between two times."""

    def __init__(self, query: Query, querier: Querier, start: int, end: int, interval: int) -> None:
        """Ask `querier`, the server that samples are written to; raises QueryError."""
        self._chosen = matchers({series.MONITOR: query.monitor, series.FOR: query.signal})
        self._reading = ReadAhead(querier, end, interval)
        self._interval = interval
        self._names = tuple(name for name in series.RESULTS if newest(querier, [query], start, end, (name,)))

    def without(self, samples: Iterable[Sample], at: int) -> Iterator[Sample]:
        """Yield the samples, all of them at `at`, that are not there yet; raises QueryError."""
        there = {name: self._stored(name, at) for name in self._names}
        for sample in samples:
            labels = dict(sample.labels)
            if tuple(sorted(labels.items())) not in there.get(labels.pop("__name__"), ()):
                yield sample

    def _stored(self, name: str, at: int) -> set[Labels]:
        # `timestamp` tells a value of this very time from an older one that is still looked back to.
        expr = f"timestamp({name}{self._chosen})"
        frame = self._reading.range(expr, at, at, self._interval)
        return {
            tuple(sorted((*labels, ("__name__", name))))
            for labels, time in zip(frame.labels, frame.values[:, 0], strict=True)
            if time == at
        }


def newest(
    querier: Querier, queries: Iterable[Query], start: int, end: int, names: Iterable[str] = series.RESULTS
) -> int | None:
    """Return the time of the newest sample of what some queries write, from `start` to `end`; QueryError."""
    found = []
    for query in queries:
        chosen = matchers({series.MONITOR: query.monitor, series.FOR: query.signal})
        for name in names:
            span = max(1, end - start)
            frame = querier.instant(f"max(max_over_time(timestamp({name}{chosen})[{span}s:1m]))", end)
            found += [int(value) for value in frame.values[:, 0] if not np.isnan(value)]
    return max(found, default=None)

"""Query after query, and for each time after time: what was judged is written before the next one looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from airis_mon.analyzer.backfill.reading import ReadAhead
from airis_mon.analyzer.backfill.receiver import RefusedError
from airis_mon.analyzer.backfill.written import Written
from airis_mon.analyzer.config import Query
from airis_mon.analyzer.dependencies import levels
from airis_mon.analyzer.endings import Endings
from airis_mon.analyzer.query import Querier
from airis_mon.analyzer.schedule import Schedule, fitted_at, moment
from airis_mon.analyzer.watch import Watch
from airis_mon.remote_write import Sample, Writer

_BATCH = 20_000
"""Samples that are written at once; enough that a request is worth it, little enough to hold."""


@dataclass(frozen=True)
class Progress:
    """How far a backfill is."""

    query: Query
    at: int
    """The time up to which that query was judged and written."""
    done: float
    """Share of the whole that is done."""
    written: int
    """Samples of that query that were taken so far."""
    kept: int
    """Samples of that query that were there already, and stay as they are."""


class Backfill:
    """Judges a past in order: queries after those that they read, times from the oldest on."""

    def __init__(
        self,
        querier: Querier,
        writer: Writer,
        schedule: Schedule,
        *,
        stored: Querier | None = None,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        """Read from `querier` and write to `writer`; `stored` knows what that one has, where anybody does.

        `settle` returns when what was written can be read, for the queries that read it.
        """
        self._querier = querier
        self._writer = writer
        self._schedule = schedule
        self._stored = stored
        self._settle = settle

    def run(self, queries: Iterable[Query], start: int, end: int) -> Iterator[Progress]:
        """Judge every aligned time from `start` to `end`, both included, telling of each batch.

        Raises QueryError where reading fails and RefusedError where a sample was not taken: what was told of
        before is written. CycleError where no order of the queries is possible.
        """
        ordered = levels(tuple(queries))
        order = [query for level in ordered for query in level]
        begins = {level[0] for level in ordered[1:]}
        interval = self._schedule.interval
        first, last = -(-start // interval) * interval, end // interval * interval
        for number, query in enumerate(order):
            if query in begins:
                self._settle()
            for at, written, kept in self._passed(query, first, last):
                share = (at - first + interval) / (last - first + interval)
                yield Progress(query, at, (number + share) / len(order), written, kept)

    def _passed(self, query: Query, first: int, last: int) -> Iterator[tuple[int, int, int]]:
        schedule = self._schedule
        reading = ReadAhead(self._querier, last, schedule.interval)
        there = self._there(query, first, last)
        watch, endings = Watch(query, schedule.step), Endings()
        batch: list[Sample] = []
        written = kept = 0
        begun = first
        for at in range(first, last + 1, schedule.interval):
            watch.fit(reading, fitted_at(at, schedule.fit_interval))
            judged = watch.evaluate(reading, at)
            endings.saw(query, judged.inputs, judged.samples)
            found = [*judged.samples, *endings.ended([query], at)]
            new = list(found if there is None else there.without(found, at))
            batch += new
            kept += len(found) - len(new)
            if len(batch) >= _BATCH or at == last:
                written += self._sent(query, batch, begun, at)
                batch, begun = [], at + schedule.interval
                yield at, written, kept

    def _there(self, query: Query, first: int, last: int) -> Written | None:
        if self._stored is None or first > last:
            return None
        return Written(query, self._stored, first, last, self._schedule.interval)

    def _sent(self, query: Query, batch: list[Sample], begun: int, at: int) -> int:
        result = self._writer.write(batch)
        if result.dropped:
            raise RefusedError(
                f"{query.title}: {result.dropped} of {len(batch)} samples from {moment(begun)} to "
                f"{moment(at)} were not taken: {'; '.join(result.errors)}. What is before is written, and "
                "stays as it is when this is run again"
            )
        return result.sent

"""One round: read, model, write. All queries are judged at the same time, which is Prometheus' own."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.dependencies import levels
from airis_mon.analyzer.endings import Endings
from airis_mon.analyzer.judged import Judged
from airis_mon.analyzer.outcome import Failure, Outcome, Tally
from airis_mon.analyzer.patience import Patience
from airis_mon.analyzer.phases import Phases
from airis_mon.analyzer.query import LimitError, Querier, QueryError
from airis_mon.analyzer.query.prefetch import Prefetch
from airis_mon.analyzer.schedule import Schedule, evaluated_at, fitted_at
from airis_mon.analyzer.storage import Storage
from airis_mon.analyzer.watch import Watch
from airis_mon.remote_write import Sample, Writer, WriteResult

_SAVING = 5.0
"""Seconds of a round that go into saving, each few hours: the next evaluation must not be missed for it."""


@dataclass
class _Round:
    """One round as it goes."""

    at: int
    """The time that is judged."""
    until: int
    """The end of what its models have seen."""
    began: float
    """By the process' own clock."""
    querier: Querier
    phases: Phases
    written: WriteResult = field(default_factory=WriteResult)
    failures: dict[Query, Failure] = field(default_factory=dict)
    tallies: list[Tally] = field(default_factory=list)
    unjudged: list[Query] = field(default_factory=list)
    unlearnt: list[Query] = field(default_factory=list)
    fits: int = 0

    @contextmanager
    def caught(self, query: Query) -> Iterator[None]:
        """Keep what goes wrong with one query from the others, be it the server's fault or ours."""
        try:
            yield
        except QueryError as error:
            limit = error.limit if isinstance(error, LimitError) else None
            self.failures.setdefault(query, Failure(query, str(error), limit))
        except Exception:
            self.failures.setdefault(query, Failure(query, f"unexpected: {traceback.format_exc(limit=-5)}"))


class Cycle:
    """Runs rounds, and keeps what was learnt between them."""

    def __init__(
        self,
        querier: Querier,
        writer: Writer,
        schedule: Schedule,
        *,
        clock: Callable[[], float] = time.monotonic,
        stopped: Callable[[], bool] = lambda: False,
        storage: Storage | None = None,
        judged: Judged | None = None,
        patience: Patience = Patience(),  # noqa: B008  a frozen value
        concurrency: int = 1,
    ) -> None:
        """Read from `querier`, write to `writer`; `stopped` ends a round between two queries.

        What was learnt is kept in `storage`, and until when was judged in `judged`, where they are. With a
        `concurrency` above 1 so many threads ask for the newest values at once.
        """
        self._querier = Prefetch(querier)
        self._writer = writer
        self._schedule = schedule
        self._clock = clock
        self._stopped = stopped
        self._storage = storage
        self._judged = judged
        self._before: Mapping[Query, int] | None = None
        """Until when queries were judged by earlier processes; None as long as nobody has looked."""
        self._saved: dict[Query, tuple[int, ...]] = {}
        """Until when what is kept of a query was learnt."""
        self._watches: dict[Query, Watch] = {}
        self._endings = Endings()
        self._last: int | None = None
        self._patience = patience
        self._concurrency = concurrency
        self._turn: Query | None = None

    def run(self, queries: Sequence[Query]) -> Outcome:
        """Judge the newest point of every query; QueryError where the server does not tell its time.

        A query that fails harms no other: it is in the outcome's failures.
        """
        phases = Phases(self._clock)
        querier = phases.reading(self._querier)
        began = self._clock()
        now = querier.now()
        interval = self._schedule.interval
        at = evaluated_at(now, interval)
        before = self._judged_before(queries, at)
        done = {query for query in queries if before.get(query, at - 1) >= at}
        resumed = bool(before) and self._last is None
        last = max(before.values()) if resumed else self._last
        if last is not None and at <= last and (not resumed or len(done) == len(queries)):
            # After a step back of the clock too: what was written for these times stands.
            return Outcome(now, at, repeated=True, back=last - at)
        # A query that stays the same keeps what it has learnt, whatever else a reload changes.
        self._watches = {query: self._watches.get(query) or self._watch(query, at) for query in queries}
        here = _Round(at, fitted_at(at, self._schedule.fit_interval), began, querier, phases)
        for level in levels(tuple(self._watches)):
            samples: list[Sample] = []
            with self._querier.asking((q.expr for q in level if q not in done), at, self._concurrency):
                for query in self._in_turn(level):
                    if self._stopped():
                        break
                    if query not in done:
                        samples += self._judge(here, query)
            # Before the next level reads it.
            self._write(here, samples)
        if ended := self._endings.ended(self._watches, at):
            self._write(here, ended)
        self._turn = next(iter([*here.unjudged, *here.unlearnt]), None)
        with phases.of("learn"):
            self._prepare(here)
        if here.written.sent or here.written.queued or not any(tally.samples for tally in here.tallies):
            self._last = at
            self._before = {query: until for query, until in before.items() if until > at}
        with phases.of("save"):
            if self._judged is not None and self._last == at:
                self._judged.save(self._watches, [tally.query for tally in here.tallies], at)
            self._save()
        return Outcome(
            now=now,
            at=at,
            seconds=self._clock() - began,
            written=here.written,
            failures=tuple(here.failures.values()),
            tallies=tuple(here.tallies),
            ages={q: at - w.learnt_until for q, w in self._watches.items() if w.learnt_until is not None},
            phases=phases.seconds,
            missed=range(at if last is None else evaluated_at(last, interval) + interval, at, interval),
            resumed=resumed,
            fits=here.fits,
            unlearnt=len(here.unlearnt),
        )

    def _judge(self, here: _Round, query: Query) -> Sequence[Sample]:
        """Return what a query gives to write, nothing where it fails or its time is over."""
        watch, waited = self._watches[query], self._clock() - here.began
        if waited > self._patience.judging:
            text = f"not judged: {waited:.0f} s are over, and the next round begins with it"
            here.failures[query] = Failure(query, text, "judging")
            here.unjudged.append(query)
            return ()
        with here.caught(query), here.phases.of("learn"):
            if watch.knows(here.until) or waited <= self._patience.learning:
                here.fits += watch.fit(here.querier, here.until)
            else:
                here.unlearnt.append(query)
        with here.caught(query), here.phases.of("score"):
            found = watch.evaluate(here.querier, here.at)
            self._endings.saw(query, found.inputs, found.samples)
            here.tallies.append(Tally.of(query, found))
            return found.samples
        return ()

    def _write(self, here: _Round, samples: Sequence[Sample]) -> None:
        with here.phases.of("write"):
            here.written += self._writer.write(samples)

    def _judged_before(self, queries: Iterable[Query], at: int) -> Mapping[Query, int]:
        """Return until when earlier processes had judged, as far as this one has not come beyond that."""
        if self._before is None:
            self._before = {} if self._judged is None else self._judged.load(queries, at)
        return self._before

    def _watch(self, query: Query, at: int) -> Watch:
        watch = Watch(query, self._schedule.step)
        memory = None if self._storage is None else self._storage.load(query, self._schedule.step, at)
        if memory is not None:
            watch.remember(memory)
            self._saved[query] = memory.until
        return watch

    def _save(self) -> None:
        """Keep what was learnt since it was kept last, while there is time; the rest in the next round."""
        if self._storage is None:
            return
        began, saved = self._clock(), False
        for query, watch in self._watches.items():
            memory = watch.memory
            if memory is None or self._saved.get(query) == memory.until:
                continue
            if self._clock() - began > _SAVING or self._stopped():
                return
            self._storage.save(query, self._schedule.step, memory)
            self._saved[query], saved = memory.until, True
        if saved:
            self._storage.tidy(self._watches, self._schedule.step)
            self._saved = {query: self._saved[query] for query in self._watches if query in self._saved}

    def _in_turn(self, level: Sequence[Query]) -> Sequence[Query]:
        """Return queries in their order, those first that the last round had no time for."""
        first = level.index(self._turn) if self._turn in level else 0
        return (*level[first:], *level[:first])

    def _prepare(self, here: _Round) -> None:
        """Do what fits to come would have to do, some of it in each round."""
        for number, (query, watch) in enumerate(self._watches.items()):
            more = query not in here.failures
            while more:
                if self._stopped() or self._clock() - here.began >= self._patience.preparing:
                    return
                more = False
                with here.caught(query):
                    more = watch.prepare(here.querier, here.at, number / len(self._watches))

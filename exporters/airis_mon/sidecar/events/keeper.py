"""What keeps the store in step with the journal."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge

from airis_mon.exporters import series
from airis_mon.journal import Journal, MemoryJournal, records
from airis_mon.sidecar.entries import events_of
from airis_mon.sidecar.events.rows import Query, Row, row
from airis_mon.sidecar.events.store import EventStore, StoreError
from airis_mon.sidecar.items import Event

_LOG = logging.getLogger(__name__)
_DECODER = msgspec.msgpack.Decoder(Event)
T = TypeVar("T")


@dataclass(frozen=True)
class Retention:
    """How long events are kept, and how they are handed on."""

    seconds: float = 30 * 86_400.0
    """Since the event's own time; 0 for ever."""
    events: int = 1_000_000
    """Of which the oldest go when there are more."""
    waiting: int = 20_000
    """Events in memory on their way to the store; of more the journal is read again."""
    chunk: int = 2_000
    """Events of one transaction."""
    retry_seconds: float = 1.0
    """After a failure of the store; twice as long with each, up to half a minute."""
    trim_seconds: float = 60.0
    """Between two looks for what is too old."""


class Keeper:
    """Hands events from the journal to the store, and questions to it. Belongs to the event loop."""

    def __init__(
        self,
        store: EventStore,
        journal: Journal | MemoryJournal,
        folder: Path | None,
        retention: Retention,
        registry: CollectorRegistry,
        now: Callable[[], float],
    ) -> None:
        """`folder` is the journal's, None for one in memory; `now` the wall clock, seconds since 1970."""
        self._store = store
        self._journal = journal
        self._folder = folder
        self._retention = retention
        self._now = now
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="events")
        self._queue: deque[tuple[int, Sequence[msgspec.Raw]]] = deque()
        self._waiting = 0
        self._reading_back = folder is not None
        """Whether the journal has to be read: the queue does not reach back to the mark."""
        self._opened = False
        self._away = False
        self._wake = asyncio.Event()
        self._stepped = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._trimmed = float("-inf")
        self.mark = 0
        """Up to which sequence the journal is in the store."""
        self._up = Gauge(
            series.SIDECAR_EVENT_STORE_UP, "1 where the store of events answers.", registry=registry
        )
        Gauge(
            series.SIDECAR_EVENT_STORE_BEHIND,
            "Records of the journal that are not yet in the store of events.",
            registry=registry,
        ).set_function(lambda: max(0, journal.sequence - self.mark))
        self._dropped = Counter(
            series.SIDECAR_EVENTS_DROPPED,
            "Events that never reached the store, as nothing but memory holds them.",
            registry=registry,
        )

    def begin(self) -> None:
        """Begin to hand on; the journal has been recovered."""
        self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        """Hand on what waits, as far as the store takes it at once, and let go of it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            try:
                while self._opened and await self._step():
                    pass
            except StoreError as error:
                _LOG.warning("events not stored yet; the next start does it", extra={"reason": str(error)})
        await self._in_thread(self._store.close)
        self._thread.shutdown()

    def offer(self, sequence: int, events: Sequence[msgspec.Raw]) -> None:
        """Take the events of a record that is durable."""
        if not events:
            # The mark follows when there is something to store, is asked for, or now and then.
            return
        self._wake.set()
        if self._reading_back and self._folder is not None:
            return
        self._queue.append((sequence, events))
        self._waiting += len(events)
        if self._waiting <= self._retention.waiting:
            return
        if self._folder is not None:
            self._read_back()
        while self._waiting > self._retention.waiting:
            self._waiting -= len(dropped := self._queue.popleft()[1])
            self._dropped.inc(len(dropped))

    def _read_back(self) -> None:
        """Let go of what waits: the journal has it, and is read when the store is there."""
        self._reading_back = self._folder is not None
        if self._reading_back:
            self._queue.clear()
            self._waiting = 0

    async def read(self, query: Query, patience: float = 5.0) -> list[Row]:
        """Return events, all that were acknowledged before among them; StoreError where the store is away."""
        wanted = self._journal.sequence
        try:
            async with asyncio.timeout(patience), self._stepped:
                self._wake.set()
                await self._stepped.wait_for(lambda: self.mark >= wanted)
        except TimeoutError:
            raise StoreError("the store of events is not up to date, or does not answer") from None
        return await self._in_thread(partial(self._store.read, query))

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def _run(self) -> None:
        pause = self._retention.retry_seconds
        while True:
            try:
                if not self._opened:
                    self.mark = await self._in_thread(self._store.open)
                    self._opened = True
                more = await self._step()
                await self._trim()
            except StoreError as error:
                if not self._away:
                    # Once an outage: a line a second helps nobody.
                    _LOG.error("events not stored, tried again", extra={"reason": str(error)})
                self._away = True
                self._up.set(0)
                self._read_back()
                await asyncio.sleep(pause)
                pause = min(2 * pause, 30.0)
                continue
            self._away = False
            self._up.set(1)
            pause = self._retention.retry_seconds
            async with self._stepped:
                self._stepped.notify_all()
            if more:
                continue
            try:
                async with asyncio.timeout(self._retention.trim_seconds):
                    await self._wake.wait()
            except TimeoutError:
                continue
            finally:
                self._wake.clear()

    async def _step(self) -> bool:
        """Bring the store nearer to what is durable now; return whether there is more to do.

        One transaction of what waits, so that readers get their turn under a load that never rests.
        """
        durable = self._journal.sequence
        if self._reading_back and self._folder is not None:
            # What is acknowledged from here on waits in the queue, while the journal is read up to here:
            # there may never be a moment in which the journal holds nothing newer.
            self._reading_back = False
            with self._back_on_failure():
                await self._in_thread(partial(self._catch_up, self._folder, durable))
            return True
        taken: list[tuple[int, Sequence[msgspec.Raw]]] = []
        rows: list[Row] = []
        while self._queue and len(rows) < self._retention.chunk:
            sequence, events = self._queue.popleft()
            self._waiting -= len(events)
            taken.append((sequence, events))
            rows += [row(_DECODER.decode(raw), sequence, at) for at, raw in enumerate(events)]
        mark = self._queue[0][0] - 1 if self._queue else durable
        if rows or mark > self.mark:
            with self._back_on_failure(taken):
                await self._in_thread(partial(self._store.write, rows, mark))
            self.mark = mark
        return bool(self._queue) or self._reading_back

    @contextmanager
    def _back_on_failure(self, taken: Sequence[tuple[int, Sequence[msgspec.Raw]]] = ()) -> Iterator[None]:
        """Forget nothing where a write fails, or is waited for no longer as the process ends."""
        try:
            yield
        except BaseException:
            self._queue.extendleft(reversed(taken))
            self._waiting += sum(len(events) for _, events in taken)
            self._read_back()
            raise

    def _catch_up(self, folder: Path, durable: int) -> None:
        """Read the journal from the mark on, into the store; in the thread."""
        if self.mark >= durable:
            return
        found = iter(self._recorded(folder, durable))
        while rows := list(islice(found, self._retention.chunk)):
            mark = rows[-1].place.sequence - 1
            self._store.write(rows, max(self.mark, mark))
            self.mark = max(self.mark, mark)
        self._store.write([], durable)
        self.mark = durable

    def _recorded(self, folder: Path, durable: int) -> Iterator[Row]:
        for record in records(folder, self.mark):
            # What is beyond may yet fail, and was answered to nobody.
            if record.sequence > durable:
                return
            try:
                events = events_of(record.payload)
            except (ValueError, TypeError):
                # Told of, and counted as lost, when the journal was recovered.
                continue
            for at, event in enumerate(events):
                yield row(event, record.sequence, at)

    async def _trim(self) -> None:
        now = self._now()
        if now - self._trimmed < self._retention.trim_seconds:
            return
        self._trimmed = now
        before = now - self._retention.seconds if self._retention.seconds else None
        await self._in_thread(partial(self._store.trim, before, self._retention.events))

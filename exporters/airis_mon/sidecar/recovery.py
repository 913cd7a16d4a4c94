"""A sidecar's life beside its requests: coming back, snapshots, the end of series that rest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from aiohttp import hdrs, web

from airis_mon.exporters.series import LOG_POSITION
from airis_mon.journal import Journal, JournalError, MemoryJournal
from airis_mon.sidecar.admission import ADMISSION, OverloadedError
from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.entries import Batch, load, replay, saved
from airis_mon.sidecar.events.keeper import Keeper
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.observation import Observation

_LOG = logging.getLogger(__name__)
_SLICE = 256
"""Series that are encoded before others get their turn."""
_ENCODER = msgspec.msgpack.Encoder()


def restore(journal: Journal | MemoryJournal, aggregates: Aggregates, now: float) -> int:
    """Fill empty aggregates from a journal, and return how many records were lost to damage.

    Blocks; nobody else may touch the aggregates meanwhile. JournalError or OSError where the folder cannot be
    used; a record that no version of ours wrote counts as lost.
    """
    recovery = journal.recover()
    lost = 0
    for chunk in recovery.chunks:
        for _ in load(msgspec.msgpack.decode(chunk), aggregates):
            pass
    for record in recovery.records:
        try:
            replay(record.payload, record.sequence, aggregates, now)
        except (ValueError, TypeError) as error:
            lost += 1
            _LOG.error("record not understood", extra={"sequence": record.sequence, "reason": str(error)})
    lost += recovery.corrupt_records
    if lost or recovery.truncated_bytes:
        _LOG.warning(
            "the journal was repaired",
            extra={"lost_records": lost, "torn_bytes": recovery.truncated_bytes},
        )
    return lost


class Life:
    """From the start of a process to its end; `ready` once everything that was kept counts again."""

    def __init__(
        self,
        journal: Journal | MemoryJournal,
        aggregates: Aggregates,
        observation: Observation,
        limits: Limits,
        now: Callable[[], float],
        keeper: Keeper,
    ) -> None:
        self._keeper = keeper
        self._journal = journal
        self._aggregates = aggregates
        self._observation = observation
        self._limits = limits
        self._now = now
        self._chores: asyncio.Task[None] | None = None
        self.ready = False
        self.failure: Exception | None = None
        """Why it cannot go on; its process should end."""
        self.failed = asyncio.Event()

    async def begin(self, app: web.Application) -> None:
        """Begin to come back; requests are answered meanwhile, with 503."""
        # Nothing to come back to: the first request need not be told to come again.
        self.ready = not self._journal.durable
        self._chores = asyncio.create_task(self._live())

    async def end(self, app: web.Application) -> None:
        """Write what waits, then a last snapshot, and give the folder back."""
        if self._chores is not None:
            self._chores.cancel()
            await asyncio.gather(self._chores, return_exceptions=True)
        await self._keeper.end()
        if self.ready and self._journal.usable:
            await self._snapshot()
        await self._journal.close()

    async def _live(self) -> None:
        if not self.ready:
            try:
                lost = await asyncio.to_thread(restore, self._journal, self._aggregates, self._now())
                self._observation.lost(lost)
                await self._journal.start()
            except (JournalError, OSError, ValueError) as error:
                self._fail(error)
                return
            self.ready = True
        self._keeper.begin()
        _LOG.info("ready", extra={"series": self._aggregates.series, "records": self._journal.sequence})
        rested = 0.0
        while self._journal.usable:
            await asyncio.sleep(self._limits.chore_seconds)
            rested += self._limits.chore_seconds
            await self._expire()
            if (
                rested >= self._limits.snapshot_seconds
                or self._journal.bytes_since_snapshot >= self._limits.snapshot_bytes
            ):
                rested = 0.0
                await self._snapshot()
        self._fail(JournalError("the disk failed twice in a row"))

    def _fail(self, error: Exception) -> None:
        _LOG.error("the journal cannot be used", extra={"reason": str(error)})
        self.ready = False
        self.failure = error
        self.failed.set()

    async def _snapshot(self) -> None:
        try:
            # Records whose events the store does not have yet stay.
            await self._journal.snapshot(self._slices(), keep_from=self._keeper.mark)
        except OSError as error:
            self._observation.snapshot_failed()
            _LOG.error("snapshot not written", extra={"reason": error.strerror or str(error)})

    async def _slices(self) -> AsyncIterator[bytes]:
        states: list[msgspec.Raw] = []
        for series in self._aggregates.all_series():
            if series.exposed and not series.removed:
                states.append(msgspec.Raw(saved(series)))
            if len(states) == _SLICE:
                yield _ENCODER.encode(states)
                states = []
        if states:
            yield _ENCODER.encode(states)

    async def _expire(self) -> None:
        """Let series go that nothing came for; as a record, so that a replay lets go of them too."""
        if not self._limits.ttl_seconds:
            return
        oldest = self._now() - self._limits.ttl_seconds
        batch = Batch()
        for series in self._aggregates.all_series():
            # A file's position must outlast the file's silence, or its lines would count again.
            if series.exposed and series.touched < oldest and series.family.name != LOG_POSITION:
                batch.remove(series)
        if not batch:
            return
        try:
            await self._journal.append(
                batch.encode(), None, lambda sequence: batch.apply(self._aggregates, sequence, oldest)
            )
        except JournalError as error:
            _LOG.warning("series not expired", extra={"reason": str(error)})
        else:
            self._observation.expired(len(batch.entries))


def gate(life: Life) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Return a middleware: 503 for what would have to know what is not yet back, 429 for what is too much."""

    @web.middleware
    async def middleware(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if not life.ready and request.path != "/" and not request.path.startswith("/-/"):
            # A scrape of counters that are half back would look like a reset and count everything twice.
            text = "Not ready yet: what was kept is being read back\n"
            return web.Response(status=503, text=text, headers={hdrs.RETRY_AFTER: "1"})
        try:
            return await handler(request)
        except OverloadedError as error:
            # Prometheus takes 429 for the end of a batch unless told otherwise, and sends again after a 503.
            status = 503 if request.path == "/api/v1/write" else 429
            return web.Response(status=status, text=f"{error}\n", headers={hdrs.RETRY_AFTER: "1"})
        finally:
            request.app[ADMISSION].release(request)

    return middleware

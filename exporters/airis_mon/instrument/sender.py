"""Operations sent to a sidecar, for a process that is gone before anybody scrapes it, or that cannot be.

    sender = Sender("http://127.0.0.1:9466", source="nightly-report", spool=Path("/var/spool/report"))
    llm = Instruments(registry=CollectorRegistry(), sink=sender).llm(model="llama", provider="openai")
    ...
    sender.close()  # waits until all is sent, at most `timeout` seconds; at exit it is called by itself

What it promises
- Whoever ends a call never waits: an operation is appended to a buffer, a thread of its own sends.
- Memory is bounded: beyond `buffer` operations the oldest are dropped, and counted.
- What was answered with 200 counts once, though it may be sent several times: batches carry numbers.
- With a spool what could not be sent outlives the process, and is sent by the next one on the same folder;
  without, what is not sent when it is closed is dropped, and counted.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import queue
import random
import ssl
import threading
import time
import uuid
import weakref
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from airis_mon.exporters import series
from airis_mon.instrument.operation import Operation
from airis_mon.instrument.spool import Batch, Spool
from airis_mon.instrument.transport import Transport, TransportError

_LOG = logging.getLogger(__name__)
BATCH = 500
"""Operations of one request."""
FULL, SPOOL_FULL, REFUSED, CLOSED = "full", "spool_full", "refused", "closed"


class Sender:
    """Sends to one sidecar. Fulfils `Sink`; make one at start, and close it at the end."""

    def __init__(
        self,
        url: str,
        *,
        source: str,
        buffer: int = 10_000,
        interval: float = 1.0,
        timeout: float = 5.0,
        spool: Path | None = None,
        spool_bytes: int = 64 * 1024 * 1024,
        headers: Mapping[str, str] | None = None,
        user: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        """`url` is the sidecar's root; `source` becomes a label. ValueError for a URL that is none.

        - `buffer`: operations in memory; of more the oldest are dropped.
        - `interval`: seconds between two requests, where fewer operations wait than fill one.
        - `timeout`: seconds for each step of a request, and for `close` at exit.
        - `spool`: folder for what cannot be sent, up to `spool_bytes`; of more the oldest are dropped.
          Processes may share one.
        - `user`: name and password; `tls` for https, the system's authorities where None.
        - `registry`: where it says what it sent and dropped.
        """
        self._transport = Transport(url, timeout, headers or {}, user, tls)
        self._source = source
        self._size = buffer
        self._interval = interval
        self._timeout = timeout
        self._spool = None if spool is None else Spool(spool, spool_bytes)
        self._count(registry)
        self._begin()
        _follow(self)

    def _count(self, registry: CollectorRegistry | None) -> None:
        registry = registry or CollectorRegistry()
        self._sent = Counter(
            series.INSTRUMENT_SENT, "Operations that a sidecar acknowledged.", registry=registry
        )
        dropped = Counter(
            series.INSTRUMENT_DROPPED, "Operations that no sidecar counted.", ["reason"], registry=registry
        )
        self._dropped = {reason: dropped.labels(reason) for reason in (FULL, SPOOL_FULL, REFUSED, CLOSED)}
        waiting = Gauge(series.INSTRUMENT_WAITING, "Operations that are yet to be sent.", registry=registry)
        held = weakref.ref(self)
        waiting.set_function(lambda: 0 if (sender := held()) is None else sender.waiting)

    def _begin(self) -> None:
        """Begin a life: a buffer, numbers, and a thread that starts with the first operation."""
        self._buffer: deque[Operation] = deque()
        self._pending: Batch | None = None
        self._producer = uuid.uuid4().hex
        self._epoch = time.time_ns() // 1_000_000
        self._sequence = 0
        # Not an Event: an operation may be offered by an object that the garbage collector ends, in the
        # middle of whatever its thread was at; a SimpleQueue may be put to even then.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._idle = threading.Condition()
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._transport.forget()
        self._told = False

    @property
    def waiting(self) -> int:
        """Return how many operations are yet to be sent."""
        spooled = 0 if self._spool is None else self._spool.waiting()
        return len(self._buffer) + (0 if self._pending is None else self._pending.count) + spooled

    def offer(self, operation: Operation) -> None:
        """Take an operation; never blocks, never raises."""
        if self._stop.is_set():
            self._dropped[CLOSED].inc()
            return
        buffer = self._buffer
        buffer.append(operation)
        while len(buffer) > self._size:
            try:
                buffer.popleft()
            except IndexError:
                break
            self._dropped[FULL].inc()
        if self._thread is None:
            self._start()
        if len(buffer) >= BATCH and self._wake.empty():
            self._wake.put(None)

    def _start(self) -> None:
        if self._stop.is_set() or not self._starting.acquire(blocking=False):
            return
        if self._thread is not None:
            self._starting.release()
            return
        self._thread = threading.Thread(target=self._run, name="airis-mon sender", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            # The interpreter is about to end: `flush` sends in its caller's thread.
            self._thread = None
        self._starting.release()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all is sent, at most that many seconds; say whether it is."""
        end = time.monotonic() + (self._timeout if timeout is None else timeout)
        if self._thread is None and self.waiting:
            self._start()
            if self._thread is None:
                self._send_all()
        # Whoever waits here may not live until the next try: the pause after a failure ends now.
        self._hurry.set()
        with self._idle:
            while self.waiting and (left := end - time.monotonic()) > 0:
                if self._wake.empty():
                    self._wake.put(None)
                self._idle.wait(min(left, 0.05))
        return not self.waiting

    def close(self, timeout: float | None = None) -> bool:
        """Send what there is, at most that many seconds, then end; say whether all is sent.

        What is not goes to the spool. Without one it is dropped, and counted.
        """
        if self._stop.is_set():
            return not self.waiting
        sent = self.flush(timeout)
        self._stop.set()
        self._wake.put(None)
        self._hurry.set()
        if self._thread is not None:
            if not sent:
                self._transport.interrupt()
            self._thread.join(1.0)
        if not sent:
            self._put_aside()
        return sent

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.is_set():
            if pause:
                if self._hurry.wait(pause):
                    self._hurry.clear()
                    pause = 0.0
            elif len(self._buffer) < BATCH:
                with suppress(queue.Empty):
                    self._wake.get(timeout=self._interval)
            while not self._wake.empty():
                self._wake.get()
            asked = self._send_all()
            # Twice as long with each failure, at most half a minute, and no two senders at the same moment.
            longer = min(30.0, max(0.2, 2 * pause)) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
            pause = 0.0 if asked is None else max(asked, longer)
            with self._idle:
                self._idle.notify_all()
        self._transport.close()

    def _send_all(self) -> float | None:
        """Send all there is, oldest first; None where all went well, else the seconds to wait, where told.

        In the order of their numbers always: a sidecar takes a batch that lies far behind for a known one.
        """
        while not self._stop.is_set():
            batch = None if self._spool is None else self._spool.oldest()
            spooled = batch is not None
            if batch is None:
                batch = self._pending = self._pending or self._next()
            if batch is None:
                return None
            asked = self._send(batch)
            if asked is not None:
                self._put_on_disk()
                return asked
            if spooled and self._spool is not None:
                self._spool.forget(batch)
            else:
                self._pending = None
        return None

    def _put_on_disk(self) -> None:
        """Spool what waits, in place of the oldest where there is no room; in memory where the disk fails."""
        while (batch := self._pending or self._next()) is not None:
            self._pending = batch
            if not self._spooled(batch):
                return
            self._pending = None

    def _spooled(self, batch: Batch) -> bool:
        if self._spool is None:
            return False
        dropped = self._spool.make_room(len(batch.body))
        if dropped:
            self._dropped[SPOOL_FULL].inc(dropped)
        return self._spool.keep(batch)

    def _next(self) -> Batch | None:
        lines: list[str] = []
        while len(lines) < BATCH:
            try:
                lines.append(_line(self._buffer.popleft(), self._source))
            except IndexError:
                break
        if not lines:
            return None
        self._sequence += 1
        return Batch(self._epoch, self._sequence, self._producer, len(lines), "\n".join(lines).encode())

    def _send(self, batch: Batch) -> float | None:
        """Send a batch; None where it has its answer for good, else the seconds that it was asked to wait."""
        numbers = {
            "X-Airis-Producer": batch.producer,
            "X-Airis-Epoch": str(batch.epoch),
            "X-Airis-Sequence": str(batch.sequence),
        }
        try:
            answer = self._transport.post(batch.body, numbers)
        except TransportError as error:
            self._tell(str(error))
            return 0.0
        if answer.again:
            self._tell(f"the sidecar answers {answer.status}; tried again")
            return answer.wait
        self._told = False
        refused = 0 if answer.status in (200, 202) else _refused(answer.body, batch.count)
        if refused:
            self._dropped[REFUSED].inc(refused)
            _LOG.warning("the sidecar refuses %d of %d operations: %s", refused, batch.count, answer.text)
        self._sent.inc(batch.count - refused)
        return None

    def _tell(self, what: str) -> None:
        # Once for each outage: a log line a second helps nobody.
        if not self._told:
            self._told = True
            _LOG.warning("%s", what)

    def _put_aside(self) -> None:
        """Spool, or count as dropped, what is left when the thread has ended."""
        if self._thread is not None and self._thread.is_alive():
            # It hangs in a request, whose batch is spooled here as well: its number lets it count once.
            _LOG.warning("the sender still waits for the sidecar")
        while (batch := self._pending or self._next()) is not None:
            self._pending = None
            if not self._spooled(batch):
                self._dropped[CLOSED].inc(batch.count)


def _line(operation: Operation, source: str) -> str:
    item: dict[str, Any] = {
        name: value for name, value in operation._asdict().items() if value not in (None, "", ())
    }
    item["timestamp"] = datetime.fromtimestamp(operation.timestamp, UTC).isoformat()
    item["source"] = source
    return json.dumps(item)


def _refused(body: bytes, count: int) -> int:
    """Return how many items an answer refuses; all where it does not tell."""
    try:
        told = json.loads(body)
        accepted, rejected = int(told["accepted"]), int(told["rejected"])
    except (ValueError, TypeError, KeyError):
        return count
    return rejected if accepted + rejected == count else count


def _follow(sender: Sender) -> None:
    """Close at exit, and begin anew in a child: its parent's operations are its parent's to send."""
    held = weakref.ref(sender)

    def close() -> None:
        found = held()
        if found is not None:
            found.close()

    def begin() -> None:
        found = held()
        if found is not None:
            found._begin()

    atexit.register(close)
    os.register_at_fork(after_in_child=begin)

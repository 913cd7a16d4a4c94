"""A writer that keeps on disk what it is given until the receiver has taken it.

Samples are durable before the first of them is sent, and are sent in the order in which they came, so that
no series gets an older value behind a newer one. What a process wrote before it was killed stands: a second
value for the same series and time, which the next process may arrive at, is left out.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from airis_mon.journal import Entry, Item, JournalError, Queue
from airis_mon.remote_write.answers import Answer
from airis_mon.remote_write.batches import Batch, batches, counted
from airis_mon.remote_write.dead_letters import Refused, refusals, unheard
from airis_mon.remote_write.delivery import Delivery
from airis_mon.remote_write.retry import Backoff
from airis_mon.remote_write.sample import Labels, Refusal, Sample, Series, grouped
from airis_mon.remote_write.symbols import MessageError, decoded_2, encoded_2
from airis_mon.remote_write.writer import ERRORS_MAX, WriteResult

_AT_HAND = 64
"""Batches that were queued last and are not read back from disk."""
_PATIENCE = 300.0
"""Seconds of nothing but 500 for one batch, after which it may be the batch that is at fault: Prometheus
before 2.50 answers so to samples that are older than its out-of-order window."""
_LAST = 2.0
"""Seconds that `close` gives what is still queued."""


@dataclass(frozen=True)
class Backlog:
    """What waits for the receiver."""

    samples: int
    bytes: int
    seconds: float
    """Age of the oldest."""
    damaged: int
    """Places of the queue at which samples were lost to the disk."""


class QueuedWriter:
    """Writes through a queue: `open`, then `start` where it lives long, then `write`, in the end `close`."""

    def __init__(
        self,
        delivery: Delivery,
        queue: Queue,
        *,
        budget: float = 10.0,
        backoff: Backoff = Backoff(first=0.5, longest=30.0),  # noqa: B008  a frozen value
        refused: Refused = unheard,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        chance: random.Random | None = None,
        held: bool = False,
    ) -> None:
        """Prepare: `budget` in seconds for what one `write` sends before it leaves the rest to the thread.

        Where it is `held`, nothing is sent before `release`: something else has to arrive first.
        """
        self._delivery = delivery
        self._queue = queue
        self._budget = budget
        self._backoff = backoff
        self._refused = refused
        self._clock = clock
        self._now = now
        self._chance = chance or random.Random()  # noqa: S311  jitter, not a secret
        self._held = held
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._known: dict[Labels, int] = {}
        self._at_hand: dict[int, Batch] = {}
        self._rest: tuple[int, list[Batch]] = (0, [])
        """What is left of the head, where a part of it was taken."""
        self._failures = 0
        self._not_before = float("-inf")
        self._failing = (0, 0.0)
        """Sequence of a head that was answered 500, and since when."""
        self._suspicious = False
        """The receiver takes newer samples while it answers 500 to the head."""
        self._done = WriteResult()
        """What was done since a result was given."""

    def open(self) -> None:
        """Find what an earlier process left.

        JournalError where the folder of the queue is another process', or cannot be used.
        """
        self._queue.open()
        for payload in self._queue.recent():
            for series in self._decoded(payload):
                for at, _ in series.samples:
                    self._known[series.labels] = max(at, self._known.get(series.labels, at))
        told = []
        if self._queue.weight:
            told.append(f"{self._queue.weight} samples of before the start are queued, and go first")
        if self._queue.damaged:
            told.append(f"{self._queue.damaged} places of the queue are damaged; what was there is lost")
        if self._queue.torn_bytes:
            told.append(f"{self._queue.torn_bytes} bytes of an interrupted write to the queue were cut off")
        self._done = WriteResult(notes=tuple(told))

    def start(self) -> None:
        """Deliver what waits in a thread, until `close`."""
        self._thread = threading.Thread(target=self._drain, name="queue", daemon=True)
        self._thread.start()

    def write(self, samples: Iterable[Sample]) -> WriteResult:
        """Queue samples durably, and deliver what can be delivered at once.

        The result counts what became of samples since the last one, those of earlier writes among them.
        """
        fit = grouped(samples)
        with self._lock:
            self._lost(fit.refused, [str(refusal) for refusal in fit.refused[:ERRORS_MAX]])
            groups = list(batches(self._fresh(fit.series), self._delivery.limits))
            queued = 0
            try:
                self._put(groups)
            except JournalError as error:
                self._unqueued(groups, error)
            else:
                queued = sum(map(counted, groups))
            self._deliver(self._clock() + self._budget)
            result, self._done = self._done, WriteResult()
            self._wake.set()
            # What came before this write goes first.
            still = min(queued, self._queue.weight)
        return result + WriteResult(queued=still, notes=self._delivery.notes())

    def release(self) -> None:
        """Deliver from now on."""
        self._held = False
        self._wake.set()

    def backlog(self) -> Backlog:
        """Return what waits."""
        head = self._queue.head()
        seconds = 0.0 if head is None else max(0.0, self._now() - head.put)
        return Backlog(self._queue.weight, self._queue.bytes, seconds, self._queue.damaged)

    @property
    def stuck(self) -> bool:
        """Whether the head has got nothing but 500 for minutes: what is in it may be at fault itself."""
        head, (sequence, since) = self._queue.head(), self._failing
        return head is not None and head.sequence == sequence and self._clock() - since >= _PATIENCE

    def close(self) -> None:
        """Deliver what can be delivered quickly, though requests may hang; the rest is for the next start."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_LAST)
        if not self._lock.acquire(timeout=_LAST):
            return  # it is on disk, and the end of the process gives the folder back
        try:
            self._deliver(self._clock() + _LAST)
            self._queue.close()
            self._delivery.close()
        finally:
            self._lock.release()

    def _drain(self) -> None:
        while not self._stopping:
            with self._lock:
                self._deliver(self._clock() + self._budget)
                waiting = self._queue.head() is not None
                wait = max(0.05, self._not_before - self._clock()) if waiting and not self._held else None
            self._wake.wait(wait)
            self._wake.clear()

    def _fresh(self, series: Iterable[Series]) -> list[Series]:
        """Leave out what an earlier process has queued for the same time, whatever it was."""
        if not self._known:
            return list(series)
        fresh: list[Series] = []
        left_out, newest, last = 0, False, max(self._known.values())
        for one in series:
            known = self._known.get(one.labels)
            samples = tuple(sample for sample in one.samples if known is None or sample[0] > known)
            left_out += len(one.samples) - len(samples)
            if samples:
                fresh.append(Series(one.labels, samples, one.starts, one.exemplars))
                newest = newest or samples[-1][0] > last
        if left_out:
            self._note(f"{left_out} samples had been queued before the start; what they were then stands")
        if newest:
            self._known = {}
        return fresh

    def _put(self, groups: Iterable[Batch]) -> None:
        items = [
            Item(encoded_2(group, {}), counted(group), max(series.samples[-1][0] for series in group))
            for group in groups
        ]
        for sequence, group in zip(self._queue.put(items), groups, strict=True):
            self._at_hand[sequence] = group
        while len(self._at_hand) > _AT_HAND:
            del self._at_hand[next(iter(self._at_hand))]

    def _unqueued(self, groups: Iterable[Batch], error: JournalError) -> None:
        """Deliver without a queue where none of the earlier samples waits, which has to go first."""
        for group in groups:
            left = [group]
            if self._queue.head() is None and not self._held:
                outcome = self._delivery.attempt(group, lambda: self._budget)
                self._took(outcome.sent)
                self._lost(outcome.refused, outcome.errors, outcome.dropped)
                left = outcome.left
            for piece in left:
                reason = f"not delivered, and not queued either: {error}"
                self._lost(refusals(piece, reason), [reason])

    def _deliver(self, deadline: float) -> None:
        """Deliver from the head on, until a request has to be asked again, or time is up."""
        self._give_up(self._queue.expired, "it was queued for longer than the queue may keep it")
        self._send(deadline)
        self._give_up(self._queue.excess, "the queue is full, and it was the oldest")

    def _give_up(self, overdue: Callable[[], Entry | None], reason: str) -> None:
        while (entry := overdue()) is not None:
            for batch in self._batches(entry):
                self._lost(refusals(batch, reason), [reason])
            self._consume(entry)

    def _send(self, deadline: float) -> None:
        if self._held:
            return
        while (head := self._queue.head()) is not None and self._not_before <= self._clock() < deadline:
            pieces = self._batches(head)
            while pieces:
                outcome = self._delivery.attempt(
                    pieces[0], lambda: deadline - self._clock(), suspect=self._suspicious
                )
                self._suspicious = self._suspicious and bool(outcome.dropped or not outcome.sent)
                self._took(outcome.sent)
                self._lost(outcome.refused, outcome.errors, outcome.dropped)
                pieces[:1] = outcome.left
                if outcome.left:
                    self._rest = (head.sequence, pieces)
                    if outcome.answer is None or self._clock() >= deadline:
                        return
                    if self._found_guilty(head, outcome.answer, deadline):
                        continue
                    self._later(outcome.answer.text, outcome.answer.wait(self._now()))
                    return
            self._failures = 0
            self._consume(head)

    def _found_guilty(self, head: Entry, answer: Answer, deadline: float) -> bool:
        """Say whether it is the head that is at fault where it was answered 500 for long.

        The receiver is asked whether it takes what is newest. That is sent again when its turn comes.
        """
        sequence, since = self._failing
        if answer.status != 500:
            self._failing = (0, 0.0)
            return False
        if sequence != head.sequence:
            self._failing = (head.sequence, self._clock())
            return False
        newest = self._queue.last()
        if self._clock() - since < _PATIENCE or newest is None or newest is head:
            return False
        found = [self._delivery.attempt(b, lambda: deadline - self._clock()) for b in self._batches(newest)]
        self._suspicious = bool(found) and all(outcome.sent and not outcome.left for outcome in found)
        if self._suspicious:
            self._note(f"newer samples are taken, the oldest in the queue are not: {answer.text}")
        return self._suspicious

    def _batches(self, entry: Entry) -> list[Batch]:
        """Return what is to be delivered of an entry."""
        sequence, rest = self._rest
        if sequence == entry.sequence and rest:
            return rest
        if entry.sequence in self._at_hand:
            return [self._at_hand[entry.sequence]]
        payload = self._queue.read(entry.sequence)
        series = self._decoded(payload) if payload is not None else ()
        if not series:
            reason = "the disk has damaged what was queued"
            self._done += WriteResult(dropped=entry.weight, errors=(f"{entry.weight} samples: {reason}",))
        return [series] if series else []

    def _decoded(self, payload: bytes) -> Batch:
        try:
            return decoded_2(payload)
        except MessageError:
            return ()

    def _consume(self, entry: Entry) -> None:
        self._at_hand.pop(entry.sequence, None)
        self._rest = (0, [])
        try:
            self._queue.consume(entry.sequence)
        except JournalError as error:
            self._note(f"the queue cannot say how far it was read, so a restart sends again: {error}")

    def _later(self, text: str, asked: float | None) -> None:
        wait = self._backoff.wait(self._failures, self._chance) if asked is None else asked
        self._not_before = self._clock() + wait
        if not self._failures:
            self._note(f"{self._queue.weight} samples wait in the queue: {text}")
        self._failures += 1

    def _took(self, samples: int) -> None:
        self._done += WriteResult(sent=samples)

    def _lost(self, refused: Iterable[Refusal], errors: list[str], count: int | None = None) -> None:
        gone = list(refused)
        self._refused(gone)
        self._done += WriteResult(dropped=len(gone) if count is None else count, errors=tuple(errors))

    def _note(self, text: str) -> None:
        self._done += WriteResult(notes=(text,))

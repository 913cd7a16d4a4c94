"""Remote write over HTTP: batches, retries within a budget, and what becomes of what is not delivered."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable

from airis_mon.remote_write.batches import Batch, batches, counted
from airis_mon.remote_write.dead_letters import Refused, refusals, unheard
from airis_mon.remote_write.delivery import Delivery
from airis_mon.remote_write.retry import Backoff
from airis_mon.remote_write.sample import Sample, grouped
from airis_mon.remote_write.writer import ERRORS_MAX, WriteResult


class HttpWriter:
    """Sends samples to one URL, one request after the other, so that each series arrives in time order."""

    def __init__(
        self,
        url: str | Delivery,
        *,
        budget: float = 30.0,
        backoff: Backoff = Backoff(),  # noqa: B008  a frozen value
        refused: Refused = unheard,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        chance: random.Random | None = None,
    ) -> None:
        """Prepare to send, to a URL with all defaults, or as a `Delivery` says.

        `budget` in seconds for all requests and retries of one `write`, after which what is left is dropped.
        `refused` is told of every sample that is given up. `sleep` may return True, as the wait of a
        threading.Event does, to end the retries at once.
        """
        self._delivery = Delivery(url) if isinstance(url, str) else url
        self._budget = budget
        self._backoff = backoff
        self._refused = refused
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._chance = chance or random.Random()  # noqa: S311  jitter, not a secret

    def write(self, samples: Iterable[Sample]) -> WriteResult:
        """Send samples within the budget; what could not be delivered is counted and explained."""
        deadline = self._clock() + self._budget
        fit = grouped(samples)
        self._refused(fit.refused)
        sent, dropped = 0, len(fit.refused)
        errors = [str(refusal) for refusal in fit.refused[:ERRORS_MAX]]
        for batch in batches(fit.series, self._delivery.limits):
            taken, lost, told = self._delivered(batch, deadline)
            sent, dropped = sent + taken, dropped + lost
            errors += told[: ERRORS_MAX - len(errors)]
        return WriteResult(sent, dropped, tuple(errors), notes=self._delivery.notes())

    def close(self) -> None:
        """Close the connections."""
        self._delivery.close()

    def _delivered(self, batch: Batch, deadline: float) -> tuple[int, int, list[str]]:
        """Send one batch until it is delivered, refused, or out of time: sent, dropped, errors."""
        sent, dropped, errors = 0, 0, list[str]()
        left, attempts = [batch], 0
        while True:
            outcome = self._delivery.attempt(left[0], lambda: deadline - self._clock())
            sent, dropped = sent + outcome.sent, dropped + outcome.dropped
            errors += outcome.errors
            self._refused(outcome.refused)
            left[:1] = outcome.left
            if not left:
                return sent, dropped, errors
            if outcome.answer is None:
                continue
            attempts += 1
            text = outcome.answer.text
            wait = outcome.answer.wait(self._now())
            wait = self._backoff.wait(attempts - 1, self._chance) if wait is None else wait
            if self._clock() + wait >= deadline:
                break
            if self._sleep(wait):
                text = f"told to stop; {text}"
                break
        reason = f"given up after {attempts} attempts: {text}"
        for piece in left:
            self._refused(refusals(piece, reason))
        return sent, dropped + sum(map(counted, left)), [*errors, reason]

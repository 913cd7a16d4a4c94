"""Cycle after cycle until told to stop, whatever happens in one of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from airis_mon.analyzer.canaries import Canaries, Look
from airis_mon.analyzer.config import Configuration
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.forecasting.candidates import Fate
from airis_mon.analyzer.metrics import Metrics
from airis_mon.analyzer.outcome import Outcome
from airis_mon.analyzer.query import QueryError
from airis_mon.analyzer.schedule import Schedule, moment
from airis_mon.spec import Candidate

_SETTLES = 2.0
"""Seconds after an aligned time until it is judged: scrapes of that moment have to arrive first."""
_LINES_MAX = 20
BACKFILL = "airis-mon analyzer backfill"
"""What judges times that were missed; flags follow."""


class Rounds:
    """Runs cycles in the thread that calls it; the configuration may be changed from another one."""

    def __init__(
        self,
        cycle: Cycle,
        schedule: Schedule,
        configuration: Configuration,
        metrics: Metrics,
        log: logging.Logger,
        canaries: Canaries | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        backfill: str = BACKFILL,
    ) -> None:
        """Prepare to run `cycle`, and `canaries` after it, on what `configuration` holds when it begins.

        `backfill` is what is advised where times were missed.
        """
        self.configuration = configuration
        self.ran = threading.Event()
        """Set when the first cycle has ended, well or not so well."""
        self._cycle = cycle
        self._schedule = schedule
        self._metrics = metrics
        self._log = log
        self._left_out: dict[str, set[tuple[int, Candidate, Fate]]] = {}
        self._canaries = canaries
        self._clock = clock
        self._backfill = backfill

    def run(self, stop: threading.Event) -> None:
        """Run until `stop` is set."""
        while not stop.is_set():
            wait = self._once()
            stop.wait(wait)

    def _once(self) -> float:
        """Run one cycle and return the seconds to the next."""
        interval = float(self._schedule.interval)
        try:
            outcome = self._cycle.run(self.configuration.queries)
        except QueryError as error:
            self._metrics.failed()
            self._log.warning("cycle failed", extra={"error": str(error)})
            return min(interval, 15.0)
        except Exception:
            # The next cycle may well succeed; a monitor that dies of one surprise is the worse outcome.
            self._metrics.failed()
            self.ran.set()
            self._log.exception("cycle failed unexpectedly")
            return interval
        self.ran.set()
        if outcome.back:
            self._metrics.went_back()
            self._log.warning(
                "nothing judged: Prometheus' clock is before a time that was judged",
                extra={"evaluated": outcome.at, "behind_seconds": outcome.back},
            )
        if outcome.repeated:
            return self._wait(outcome)
        self._metrics.ended(outcome)
        self._told(outcome)
        began = self._clock()
        if self._canaries is not None:
            self._compared(self._canaries.look(self.configuration.rollouts, outcome.at))
        return max(0.05, self._wait(outcome) - (self._clock() - began))

    def _wait(self, outcome: Outcome) -> float:
        interval = self._schedule.interval
        settles = min(_SETTLES, interval / 10)
        return max(0.05, outcome.at + interval + settles - (outcome.now + outcome.seconds))

    def _tried(self, outcome: Outcome) -> None:
        """Say which candidates were left out, where that is new."""
        before, self._left_out = self._left_out, {}
        for tally in outcome.tallies:
            left_out = [trial for trial in tally.trials if trial.fate is not Fate.TRIED]
            if not left_out:
                continue
            title = tally.query.title
            # How many series it is so of may change with each fit.
            kinds = self._left_out[title] = {(it.horizon, it.candidate, it.fate) for it in left_out}
            if kinds - before.get(title, set()):
                told = "; ".join(map(str, left_out))
                self._log.warning("candidates left out", extra={"query": title, "candidates": told})

    def _compared(self, look: Look) -> None:
        self._metrics.compared(look)
        for one, text in look.failures[:_LINES_MAX]:
            self._log.warning("canary failed", extra={"canary": one.title, "error": text})
        for one, text in look.waiting[:_LINES_MAX]:
            self._log.debug("canary waits", extra={"canary": one.title, "reason": text})
        for error in look.written.errors[:_LINES_MAX]:
            self._log.warning("samples dropped", extra={"error": error})

    def _told(self, outcome: Outcome) -> None:
        if outcome.missed:
            first, last = (moment(at) for at in (outcome.missed[0], outcome.missed[-1]))
            self._log.warning(
                "evaluations missed",
                extra={
                    "times": len(outcome.missed),
                    "while": "no process ran" if outcome.resumed else "this process ran",
                    "advice": f"{self._backfill} --since {first} --until {last}",
                },
            )
        for failure in outcome.failures[:_LINES_MAX]:
            self._log.warning("query failed", extra={"query": failure.query.title, "error": failure.text})
        self._tried(outcome)
        for note in outcome.written.notes:
            self._log.warning("receiver", extra={"note": note})
        for error in outcome.written.errors[:_LINES_MAX]:
            self._log.warning("samples dropped", extra={"error": error})
        self._log.info(
            "cycle",
            extra={
                "evaluated": outcome.at,
                "seconds": round(outcome.seconds, 3),
                "lag": round(outcome.lag, 3),
                "written": outcome.written.sent,
                "queued": outcome.written.queued,
                "dropped": outcome.written.dropped,
                "failures": len(outcome.failures),
                "fits": outcome.fits,
                "scored": outcome.scored,
                "warming_up": outcome.warming_up,
            },
        )

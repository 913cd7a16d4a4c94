"""Versions that run beside each other, compared whenever a step of theirs has ended.

All times are Prometheus' own, and a comparison follows from the counters of the last day alone: whoever looks
at the same time writes the same bits, whenever it was started.
"""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from airis_mon.analyzer.comparison import Comparison, SideError, Span, compare, samples, unknown
from airis_mon.analyzer.history import History
from airis_mon.analyzer.query import Frame, Limit, LimitError, Querier, QueryError
from airis_mon.analyzer.versions import SINCE, Rollout
from airis_mon.remote_write import Sample, Writer, WriteResult


@dataclass(frozen=True)
class Look:
    """What one look at all of them gave."""

    found: tuple[tuple[Rollout, Comparison], ...] = ()
    waiting: tuple[tuple[Rollout, str], ...] = ()
    """Those of which a side has no series yet, or both the same, and what was said; they are `undecided`."""
    failures: tuple[tuple[Rollout, str], ...] = ()
    limited: tuple[Limit, ...] = ()
    """The limits that some of these came up against."""
    written: WriteResult = field(default_factory=WriteResult)


class Canaries:
    """Compares versions, and remembers what was read of their counters."""

    def __init__(
        self,
        querier: Querier,
        writer: Writer,
        *,
        patience: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read from `querier`, write to `writer`; `patience` seconds after its begin a look ends."""
        self._querier = querier
        self._writer = writer
        self._patience = patience
        self._clock = clock
        self._memories: dict[Rollout, _Memory] = {}

    def look(self, rollouts: Iterable[Rollout], at: int) -> Look:
        """Compare those whose step has ended since they were looked at, at `at` or before; raises nothing."""
        self._memories = {one: self._memories.get(one) or _Memory(self._querier) for one in rollouts}
        found, waiting, failures = [], [], []
        limited: list[Limit] = []
        written: list[Sample] = []
        began = self._clock()
        # Those first that have waited the longest.
        for one, memory in sorted(self._memories.items(), key=lambda pair: pair[1].looked):
            end = at // one.step * one.step
            if end <= memory.looked:
                continue
            waited = self._clock() - began
            if waited > self._patience:
                text = f"not compared: {waited:.0f} s are over, and the next look begins with it"
                failures.append((one, text))
                limited.append("comparing")
                continue
            span = Span(end - -(-SINCE // one.step) * one.step, end, one.step)
            try:
                seen = compare(memory, one.measures, one.sides, span, alpha=one.alpha)
            except SideError as error:
                # So that whoever waits for a verdict knows that somebody looks.
                seen = unknown(one.measures, span)
                waiting.append((one, str(error)))
            except QueryError as error:
                failures.append((one, str(error)))
                limited += [error.limit] if isinstance(error, LimitError) else []
                continue
            except Exception:
                failures.append((one, f"unexpected: {traceback.format_exc(limit=-5)}"))
                continue
            memory.looked = end
            found.append((one, seen))
            written += samples(one.monitor, one.model, one.sides, seen)
        result = self._writer.write(written) if written else WriteResult()
        return Look(tuple(found), tuple(waiting), tuple(failures), tuple(limited), result)


class _Memory:
    """A querier that keeps the last day of each expression, so that a look asks only for what is new."""

    def __init__(self, querier: Querier) -> None:
        self.looked = 0
        self._querier = querier
        self._pasts: dict[tuple[str, int], History] = {}

    def now(self) -> float:
        return self._querier.now()

    def range(self, expr: str, start: int, end: int, step: int) -> Frame:
        past = self._pasts.setdefault((expr, step), History(expr, end - start + step, step))
        return past.until(self._querier, end)

    def instant(self, expr: str, at: int) -> Frame:
        return self._querier.instant(expr, at)

    def close(self) -> None:
        self._querier.close()

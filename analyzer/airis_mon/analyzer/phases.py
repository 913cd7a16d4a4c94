"""Where the time of a cycle goes: reading, learning, scoring, writing, and saving what was learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, get_args

from airis_mon.analyzer.query import Frame, Querier

Phase = Literal["read", "learn", "score", "write", "save"]
PHASES: tuple[Phase, ...] = get_args(Phase)


class Phases:
    """Adds up seconds; what is read while learning or scoring is reading."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin with nothing, by a clock that does not go backwards."""
        self.seconds: dict[Phase, float] = dict.fromkeys(PHASES, 0.0)
        self._clock = clock

    @contextmanager
    def of(self, phase: Phase) -> Iterator[None]:
        """Add the time of a block, less what it reads."""
        began, read = self._clock(), self.seconds["read"]
        try:
            yield
        finally:
            inside = 0.0 if phase == "read" else self.seconds["read"] - read
            self.seconds[phase] += self._clock() - began - inside

    def reading(self, querier: Querier) -> Querier:
        """Return a querier whose time is counted."""
        return _Counted(querier, self)


class _Counted:
    def __init__(self, querier: Querier, phases: Phases) -> None:
        self._querier = querier
        self._phases = phases

    def now(self) -> float:
        with self._phases.of("read"):
            return self._querier.now()

    def range(self, expr: str, start: int, end: int, step: int) -> Frame:
        with self._phases.of("read"):
            return self._querier.range(expr, start, end, step)

    def instant(self, expr: str, at: int) -> Frame:
        with self._phases.of("read"):
            return self._querier.instant(expr, at)

    def close(self) -> None:
        self._querier.close()

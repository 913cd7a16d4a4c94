"""One query under watch: its past, the model of it, and what the newest point gives to write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from airis_mon.analyzer.blocks import Work
from airis_mon.analyzer.config import Query
from airis_mon.analyzer.evaluation import Evaluation, evaluated
from airis_mon.analyzer.history import History
from airis_mon.analyzer.knowledge import Fitted, Foreseen, Known, Memory
from airis_mon.analyzer.learning import Learner
from airis_mon.analyzer.methods.beginnings import begun, extended
from airis_mon.analyzer.methods.cells import Cells
from airis_mon.analyzer.methods.peers import company
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.seasonal import recent_steps
from airis_mon.analyzer.query import Frame, Labels, Querier
from airis_mon.analyzer.schedule import (
    FAR,
    FORECAST_INTERVAL,
    LEARN_DELAY,
    LEARN_INTERVAL,
    foreseeable_at,
    foreseen_at,
    learnable_at,
    learnt_at,
)

_SPREAD = 0.8
"""Part of the time there is in which a fleet prepares; the rest is for those that were late."""


class Watch:
    """A query, and what has been learnt about it so far."""

    def __init__(self, query: Query, step: int) -> None:
        """Watch `query`, learning from one value each `step` seconds."""
        self.query = query
        self._step = step
        self._cells = Cells.of(step)
        self._recent = History(query.expr, recent_steps(self._cells) * step, step)
        cell = self._cells.seconds
        self._columns = max(1, query.history // cell)
        # Longer than a history by what lies between the ends of those that are learnt and foreseen from.
        self._past = History(query.expr, self._columns * cell + LEARN_INTERVAL + LEARN_DELAY, cell)
        self._learner = Learner(query, step)
        self._known: dict[int, Known] = {}
        self._foreseen: dict[tuple[int, int], Foreseen] = {}
        # What is not urgent is begun, and ended when there is time.
        self._learning: dict[int, Work[Any, Known]] = {}
        self._foreseeing: dict[tuple[int, int], Work[Any, Foreseen]] = {}
        self._fitted: Fitted | None = None

    @property
    def learnt_until(self) -> int | None:
        """Time of the last value that the model has seen; None while there is no model."""
        return None if self._fitted is None else self._fitted.end

    @property
    def memory(self) -> Memory | None:
        """What is worth keeping over a restart; None where nothing was learnt yet."""
        if not self._known:
            return None
        # The one in use: one that is prepared already can be learnt again before it is needed.
        known = self._known[min(self._known)]
        # Nearer ones are made anew at each fit: they would be too old before anybody could use them.
        foreseen = {
            (horizon, end): one
            for (horizon, end), one in self._foreseen.items()
            if horizon >= FAR and horizon in dict(self.query.candidates)
        }
        return Memory(known, self._recent.frame, self._past.frame, foreseen)

    def remember(self, memory: Memory) -> None:
        """Go on from what a watch of the same query and step had learnt; before the first fit."""
        self._known = {memory.known.end: memory.known}
        self._recent.frame, self._past.frame = memory.recent, memory.past
        self._foreseen = dict(memory.foreseen)

    def fit(self, querier: Querier, until: int) -> bool:
        """Learn from the past up to `until`, in seconds; say whether there was anything to do.

        Raises QueryError, and keeps what was learnt before.
        """
        end = until // self._step * self._step
        if self._fitted is not None and self._fitted.end == end:
            return False
        cell = self._cells.seconds
        forecasts = {
            horizon: self._forecast(querier, horizon, foreseen_at(end, horizon, cell))
            for horizon in self.query.horizons
        }
        known = self._learnt(querier, learnt_at(end, cell))
        recent, known = self._grown(self._recent.until(querier, end), known)
        model = known.learnt.at(recent, end - known.end)
        beside = None if known.peers is None else company(known.peers, recent, self._cells)
        self._fitted = Fitted(model, beside, forecasts, known.coverages, known.rows, end)
        self._forget(end)
        return True

    def knows(self, until: int) -> bool:
        """Say whether a fit up to `until` needs no long past that has not been looked at."""
        end = until // self._step * self._step
        return learnt_at(end, self._cells.seconds) in self._known

    def prepare(self, querier: Querier, at: int, share: float) -> bool:
        """Do at `at` a part of what a fit to come would have to do; say whether there was anything to do.

        It may wait for long: a fleet is at it one after the other, and `share`, from 0 to 1, is this query's
        place in the row. Whoever prepares nothing reaches the same numbers. Raises QueryError.
        """
        if self._fitted is None:
            return False
        cell = self._cells.seconds
        waits = _SPREAD * share
        for horizon in self.query.horizons:
            key = horizon, foreseeable_at(at, horizon, cell)
            if horizon >= FAR and key not in self._foreseen and at - key[1] >= waits * FORECAST_INTERVAL:
                work = self._foreseeing_of(querier, *key)
                work.advance()
                if work.ended:
                    self._forecast(querier, *key)
                return True
        end = learnable_at(at, cell)
        if end in self._known or at - end < waits * LEARN_DELAY:
            return False
        lesson = self._learning_of(querier, end)
        lesson.advance()
        if lesson.ended:
            self._learnt(querier, end)
        return True

    def _forget(self, fitted: int) -> None:
        """Let go of what no later fit asks for."""
        cell = self._cells.seconds
        known = learnt_at(fitted, cell)
        self._known = {end: one for end, one in self._known.items() if end >= known}
        self._learning = {end: one for end, one in self._learning.items() if end >= known}
        asked = {horizon: foreseen_at(fitted, horizon, cell) for horizon in self.query.horizons}
        self._foreseen = {key: one for key, one in self._foreseen.items() if key[1] >= asked[key[0]]}
        self._foreseeing = {key: one for key, one in self._foreseeing.items() if key[1] >= asked[key[0]]}

    def _forecast(self, querier: Querier, horizon: int, end: int) -> Foreseen:
        """Return what comes over a horizon, learnt from the past up to `end`."""
        key = horizon, end
        if key not in self._foreseen:
            self._foreseen[key] = self._foreseeing_of(querier, horizon, end).result()
            del self._foreseeing[key]
        return self._foreseen[key]

    def _foreseeing_of(self, querier: Querier, horizon: int, end: int) -> Work[Any, Foreseen]:
        key = horizon, end
        if key not in self._foreseeing:
            if end > self._past.end:
                self._past.until(querier, end)
            self._foreseeing[key] = self._learner.foreseen(self._long_past(querier, end), horizon, end)
        return self._foreseeing[key]

    def _learnt(self, querier: Querier, end: int) -> Known:
        """Return what the long past up to `end` says, asked for once: it is too long to be kept for long."""
        if end not in self._known:
            self._known[end] = self._learning_of(querier, end).result()
            del self._learning[end]
        return self._known[end]

    def _learning_of(self, querier: Querier, end: int) -> Work[Any, Known]:
        if end not in self._learning:
            self._learning[end] = self._learner.known(self._long_past(querier, end), end)
        return self._learning[end]

    def _long_past(self, querier: Querier, end: int) -> Frame:
        return self._past.between(querier, end - (self._columns - 1) * self._cells.seconds, end)

    def _aligned(self, frame: Frame, rows: dict[Labels, int]) -> Floats:
        """Return the usual past of `rows`, gaps where the frame has nothing of one."""
        found = np.full((len(rows), len(frame.timestamps)), np.nan)
        for labels, values in zip(frame.labels, self._learner.usual(frame), strict=True):
            if labels in rows:
                found[rows[labels]] = values
        return found

    def _grown(self, frame: Frame, known: Known) -> tuple[Floats, Known]:
        """Return the last hours, and with them what is known of series that were short of a day, or new."""
        new = [labels for labels in frame.labels if labels not in known.rows]
        if not new and not len(known.short):
            return self._aligned(frame, known.rows), known
        rows = known.rows | {labels: len(known.rows) + n for n, labels in enumerate(new)}
        recent = self._aligned(frame, rows)
        short = np.concatenate([known.short, np.arange(len(known.rows), len(rows))])
        before = np.full((len(short), self._cells.day), np.nan)
        before[: len(known.short), before.shape[1] - known.day.shape[1] :] = known.day
        cell = self._cells.seconds
        until = int(frame.timestamps[-1]) // cell * cell
        begin, end = np.searchsorted(frame.timestamps, [known.end, until], side="right")
        since = self._cells.newest(recent[short, begin:end])
        day = np.concatenate([before, since], axis=1)
        settings = self._learner.settings(peers=known.peers is not None)
        learnt = begun(extended(known.learnt, len(new)), short, day, settings)
        peers = None if known.peers is None else known.peers.extended(len(new))
        return recent, replace(known, learnt=learnt, rows=rows, peers=peers)

    def evaluate(self, querier: Querier, at: int) -> Evaluation:
        """Return what the values at `at` give to write; raises QueryError."""
        return evaluated(self.query, self._fitted, querier.instant(self.query.expr, at), at)

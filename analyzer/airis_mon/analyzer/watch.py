"""One query under watch: its past, the model of it, and what the newest point gives to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from airis_mon.analyzer.blocks import blocks, stacked
from airis_mon.analyzer.config import Query
from airis_mon.analyzer.evaluation import Evaluation, evaluated
from airis_mon.analyzer.forecasting.candidates import NONE, Plan
from airis_mon.analyzer.forecasting.horizons import ahead, coverages, planned
from airis_mon.analyzer.history import History
from airis_mon.analyzer.knowledge import Fitted, Foreseen, Known, Memory
from airis_mon.analyzer.methods.beginnings import begun, extended, unready
from airis_mon.analyzer.methods.cells import Cells
from airis_mon.analyzer.methods.exclusion import touched
from airis_mon.analyzer.methods.peers import FEWEST, Peers, company, learn_peers, middle
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.seasonal import Settings, learn, recent_steps
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

_LEVEL = 0.95
"""Share of outcomes that a forecast's band should hold."""
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
        self._settings = Settings(
            step,
            pages_per_week=query.false_pages_per_week,
            ratio=query.ratio,
        )
        # Who is judged beside its peers as well has two ways to page.
        self._shared = replace(self._settings, pages_per_week=query.false_pages_per_week / 2)
        self._candidates = dict(query.candidates)
        self._known: dict[int, Known] = {}
        self._foreseen: dict[tuple[int, int], Foreseen] = {}
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
            if horizon >= FAR and horizon in self._candidates
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
        """Do at `at` what a fit to come would have to do; say whether there was anything to do.

        It may wait for long: a fleet is at it one after the other, and `share`, from 0 to 1, is this query's
        place in the row. Whoever prepares nothing reaches the same numbers. Raises QueryError.
        """
        cell = self._cells.seconds
        waits = _SPREAD * share
        done = False
        for horizon in self.query.horizons:
            end = foreseeable_at(at, horizon, cell)
            known = (horizon, end) in self._foreseen
            if horizon >= FAR and not known and self._fitted and at - end >= waits * FORECAST_INTERVAL:
                self._forecast(querier, horizon, end)
                done = True
        end = learnable_at(at, cell)
        if end not in self._known and self._fitted and at - end >= waits * LEARN_DELAY:
            self._learnt(querier, end)
            done = True
        return done

    def _forget(self, fitted: int) -> None:
        """Let go of what no later fit asks for."""
        cell = self._cells.seconds
        known = learnt_at(fitted, cell)
        self._known = {end: one for end, one in self._known.items() if end >= known}
        self._foreseen = {
            (horizon, end): one
            for (horizon, end), one in self._foreseen.items()
            if end >= foreseen_at(fitted, horizon, cell)
        }

    def _forecast(self, querier: Querier, horizon: int, end: int) -> Foreseen:
        """Return what comes over a horizon, learnt from the past up to `end`."""
        found = self._foreseen.get((horizon, end))
        if found is None:
            cell = self._cells.seconds
            if end > self._past.end:
                self._past.until(querier, end)
            frame = self._past.between(querier, end - (self._columns - 1) * cell, end)
            values = self._usual(frame)
            plan = self._plan(horizon, values)
            parts = [
                ahead(values[some], cell, (horizon,), _LEVEL, ratio=self.query.ratio, plan=plan)[horizon]
                for some in blocks(len(values))
            ]
            rows = {labels: n for n, labels in enumerate(frame.labels)}
            # Distances are of no row.
            whole = replace(stacked(parts), distances=parts[0].distances)
            found = self._foreseen[horizon, end] = Foreseen(whole, rows, end, plan)
        return found

    def _plan(self, horizon: int, values: Floats) -> Plan:
        """Return which candidates there is time for, of all series together."""
        asked = self._candidates.get(horizon)
        return NONE if asked is None else planned(asked, values, self._cells.seconds, horizon)

    def _aligned(self, frame: Frame, rows: dict[Labels, int]) -> Floats:
        """Return the usual past of `rows`, gaps where the frame has nothing of one."""
        found = np.full((len(rows), len(frame.timestamps)), np.nan)
        for labels, values in zip(frame.labels, self._usual(frame), strict=True):
            if labels in rows:
                found[rows[labels]] = values
        return found

    def _learnt(self, querier: Querier, end: int) -> Known:
        """Return what the long past up to `end` says, asked for once: it is too long to be kept for long."""
        known = self._known.get(end)
        if known is None:
            frame = self._past.between(querier, end - (self._columns - 1) * self._cells.seconds, end)
            rows = {labels: n for n, labels in enumerate(frame.labels)}
            values = self._usual(frame)
            accompanied = self.query.score and len(values) >= FEWEST
            settings = self._shared if accompanied else self._settings
            learnt = stacked([learn(values[some], settings) for some in blocks(len(values))])
            short = unready(learnt)
            day = values[short, -self._cells.day :]
            held = self._coverages(values)
            peers = self._peers(values) if accompanied else None
            known = self._known[end] = Known(learnt, rows, end, short, day, held, peers)
        return known

    def _peers(self, values: Floats) -> Peers:
        among = middle(values)
        return stacked([learn_peers(values[some], among, self._shared) for some in blocks(len(values))])

    def _coverages(self, values: Floats) -> Mapping[int, Floats]:
        cell, horizons = self._cells.seconds, self.query.horizons
        plans = {horizon: self._plan(horizon, values) for horizon in horizons}
        parts = [
            coverages(values[some], cell, horizons, _LEVEL, ratio=self.query.ratio, plans=plans)
            for some in blocks(len(values))
        ]
        return {horizon: np.concatenate([part[horizon] for part in parts]) for horizon in horizons}

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
        settings, peers = self._settings, known.peers
        if peers is not None:
            settings, peers = self._shared, peers.extended(len(new))
        learnt = begun(extended(known.learnt, len(new)), short, day, settings)
        return recent, replace(known, learnt=learnt, rows=rows, peers=peers)

    def _usual(self, frame: Frame) -> Floats:
        """Return the past without what happened while the model was worked on."""
        left_out = touched(self.query.maintenance, frame.timestamps, self.query.window)
        if not left_out.any():
            return frame.values
        values = frame.values.copy()
        values[:, left_out] = np.nan
        return values

    def evaluate(self, querier: Querier, at: int) -> Evaluation:
        """Return what the values at `at` give to write; raises QueryError."""
        return evaluated(self.query, self._fitted, querier.instant(self.query.expr, at), at)

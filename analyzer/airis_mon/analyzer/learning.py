"""From a query's past to what it says: of what is usual, and of what comes. Some rows at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from airis_mon.analyzer.blocks import Work, stacked
from airis_mon.analyzer.config import Query
from airis_mon.analyzer.forecasting.candidates import NONE, Plan
from airis_mon.analyzer.forecasting.horizons import Ahead, ahead, coverages, planned
from airis_mon.analyzer.knowledge import Foreseen, Known
from airis_mon.analyzer.methods.beginnings import unready
from airis_mon.analyzer.methods.cells import Cells
from airis_mon.analyzer.methods.exclusion import touched
from airis_mon.analyzer.methods.peers import FEWEST, Peers, learn_peers, middle
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.seasonal import Learnt, Settings, learn
from airis_mon.analyzer.query import Frame

_LEVEL = 0.95
"""Share of outcomes that a forecast's band should hold."""

_Lesson = tuple[Learnt, Mapping[int, Floats], Peers | None]
"""What the past of some rows says: of themselves, of forecasts that were made of them, and of their peers."""


class Learner:
    """What a query asks of its past."""

    def __init__(self, query: Query, step: int) -> None:
        """Learn for `query`, whose levels have one value each `step` seconds."""
        self._query = query
        self._cells = Cells.of(step)
        self._alone = Settings(step, pages_per_week=query.false_pages_per_week, ratio=query.ratio)
        # Who is judged beside its peers as well has two ways to page.
        self._beside = replace(self._alone, pages_per_week=query.false_pages_per_week / 2)
        self._candidates = dict(query.candidates)

    def settings(self, *, peers: bool) -> Settings:
        """Return what the model is told, of series that are judged beside their peers or not."""
        return self._beside if peers else self._alone

    def known(self, frame: Frame, end: int) -> Work[_Lesson, Known]:
        """Return the work that learns from a long past up to `end`."""
        values, horizons = self.usual(frame), self._query.horizons
        accompanied = self._query.score and len(values) >= FEWEST
        settings = self.settings(peers=accompanied)
        among = middle(values) if accompanied else None
        plans = {horizon: self._plan(horizon, values) for horizon in horizons}

        def part(some: slice) -> _Lesson:
            held = coverages(
                values[some], self._cells.seconds, horizons, _LEVEL, ratio=self._query.ratio, plans=plans
            )
            peers = None if among is None else learn_peers(values[some], among, settings)
            return learn(values[some], settings), held, peers

        def whole(parts: list[_Lesson]) -> Known:
            learnt = stacked([one for one, _, _ in parts])
            short = unready(learnt)
            held = {horizon: np.concatenate([part[horizon] for _, part, _ in parts]) for horizon in horizons}
            peers = [one for _, _, one in parts if one is not None]
            return Known(
                learnt=learnt,
                rows={labels: n for n, labels in enumerate(frame.labels)},
                end=end,
                short=short,
                day=values[short, -self._cells.day :],
                coverages=held,
                peers=stacked(peers) if peers else None,
            )

        return Work(len(values), part, whole)

    def foreseen(self, frame: Frame, horizon: int, end: int) -> Work[Ahead, Foreseen]:
        """Return the work that says what comes over a horizon, learnt from the past up to `end`."""
        values = self.usual(frame)
        plan = self._plan(horizon, values)

        def part(some: slice) -> Ahead:
            asked = (horizon,)
            cell, ratio = self._cells.seconds, self._query.ratio
            return ahead(values[some], cell, asked, _LEVEL, ratio=ratio, plan=plan)[horizon]

        def whole(parts: list[Ahead]) -> Foreseen:
            rows = {labels: n for n, labels in enumerate(frame.labels)}
            # Distances are of no row.
            return Foreseen(replace(stacked(parts), distances=parts[0].distances), rows, end, plan)

        return Work(len(values), part, whole)

    def usual(self, frame: Frame) -> Floats:
        """Return the past without what happened while the model was worked on."""
        left_out = touched(self._query.maintenance, frame.timestamps, self._query.window)
        if not left_out.any():
            return frame.values
        values = frame.values.copy()
        values[:, left_out] = np.nan
        return values

    def _plan(self, horizon: int, values: Floats) -> Plan:
        """Return which candidates there is time for, of all series together."""
        asked = self._candidates.get(horizon)
        return NONE if asked is None else planned(asked, values, self._cells.seconds, horizon)

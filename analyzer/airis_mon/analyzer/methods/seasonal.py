"""The model: a profile of the day or the week upon a level that follows the series, or the level alone.

What takes a long past is learnt from it now and then (`learn`): the profile, and how far off is anomalous.
The level is taken anew every few minutes from the last hours (`Learnt.at`), and gives the model that
scores; forecasts are those of `forecasting`. `fit` does both. History comes as rows of equal steps that end
together; a long past is looked at in cells of about five minutes. Which departures are anomalous is read
from the series' own past, in `thresholds`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.cells import Cells
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.shapes import Shapes, learn_shapes
from airis_mon.analyzer.methods.thresholds import Thresholds, thresholds
from airis_mon.analyzer.methods.tracks import Choice, held, levels, span, track

Direction = Literal["up", "down", "both"]
Rows = slice | NDArray[np.intp]

_GRAIN = 0.9
_GRAINS = 1.5
"""What is usual within a cell, many times over, is no departure."""
_COUNT_LEAST = 24
"""Values below which a row is not spoken of."""
_SHAPE = 0.5
"""Budget of departures of shape, beside that of level. Of each a quarter is spent on days like those of the
past (`thresholds`); that leaves the larger part of the whole for days that are not."""


@dataclass(frozen=True)
class Settings:
    """What the model has to be told of a query."""

    step: int
    """Seconds between columns; divides a day."""
    pages_per_week: float = 2.0
    """False pages for each series that are accepted."""
    ratio: bool = False
    """Values are shares: between 0 and 1."""


@dataclass(frozen=True)
class Band:
    """An expectation and its band; shape (rows,), NaN where nothing can be said."""

    expected: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Learnt:
    """What a long past says of each row; good for some hours after its end."""

    cells: Cells
    past: Floats
    """(rows, cells): the profile of the last cells of the past, for the level."""
    profile: Floats
    """(rows, cells): what the cells to come differ from the level; said again after its end."""
    room: Floats
    """(rows,): how far the level may part from that of half a day."""
    threshold: Floats
    """(rows,): the distance from the expectation that the past asks for; NaN while warming up."""
    least: Floats
    most: Floats
    """(rows,): what the series cannot fall below or exceed; infinite where nothing forbids."""
    choice: Choice
    """Why that profile."""
    thresholds: Thresholds
    """Why that threshold."""
    shapes: Shapes
    """How each row moves, wherever its level is."""

    def take(self, rows: NDArray[np.intp]) -> Learnt:
        """Return what is known of some rows, in their order."""
        arrays = {name: getattr(self, name)[rows] for name in _BY_ROW}
        choice = replace(self.choice, best=self.choice.best[rows], errors=self.choice.errors[rows])
        known, shapes = self.thresholds.take(rows), self.shapes.take(rows)
        return replace(self, choice=choice, thresholds=known, shapes=shapes, **arrays)

    def at(self, recent: Floats, since: int = 0) -> Model:
        """Return the model whose level `recent` tells: (rows, steps) that end `since` seconds later."""
        cells = self.cells
        missing = -(since // cells.step) % cells.columns
        parts = cells.cut(recent, missing)[:, -span(cells) :]
        means = robust.mean(parts)
        last = cells.ahead(since)
        known = self._profile(np.arange(last - means.shape[1] + 1, last + 1))
        fast, slow = levels(means - known, cells)
        grain = np.zeros(len(means))
        if cells.columns > 1:
            within = np.abs(parts - means[:, :, None]).reshape(len(means), means.shape[1] * cells.columns)
            grain = np.nan_to_num(robust.quantile(within, _GRAIN))
        turned = self.shapes.off(recent, since, cells)
        return Model(self, since, held(fast, slow, self.room), fast, slow, grain, turned)

    def _profile(self, cell: NDArray[np.intp]) -> Floats:
        """Return the profile of cells counted from the end of the past, those before it from -1 down."""
        before = self.past.shape[1]
        index = np.where(cell < 0, np.maximum(cell + before, 0), before + cell % self.profile.shape[1])
        return np.concatenate([self.past, self.profile], axis=1)[:, index]

    def departure(self, seconds: int) -> tuple[Floats, Floats]:
        """Return what the profile says `seconds` after the end of the past, and how far from it is as good.

        It knows the end of each cell. Between two ends a series may be like either of them: a step that comes
        each morning is at one minute, and the profile does not say at which.
        """
        width, cell = self.profile.shape[1], max(0, self.cells.ahead(seconds))
        now = self.profile[:, cell % width]
        if seconds % self.cells.seconds == 0:
            return now, np.zeros(len(now))
        before = self.profile[:, (cell - 1) % width] if cell or not self.past.shape[1] else self.past[:, -1]
        before = np.where(np.isnan(before), now, before)
        return (now + before) / 2, np.abs(now - before) / 2


_BY_ROW = ("past", "profile", "room", "threshold", "least", "most")


@dataclass(frozen=True)
class Model:
    """What is expected of each row; good for the minutes that follow the end of its history."""

    learnt: Learnt
    since: int
    """Seconds from the end of the long past to the end of the history."""
    level: Floats
    """(rows,): the level of the last hours, held near that of half a day."""
    fast: Floats
    """(rows,): what the last two hours say by themselves; NaN where they say too little."""
    slow: Floats
    """(rows,): the level of half a day."""
    grain: Floats
    """(rows,): how far values of the last half day lay from the mean of their cell, but for one in ten.

    A long past is looked at once a cell, and would not know of what comes every few minutes.
    """
    turned: Floats
    """(rows,): roughness of the last hours, as far as it is not what was expected; NaN where unknown."""

    @property
    def threshold(self) -> Floats:
        """(rows,): the distance from the expectation that scores 1, at a cell's end; NaN while warming up."""
        return np.maximum(self.learnt.threshold, _GRAINS * self.grain)

    @property
    def profile(self) -> Floats:
        """What the cells to come differ from the level: (rows, cells)."""
        return self.learnt.profile

    @property
    def ready(self) -> NDArray[np.bool_]:
        """Which rows have left the warm-up; the scores of the others are 0."""
        return np.isfinite(self.learnt.threshold + self.level)

    def expected(self, ahead: int) -> Band:
        """Return the expectation and the band of score 1, `ahead` seconds after the end of the history."""
        middle, distance = self.around(ahead)
        return self._possible(middle, middle - distance, middle + distance)

    def scores(
        self, values: Floats, ahead: int, direction: Direction = "both", rows: Rows = slice(None)
    ) -> Floats:
        """Return the scores of `values`, one for each of `rows`: of level or of shape, whichever is more.

        1 is the edge of the band. 0 where a value is missing or the model is warming up; never infinite.
        """
        level = self.level_scores(values, ahead, direction, rows)
        return np.fmax(level, self.shape_scores(values, direction, rows))

    def level_scores(
        self, values: Floats, ahead: int, direction: Direction = "both", rows: Rows = slice(None)
    ) -> Floats:
        """Return the part of the level in the scores of `values`."""
        middle, distance = self.around(ahead)
        return _sized((values - middle[rows]) / distance[rows], direction)

    def shape_scores(self, values: Floats, direction: Direction = "both", rows: Rows = slice(None)) -> Floats:
        """Return the part of the shape in the scores of `values`: rougher is up, calmer is down.

        NaN where nothing can be said.
        """
        off = self.turned[rows] / self.learnt.shapes.distance[rows]
        known = ~np.isnan(values) & self.ready[rows] & ~np.isnan(off)
        return np.where(known, _sized(off, direction), np.nan)

    def around(self, ahead: int) -> tuple[Floats, Floats]:
        """Return the expectation at a moment as `expected` has it, and the distance from it that scores 1."""
        departure, between = self.learnt.departure(self.since + ahead)
        return self.level + departure, self.threshold + between

    def _possible(self, middle: Floats, lower: Floats, upper: Floats) -> Band:
        least, most = self.learnt.least, self.learnt.most
        return Band(*(np.clip(part, least, most) for part in (middle, lower, upper)))


def _sized(off: Floats, direction: Direction) -> Floats:
    score = {"up": off, "down": -off, "both": np.abs(off)}[direction]
    return np.where(np.isfinite(score), np.maximum(score, 0.0), 0.0)


def fit(values: Floats, settings: Settings) -> Model:
    """Learn from `values`, shape (rows, steps), NaN for gaps, the last column being the newest."""
    cells = Cells.of(settings.step)
    return learn(cells.newest(values), settings).at(values[:, -recent_steps(cells) :])


def recent_steps(cells: Cells) -> int:
    """Return how many steps of the newest history a level is read from."""
    return span(cells) * cells.columns


def learn(values: Floats, settings: Settings) -> Learnt:
    """Learn from a long past: (rows, cells), NaN for gaps, the last being the newest."""
    cells = Cells.of(settings.step)
    count = values.shape[1]
    seen = track(values, cells.day, cells)
    off = values - seen.base[:, :count] - seen.level[:, :-1]
    enough = np.sum(~np.isnan(values), axis=1) >= _COUNT_LEAST
    lowest = np.fmin.reduce(values, axis=1) if count else np.full(len(values), np.nan)
    bounded = np.full(len(values), settings.ratio)
    # What a series grows by is not what it usually lies between.
    found = thresholds(values - seen.grown, off, settings.pages_per_week, cells, ratio=settings.ratio)
    return Learnt(
        cells=cells,
        past=seen.before,
        profile=np.where(enough[:, None], seen.base[:, count:], np.nan),
        room=np.where(np.isnan(seen.room), np.inf, seen.room),
        threshold=found.distance,
        least=np.where(bounded | (lowest >= 0), 0.0, -np.inf),
        most=np.where(bounded, 1.0, np.inf),
        choice=seen.choice,
        thresholds=found,
        shapes=learn_shapes(values, _SHAPE * settings.pages_per_week, cells),
    )

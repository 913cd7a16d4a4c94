"""Why one sample has the score that it has: the numbers that the model which judged it knows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.explanation.course import course, judged
from airis_mon.analyzer.explanation.omission import left_out, without_maintenance
from airis_mon.analyzer.methods.cells import DAY, Cells
from airis_mon.analyzer.methods.seasonal import Model
from airis_mon.analyzer.methods.shapes import looked_at
from airis_mon.analyzer.recording import Beside, Recording
from airis_mon.analyzer.schedule import FIT_INTERVAL


@dataclass(frozen=True)
class Tried:
    """One way to expect the series, and how it did in the week before."""

    name: str
    """`flat`, `daily` or `weekly`."""
    error: float
    """Typical distance from the truth; NaN where too little of the past was known."""


@dataclass(frozen=True)
class Level:
    """Where the series stands, its time of day and week taken out."""

    level: float
    """What is used."""
    fast: float
    """Of the last two hours; NaN where they say too little."""
    slow: float
    """Of half a day; NaN where that says too little."""
    room: float
    """How far the level may be from that of half a day."""


@dataclass(frozen=True)
class Day:
    """One day that is remembered."""

    begin: int
    """Seconds since the epoch; a day long."""
    worst: float
    """How far the series was off at most, in the same unit as the threshold."""


@dataclass(frozen=True)
class Threshold:
    """How far off is anomalous."""

    distance: float
    """From the expectation to where the score is 1; NaN while warming up."""
    scale: float
    """The robust standard deviation of a week."""
    least: float
    """What noise alone asks for: a multiple of `scale`."""
    passed: float
    """What the past asks for: a margin upon `rare`."""
    rare: float
    """The departure that few days of the past exceeded."""
    few: float
    """How many days that were, part of a day included."""
    days: tuple[Day, ...]
    """The oldest first; days that nothing is known of are not among them."""
    within: bool = False
    """Whether it is what is usual within minutes that asks for the distance."""
    grain: float = 0.0
    """How far values lay from the mean of their five minutes, but for one in ten."""
    between: float = 0.0
    """What is added because what is expected differs from the end of one five minutes to the next."""


@dataclass(frozen=True)
class Shape:
    """How the series moves, from each cell to the next."""

    times: float
    """As a multiple of how it should move now; next to nothing where it stands still."""
    edge: float
    """The multiple that scores 1; as many times less does too."""
    score: float
    seconds: int
    """Over which it is looked at."""
    cell: int
    """Seconds of a cell."""


@dataclass(frozen=True)
class Grounds:
    """Everything that the score of one sample rests on."""

    query: Query
    at: int
    """Seconds since the epoch."""
    value: float
    expected: float
    lower: float
    upper: float
    score: float
    ready: bool
    known_since: int | None = None
    """Time of the first value that was learnt from; None where there was none."""
    learnt_until: int | None = None
    """End of the long past that was learnt from; None where the sample was not judged."""
    beside: Beside | None = None
    """What its peers say of it; None where it has too few."""
    left_out: int = 0
    """Seconds of that past that a maintenance took out."""
    profile: float = 0.0
    """What the time of day or week adds to the level."""
    chosen: str = ""
    tried: tuple[Tried, ...] = ()
    level: Level | None = None
    threshold: Threshold | None = None
    shape: Shape | None = None
    """How it moves; None where too little is known of that."""

    @property
    def by_shape(self) -> bool:
        """Whether the score is that of the shape: its level says less."""
        return self.shape is not None and self.score > self.own and self.shape.score == self.score

    @property
    def by_peers(self) -> bool:
        """Whether the score is that of the peers: its own past says less."""
        return self.beside is not None and self.score > 0 and float(self.beside.score[0]) == self.score

    @property
    def own(self) -> float:
        """What its own past says of its level alone."""
        if self.threshold is None or not np.isfinite(self.departure):
            return 0.0
        off = self.departure / self.threshold.distance
        return max(0.0, {"up": off, "down": -off, "both": abs(off)}[self.query.direction])

    @property
    def departure(self) -> float:
        """How far the value is from the expectation, with its sign."""
        return self.value - self.expected


def grounds(recording: Recording, query: Query, sample: int, fit_interval: int = FIT_INTERVAL) -> Grounds:
    """Return what the score of one sample rests on."""
    alone = recording.at(sample)
    said = course(alone, query, fit_interval)
    share = 0.5 if alone.beside is not None and alone.beside.accompanied[0] else 1.0
    bare = Grounds(
        query=query,
        at=int(alone.timestamps[0]),
        value=float(said.values[0]),
        expected=float(said.expected[0]),
        lower=float(said.lower[0]),
        upper=float(said.upper[0]),
        score=float(said.score[0]),
        ready=bool(said.ready[0]),
        beside=alone.beside if share < 1 else None,
    )
    judgement = next(judged(alone, query, share, fit_interval), None)
    if judgement is None:
        return bare
    model, row = judgement.model, int(judgement.rows[0])
    learnt, until = model.learnt, int(judgement.learnt[0])
    known = learnt.thresholds
    days = known.worst.shape[1]
    remembered = (
        Day(until - (days - number) * DAY, float(worst)) for number, worst in enumerate(known.worst[row])
    )
    level = float(model.level[row])
    departure, between = learnt.departure(model.since + judgement.ahead)
    return replace(
        bare,
        known_since=_known_since(recording, query, until),
        learnt_until=until,
        left_out=_left_out(recording, query, until),
        profile=float(departure[row]),
        chosen=learnt.choice.names[int(learnt.choice.best[row])],
        tried=tuple(
            Tried(name, float(error) ** 2)
            for name, error in zip(learnt.choice.names, learnt.choice.errors[row], strict=True)
        ),
        level=Level(level, float(model.fast[row]), float(model.slow[row]), float(learnt.room[row])),
        threshold=Threshold(
            float(model.threshold[row] + between[row]),
            float(known.scale[row]),
            float(known.least[row]),
            float(known.passed[row]),
            float(known.rare[row]),
            float(known.few[row]),
            tuple(day for day in remembered if np.isfinite(day.worst)),
            float(model.threshold[row]) > float(learnt.threshold[row]),
            float(model.grain[row]),
            float(between[row]),
        ),
        shape=_shape(model, row, bare),
    )


def _shape(model: Model, row: int, bare: Grounds) -> Shape | None:
    cells, turned = model.learnt.cells, float(model.turned[row])
    distance = float(model.learnt.shapes.distance[row])
    if not np.isfinite(turned / distance):
        return None
    score = model.shape_scores(np.array([bare.value]), bare.query.direction, np.array([row]))
    return Shape(
        float(np.exp(turned)), float(np.exp(distance)), float(score[0]), looked_at(cells), cells.seconds
    )


def _span(recording: Recording, query: Query, until: int) -> slice:
    """Return the cells of the past that a model which ends at `until` has learnt from."""
    cell = Cells.of(recording.step).seconds
    end = (until - recording.origin) // cell
    return slice(max(0, end - max(1, query.history // cell)), end)


def _known_since(recording: Recording, query: Query, until: int) -> int | None:
    span, cell = _span(recording, query, until), Cells.of(recording.step).seconds
    known = np.flatnonzero(~np.isnan(without_maintenance(recording, query).past[0, span]))
    return recording.origin + (span.start + int(known[0]) + 1) * cell if len(known) else None


def _left_out(recording: Recording, query: Query, until: int) -> int:
    _, past = left_out(recording, query)
    return int(past[_span(recording, query, until)].sum()) * Cells.of(recording.step).seconds

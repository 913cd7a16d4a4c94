"""What a watch knows of its series: from a long past, from the last hours, and over a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from airis_mon.analyzer.forecasting.candidates import NONE, Fate, Plan
from airis_mon.analyzer.forecasting.horizons import Ahead
from airis_mon.analyzer.methods.beginnings import Rows
from airis_mon.analyzer.methods.peers import Company, Peers
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.seasonal import Direction, Learnt, Model
from airis_mon.analyzer.query import Frame, Labels
from airis_mon.spec import Candidate, format_duration


@dataclass(frozen=True)
class Known:
    """What a long past says of each series."""

    learnt: Learnt
    rows: dict[Labels, int]
    end: int
    """Time of the last column of the past."""
    short: Rows
    """Rows whose past is too short to be scored."""
    day: Floats
    """(short, cells): their last day."""
    coverages: Mapping[int, Floats]
    """By horizon in seconds, (rows,): share of outcomes within the bands of forecasts."""
    peers: Peers | None
    """How far each is from the others; None where they are too few, or nothing is scored."""


@dataclass(frozen=True)
class Memory:
    """What a watch goes on from after a restart, and comes to the bits of one that was never ended."""

    known: Known
    recent: Frame | None
    """The last hours as they were read; None where nothing was."""
    past: Frame | None
    """Likewise the past that forecasts are made from."""
    foreseen: Mapping[tuple[int, int], Foreseen] = field(default_factory=dict)
    """What comes far ahead by candidates, by horizon and end of the past: it took seconds to compute."""

    @property
    def until(self) -> tuple[int, ...]:
        """What of it is newest, of each kind: another one is worth keeping."""
        newest = dict(sorted(self.foreseen))
        return (self.known.end, *newest.values())

    @property
    def sound(self) -> bool:
        """Whether its parts fit together."""
        rows, learnt = self.known.rows, self.known.learnt
        frames = [frame for frame in (self.recent, self.past) if frame is not None]
        return (
            sorted(rows.values()) == list(range(len(rows)))
            and len(learnt.past) == len(learnt.profile) == len(learnt.threshold) == len(rows)
            and len(learnt.shapes.distance) == len(rows)
            and len(self.known.short) == len(self.known.day)
            and all(len(held) == len(rows) for held in self.known.coverages.values())
            and (self.known.peers is None or len(self.known.peers.threshold) == len(rows))
            and all(f.values.shape == (len(f.labels), len(f.timestamps)) for f in frames)
            and all(foreseen.sound for foreseen in self.foreseen.values())
        )


@dataclass(frozen=True)
class Foreseen:
    """What comes over one horizon."""

    ahead: Ahead
    rows: dict[Labels, int]
    end: int
    """Time of the last value that it knows."""
    plan: Plan = NONE
    """Which candidates were tried."""

    @property
    def sound(self) -> bool:
        """Whether its parts fit together."""
        count, names = len(self.rows), len(self.plan.names) + len(self.plan.left_out)
        edges = vars(self.ahead.outlook).values()
        return (
            sorted(self.rows.values()) == list(range(count))
            and all(edge.shape == (count, len(self.ahead.distances)) for edge in edges)
            and len(self.ahead.mase) == len(self.ahead.demoted) == count
            and self.ahead.fates.shape == (count, names)
        )

    def trials(self, horizon: int) -> Iterator[Trial]:
        """Yield what became of each candidate."""
        for name, fates in zip((*self.plan.names, *self.plan.left_out), self.ahead.fates.T, strict=True):
            for fate in Fate:
                if count := int((fates == fate).sum()):
                    yield Trial(horizon, name, fate, count)


@dataclass(frozen=True)
class Trial:
    """What became of a candidate."""

    horizon: int
    """Seconds that the forecast looks ahead."""
    candidate: Candidate
    fate: Fate
    series: int
    """Series that this is so of."""

    def __str__(self) -> str:
        """Say it in words."""
        several = f"{self.series} series"
        return f"{self.candidate} over {format_duration(self.horizon)}: {self.fate.words} on {several}"


@dataclass(frozen=True)
class Scores:
    """How anomalous the values of one time are; shape (rows,) each."""

    whole: Floats
    """The largest of all there is to say."""
    shape: Floats
    """The part of how the series moves; NaN where nothing can be said."""
    peers: Floats | None
    """The part of the others; None where they are too few."""


@dataclass(frozen=True)
class Fitted:
    """What values are judged by until the next fit."""

    model: Model
    company: Company | None
    """The rows beside each other; None where they are too few."""
    forecasts: Mapping[int, Foreseen]
    """By how far ahead they look, in seconds."""
    coverages: Mapping[int, Floats]
    rows: dict[Labels, int]
    end: int
    """Time of the last column of the history."""

    def scores(self, values: Floats, at: int, direction: Direction) -> Scores:
        """Return the scores of values at a time."""
        shape = self.model.shape_scores(values, direction)
        found = np.fmax(self.model.level_scores(values, at - self.end, direction), shape)
        if self.company is None:
            return Scores(found, shape, None)
        beside = np.where(self.model.ready, self.company.scores(values, direction), 0.0)
        return Scores(np.maximum(found, beside), shape, beside)

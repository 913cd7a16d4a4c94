"""What the service says of one series at each of its samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.methods.cells import Cells
from airis_mon.analyzer.methods.exclusion import touched
from airis_mon.analyzer.methods.peers import FEWEST
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.seasonal import Settings
from airis_mon.analyzer.recording import Integers, Recording
from airis_mon.analyzer.replay import Judgement, judgements
from airis_mon.analyzer.schedule import FIT_INTERVAL

Flags = NDArray[np.bool_]
Progress = Callable[[float], None]
"""Hears the share that is done."""


def silently(share: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Course:
    """Shape (n,) each, NaN where nothing was said."""

    timestamps: Integers
    """Seconds since the epoch."""
    values: Floats
    expected: Floats
    lower: Floats
    """Edge of the band: what is below scores more than 1, where falling counts."""
    upper: Floats
    score: Floats
    """1 and more is anomalous; 0 while warming up."""
    ready: Flags
    """Whether the score means something."""
    left_out: Flags
    """Whether the models did not learn from the sample, because of a maintenance."""

    @property
    def step(self) -> int:
        """The usual distance of two samples, in seconds."""
        return int(np.median(np.diff(self.timestamps))) if len(self.timestamps) > 1 else 60

    @property
    def firing(self) -> Flags:
        """Which samples are anomalous."""
        return np.asarray(self.score >= 1)


def course(
    recording: Recording,
    query: Query,
    fit_interval: int = FIT_INTERVAL,
    progress: Progress = silently,
) -> Course:
    """Return what the service would have said of each sample."""
    count = len(recording.timestamps)
    expected, lower, upper = np.full((3, count), np.nan)
    score, ready = np.zeros(count), np.zeros(count, dtype=bool)
    done = 0
    for each in judged(recording, query, fit_interval):
        at = each.samples
        score[at] = each.model.scores(recording.values[at], each.ahead, query.direction, each.rows)
        band = each.model.expected(each.ahead)
        expected[at], lower[at], upper[at] = (
            part[each.rows] for part in (band.expected, band.lower, band.upper)
        )
        ready[at] = each.model.ready[each.rows]
        done += len(at)
        progress(done / count)
    flags = left_out(recording, query)[0][recording.columns()]
    return Course(recording.timestamps, recording.values, expected, lower, upper, score, ready, flags)


def judged(recording: Recording, query: Query, fit_interval: int = FIT_INTERVAL) -> Iterator[Judgement]:
    """Yield the models that the service would have judged each sample by."""
    budget = query.false_pages_per_week
    if accompanied(recording):
        # As the service: who is judged beside its peers as well has two ways to page.
        budget /= 2
    settings = Settings(recording.step, pages_per_week=budget, ratio=query.ratio)
    return judgements(without_maintenance(recording, query), settings, query.history, fit_interval)


def accompanied(recording: Recording) -> bool:
    """Return whether the service judges the series beside its peers as well."""
    return recording.peers + 1 >= FEWEST


def without_maintenance(recording: Recording, query: Query) -> Recording:
    """Return the recording that models learn from: as the service, without what a maintenance touches."""
    if not query.maintenance:
        return recording
    grid, past = left_out(recording, query)
    return replace(
        recording,
        grid=np.where(grid[None], np.nan, recording.grid),
        past=np.where(past[None], np.nan, recording.past),
    )


def left_out(recording: Recording, query: Query) -> tuple[Flags, Flags]:
    """Return which columns of the grid, and of the past, a maintenance touches."""
    cell = Cells.of(recording.step).seconds
    grid, past = (
        np.asarray(touched(query.maintenance, recording.times(row, distance), query.window))
        for row, distance in ((recording.grid, recording.step), (recording.past, cell))
    )
    return grid, past

"""What the service says of one series at each of its samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.explanation.omission import Flags, left_out, without_maintenance
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.seasonal import Settings
from airis_mon.analyzer.recording import Integers, Recording
from airis_mon.analyzer.replay import Judgement, judgements
from airis_mon.analyzer.schedule import FIT_INTERVAL

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
    for share, mine in _shares(recording):
        for each in judged(recording, query, share, fit_interval):
            kept = mine[each.samples]
            at, rows = each.samples[kept], each.rows[kept]
            score[at] = each.model.scores(recording.values[at], each.ahead, query.direction, rows)
            band = each.model.expected(each.ahead)
            expected[at], lower[at], upper[at] = (
                part[rows] for part in (band.expected, band.lower, band.upper)
            )
            ready[at] = each.model.ready[rows]
            done += len(at)
            progress(done / count)
    if recording.beside is not None:
        judged_beside = recording.beside.accompanied & ready
        score = np.where(judged_beside, np.maximum(score, recording.beside.score), score)
    flags = left_out(recording, query)[0][recording.columns()]
    return Course(recording.timestamps, recording.values, expected, lower, upper, score, ready, flags)


def _shares(recording: Recording) -> Iterator[tuple[float, Flags]]:
    """Yield shares of the budget, and the samples that are judged with them.

    Who is judged beside its peers as well has two ways to page.
    """
    count = len(recording.timestamps)
    accompanied = np.zeros(count, dtype=bool) if recording.beside is None else recording.beside.accompanied
    for share, mine in ((0.5, accompanied), (1.0, ~accompanied)):
        if mine.any():
            yield share, mine


def judged(
    recording: Recording, query: Query, share: float, fit_interval: int = FIT_INTERVAL
) -> Iterator[Judgement]:
    """Yield the models that judge each sample live, with a share of the budget of pages."""
    budget = share * query.false_pages_per_week
    settings = Settings(recording.step, pages_per_week=budget, ratio=query.ratio)
    return judgements(without_maintenance(recording, query), settings, query.history, fit_interval)

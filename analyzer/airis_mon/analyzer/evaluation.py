"""What the newest values of a query give to write: expectation, band, score, forecasts and their skill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer import series
from airis_mon.analyzer.config import Query
from airis_mon.analyzer.forecasting.outlook import Outlook
from airis_mon.analyzer.knowledge import Fitted, Scores, Trial
from airis_mon.analyzer.query import Frame, Labels
from airis_mon.remote_write import Sample
from airis_mon.spec import format_duration

_MODEL_AGE_MAX = 2 * 3600
"""Seconds after which a model that could not be fitted again is silent: its level is no longer the level."""


@dataclass(frozen=True)
class Evaluation:
    """What one query gave at one time."""

    samples: tuple[Sample, ...]
    scored: int
    """Series with a score that means something."""
    warming_up: int
    """Series whose score is 0 because their past is too short."""
    series: int = 0
    """Series that the expression gave."""
    inputs: tuple[Labels, ...] = ()
    """Their labels."""
    trials: tuple[Trial, ...] = ()
    """What became of the candidates of forecasts."""


def evaluated(query: Query, fitted: Fitted | None, frame: Frame, at: int) -> Evaluation:
    """Return what `frame`, the newest values, gives at `at`; without a model, the values alone."""
    newest = zip(frame.labels, frame.values[:, 0], strict=True)
    there = [_Present(query, labels, float(value), at) for labels, value in newest]
    samples = [sample for one in there for sample in one.actual()]
    if fitted is None or not 0 < at - fitted.end <= _MODEL_AGE_MAX:
        return Evaluation(tuple(samples), 0, 0, len(there), frame.labels)
    samples += _expected(fitted, there, at)
    samples += _skills(fitted, there)
    scored = 0
    if query.score:
        values = np.full(len(fitted.rows), np.nan)
        for one in there:
            if one.labels in fitted.rows:
                values[fitted.rows[one.labels]] = one.value
        scores, ready = fitted.scores(values, at, query.direction), fitted.model.ready
        for one in there:
            row = fitted.rows.get(one.labels)
            scored += row is not None and bool(ready[row])
            samples += one.scores(scores, row)
    trials = tuple(trial for horizon, known in fitted.forecasts.items() for trial in known.trials(horizon))
    warming_up = len(there) - scored if query.score else 0
    return Evaluation(tuple(samples), scored, warming_up, len(there), frame.labels, trials)


class _Present:
    """A series that has a newest value, NaN as it may be, and what is written beside it."""

    def __init__(self, query: Query, labels: Labels, value: float, at: int) -> None:
        self.labels = labels
        self.value = value
        self._milliseconds = at * 1000
        # Made once: there are a dozen samples of each, and a fleet has many.
        self._written = {
            **dict(labels),
            series.MONITOR: query.monitor,
            series.MODEL: query.model,
            series.FOR: query.signal,
        }

    def sample(self, name: str, value: float) -> Sample:
        """Return a value of now."""
        return Sample({**self._written, "__name__": name}, self._milliseconds, value)

    def sample_ahead(self, name: str, value: float, horizon: str) -> Sample:
        """Return a value that says something about a horizon."""
        written = {**self._written, "__name__": name, series.HORIZON: horizon}
        return Sample(written, self._milliseconds, value)

    def actual(self) -> Iterator[Sample]:
        """Yield the value itself."""
        if not np.isnan(self.value):
            yield self.sample(series.ACTUAL, self.value)

    def scores(self, scores: Scores, row: int | None) -> Iterator[Sample]:
        """Yield the score, where there is a value, and those of its parts that are known."""
        if np.isnan(self.value):
            return
        yield self.sample(series.SCORE, float(scores.whole[row]) if row is not None else 0.0)
        if row is not None:
            for name, part in ((series.SHAPE_SCORE, scores.shape), (series.PEER_SCORE, scores.peers)):
                if part is not None and not np.isnan(part[row]):
                    yield self.sample(name, float(part[row]))


def _expected(fitted: Fitted, there: list[_Present], at: int) -> Iterator[Sample]:
    """Yield expectations and their bands: of now, and of each forecast."""
    now = fitted.model.expected(at - fitted.end)
    bands = {series.NOW: (fitted.rows, Outlook(now.expected, now.lower, now.upper))}
    for seconds, known in fitted.forecasts.items():
        bands[format_duration(seconds)] = known.rows, known.ahead.at(at - known.end + seconds)
    for horizon, (rows, band) in bands.items():
        edges = ((series.EXPECTED, band.mean), (series.LOWER, band.lower), (series.UPPER, band.upper))
        for one in there:
            row = rows.get(one.labels)
            if row is not None:
                for name, edge in edges:
                    if np.isfinite(edge[row]):
                        yield one.sample_ahead(name, float(edge[row]), horizon)


def _skills(fitted: Fitted, there: list[_Present]) -> Iterator[Sample]:
    """Yield how good forecasts have been; of a series that is newer than what is known, not yet."""
    for seconds, forecast in fitted.forecasts.items():
        horizon, held, ahead = format_duration(seconds), fitted.coverages[seconds], forecast.ahead
        for one in there:
            row, learnt = forecast.rows.get(one.labels), fitted.rows.get(one.labels)
            if row is None or np.isnan(ahead.mase[row]):
                continue
            if learnt is not None and learnt < len(held) and not np.isnan(held[learnt]):
                yield one.sample_ahead(series.COVERAGE, float(held[learnt]), horizon)
            yield one.sample_ahead(series.MASE, float(ahead.mase[row]), horizon)
            yield one.sample_ahead(series.DEMOTED, float(ahead.demoted[row]), horizon)

"""Where the past of a series comes from: the Prometheus that the service reads, or a file of one's own."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import numpy as np

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.explanation.company import accompanied
from airis_mon.analyzer.methods.cells import Cells
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.seasonal import recent_steps
from airis_mon.analyzer.query import Frame, Labels, Querier
from airis_mon.analyzer.recording import Integers, Recording
from airis_mon.analyzer.schedule import Schedule, evaluated_at, fitted_at, learnt_at

_GLANCES = 100
"""Moments at which a query is asked which series it has."""
SERIES_MAX = 2000
"""Series of one query that are read: each is held with weeks of its past."""
_ROWS_MAX = 5_000_000
_INCIDENTS_MAX = 10_000
_LARGEST = 1e300
"""The difference of any two values is still a number, and so is that of what is made of them."""
_MILLISECONDS = 1e11
"""Numbers from here on are milliseconds since the epoch: as seconds they would be after the year 5000."""


class SourceError(ValueError):
    """A file that cannot be read as times and values, with the line."""


def candidates(
    querier: Querier, queries: Sequence[Query], since: int, until: int
) -> Iterator[tuple[Query, Labels]]:
    """Yield every series that the queries had in a time; raises QueryError."""
    step = max(60, (until - since) // _GLANCES)
    for query in queries:
        for labels in querier.range(query.expr, since, until, step).labels:
            yield query, labels


def recordings(
    querier: Querier, query: Query, since: int, until: int, schedule: Schedule
) -> Iterator[tuple[Labels, Recording]]:
    """Yield every series that a query had in a time, with what the service would have read to judge it.

    Raises QueryError. All of them are read, since replicas are compared with each other.
    """
    reading = _Reading(query, since, until, schedule)
    parts = []
    for part in reading.parts:
        # The shortest part comes first: what is too much is told before the rest is read.
        parts.append(querier.range(query.expr, *part))
        count = len(parts[-1].labels)
        if count > SERIES_MAX:
            raise SourceError(f"{query.title}: {count} series, at most {SERIES_MAX} are judged again at once")
    every = sorted({labels for frame in parts for labels in frame.labels})
    found = accompanied(
        [reading.recording([_row(frame, labels) for frame in parts]) for labels in every],
        query,
        schedule.fit_interval,
    )
    there = set(parts[-1].labels)
    for labels, one in zip(every, found, strict=True):
        if labels in there:
            yield labels, one


class _Reading:
    """Which ranges are read to judge a time: the last hours before it, the long past, the time itself."""

    def __init__(self, query: Query, since: int, until: int, schedule: Schedule) -> None:
        step, cells = schedule.step, Cells.of(schedule.step)
        cell = cells.seconds
        begin = -(-since // schedule.interval) * schedule.interval
        end = max(begin, evaluated_at(until, schedule.interval))
        fitted = [fitted_at(at, schedule.fit_interval) // step * step for at in (begin, end)]
        learnt = learnt_at(fitted[0], cell)
        self._step = step
        self._origin = learnt - max(1, query.history // cell) * cell
        first = max(self._origin + step, fitted[0] - (recent_steps(cells) - 1) * step)
        self._column = (first - self._origin) // step - 1
        self._times = np.arange(begin, end + 1, schedule.interval, dtype=np.int64)
        # Of less than a day a model is learnt at each fit, from what came since the last look at the past.
        known = max(self._origin + cell, fitted[1] // cell * cell)
        self.parts = (
            (first, fitted[1], step),
            (self._origin + cell, known, cell),
            (begin, end, schedule.interval),
        )
        """First and last time and the step of each."""

    def recording(self, rows: Sequence[Floats]) -> Recording:
        """Return one series of which these are the parts."""
        recent, past, values = rows
        columns = -(-(int(self._times[-1]) - self._origin) // self._step)
        grid = np.full((1, columns), np.nan)
        grid[0, self._column : self._column + len(recent)] = recent
        return Recording(self._times, values, 0, self._step, self._origin, grid, past[None])


def _row(frame: Frame, labels: Labels) -> Floats:
    for found, values in zip(frame.labels, frame.values, strict=True):
        if found == labels:
            return np.asarray(values)
    return np.full(len(frame.timestamps), np.nan)


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    """Give the text of a CSV file; SourceError where it cannot be read."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            yield lines
    except OSError as error:
        raise SourceError(f"cannot read {file}: {error.strerror or error}") from error


def samples(file: Path) -> tuple[Integers, Floats]:
    """Return the times and values of a CSV file, in order; of a time that comes twice the later line counts.

    SourceError with the line where it cannot be understood, or why it cannot be read.
    """
    found: dict[int, float] = {}
    with _opened(file) as lines:
        reader = csv.reader(lines)
        for row in reader:
            if not row or not any(cell.strip() for cell in row):
                continue
            place = f"{file}:{reader.line_num}"
            if len(row) < 2:
                raise SourceError(f"{place}: `timestamp,value` is needed, there is `{row[0][:40]}`")
            if reader.line_num == 1 and _is_heading(row[0].strip()):
                continue
            try:
                at, value = _moment(row[0].strip()), _value(row[1].strip())
            except ValueError as error:
                raise SourceError(f"{place}: {error}") from None
            found[at] = value
            if len(found) > _ROWS_MAX:
                raise SourceError(f"{place}: more than {_ROWS_MAX} values; take a part of them")
    if not found:
        raise SourceError(f"{file}: no line is `timestamp,value`")
    order = sorted(found)
    return np.array(order, dtype=np.int64), np.array([found[at] for at in order])


def _is_heading(text: str) -> bool:
    return text[:1].isalpha() or text[:1] == "#"


def _moment(text: str) -> int:
    try:
        seconds = float(text)
    except ValueError:
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                f"`{text[:40]}` is no time; write 2026-11-02T14:00:00Z, or Unix seconds"
            ) from None
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    if abs(seconds) >= _MILLISECONDS:
        seconds /= 1000
    if not 0 <= seconds < _MILLISECONDS:
        raise ValueError(f"`{text[:40]}` is no time from 1970 on")
    return math.floor(seconds)


def _value(text: str) -> float:
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"`{text[:40]}` is no number; leave it empty where there is none") from None
    if not math.isfinite(value):
        return math.nan
    if abs(value) > _LARGEST:
        raise ValueError(f"`{text[:40]}` is too large to be judged, beyond {_LARGEST:g}; leave it empty")
    return value


def incidents(file: Path) -> tuple[tuple[int, int], ...]:
    """Return begin and end of each line of a CSV file; SourceError where it cannot be read as that."""
    found = []
    with _opened(file) as lines:
        reader = csv.reader(lines)
        for row in reader:
            place = f"{file}:{reader.line_num}"
            if not row or not row[0].strip() or (reader.line_num == 1 and _is_heading(row[0].strip())):
                continue
            try:
                begin, end = (_moment(cell.strip()) for cell in row[:2])
            except ValueError as error:
                raise SourceError(f"{place}: `begin,end` is needed: {error}") from None
            if end < begin:
                raise SourceError(f"{place}: it ends before it begins")
            found.append((begin, end))
            if len(found) > _INCIDENTS_MAX:
                raise SourceError(f"{place}: more than {_INCIDENTS_MAX} incidents")
    return tuple(sorted(found))

"""How a series moves, wherever its level is: one that freezes, grows rough or begins to swing.

Roughness is the logarithm of how far a cell is from the one before, as a multiple of what is usual for the
series, over some hours. What it should be, and how far off is too far, is learnt as of the series itself:
`tracks` and `thresholds` see roughness by the hour. One jump says nothing of the shape: distances count by
their root, and up to a multiple of the usual one. What is constant most of the time has no shape.

Live as in the past, roughness is that up to whole hours after the end of what was learnt from: where idle
hours end, it is another one every few minutes, and what recurs daily would be news to the thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.cells import HOUR, Cells
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.thresholds import thresholds
from airis_mon.analyzer.methods.tracks import track

_SPAN = 6 * HOUR
"""Seconds over which roughness is taken: over fewer it is noise, over more it tells of what is long over."""
_SPAN_LEAST = 24
"""Cells that it is taken over, however long they are."""
_ROUNDING = 1e-12
"""Part of the largest value below which a distance is that of floating point."""
_KNOWN = 0.5
"""Share of these distances that have to be known."""
_JUMP = 4.0
"""Multiple of the usual distance that one counts for at most."""
_STILL = 0.2
"""Added to the mean root of distances, the usual one being 1: the logarithm of none has to be a number."""
_AHEAD = 8
"""Hours for which what was learnt is used; in the past as well, the level was as old."""
_DEVIATIONS = 5.5
"""Robust standard deviations that are never anomalous: a mean over hours has fewer surprises than a level."""
_LEAST = 0.5
"""Departure that is never anomalous: 1.6 times as far, or as little, as usual."""
_DAYS_LEAST = 3
"""Days of judged roughness before it counts."""


@dataclass(frozen=True)
class Shapes:
    """What a long past says of how each row moves."""

    usual: Floats
    """(rows,): how far a cell usually is from the one before; NaN where it mostly is as before."""
    expected: Floats
    """(rows, hours): roughness of the last hour of the past, and of those to come."""
    distance: Floats
    """(rows,): the departure from it that scores 1; NaN while too little is known."""

    def take(self, rows: NDArray[np.intp]) -> Shapes:
        """Return what is known of some rows, in their order."""
        return Shapes(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})

    def extended(self, count: int) -> Shapes:
        """Return what is known, and of `count` rows more that nothing is."""

        def below(part: Floats) -> Floats:
            return np.concatenate([part, np.full((count, *part.shape[1:]), np.nan)])

        return Shapes(below(self.usual), below(self.expected), below(self.distance))

    def off(self, recent: Floats, since: int, cells: Cells) -> Floats:
        """Return (rows,): how far roughness of the last whole hours is from what it should be, in logarithms.

        `recent` is (rows, steps) that end `since` seconds after what was learnt from.
        """
        size, width = _hour(cells)
        seconds = size * cells.seconds
        whole = cells.newest(recent[:, : max(0, recent.shape[1] - since % seconds // cells.step)])
        if not whole.shape[1]:
            return np.full(len(recent), np.nan)
        now = _rough(_moves(whole)[:, -size * width :], self.usual, size, width)[:, -1]
        hour = min(since // seconds, self.expected.shape[1] - 1)
        return np.asarray(now - self.expected[:, hour])


def looked_at(cells: Cells) -> int:
    """Return over how many seconds roughness is taken."""
    size, width = _hour(cells)
    return size * width * cells.seconds


def learn_shapes(values: Floats, pages_per_week: float, cells: Cells) -> Shapes:
    """Learn from a long past: (rows, cells), NaN for gaps, the last being the newest."""
    rows, count = values.shape
    size, width = _hour(cells)
    moves = _moves(values)
    usual = robust.median(moves[:, -7 * cells.day :])
    usual = np.where(usual > _ROUNDING * robust.most(np.abs(values)), usual, np.nan)
    hours = Cells(size * cells.seconds, 1, cells.day // size)
    ahead = max(1, _AHEAD * HOUR // hours.seconds)
    if count < cells.day:
        return Shapes(usual, np.full((rows, ahead + 1), np.nan), np.full(rows, np.nan))
    rough = _rough(moves, usual, size, width)
    seen = track(rough, ahead, hours)
    held = np.concatenate([np.full((rows, ahead - 1), np.nan), seen.level], axis=1)
    expected = seen.base + held[:, : seen.base.shape[1]]
    off = rough - expected[:, : rough.shape[1]]
    found = thresholds(rough, off, pages_per_week, hours, ratio=False, least=_DEVIATIONS)
    enough = np.sum(~np.isnan(off), axis=1) >= _DAYS_LEAST * hours.day
    distance = np.where(enough, np.fmax(found.distance, _LEAST), np.nan)
    return Shapes(usual, expected[:, rough.shape[1] - 1 :], distance)


def _hour(cells: Cells) -> tuple[int, int]:
    """Return how many cells make an hour, or somewhat less, and how many of these roughness is taken over."""
    most = cells.count(HOUR)
    size = max(n for n in range(1, most + 1) if cells.day % n == 0)
    return size, max(1, _SPAN // (size * cells.seconds), -(-_SPAN_LEAST // size))


def _moves(values: Floats) -> Floats:
    """Return (rows, cells): how far each cell is from the one before."""
    before = np.concatenate([np.full((len(values), 1), np.nan), values[:, :-1]], axis=1)
    return np.asarray(np.abs(values - before))


def _rough(moves: Floats, usual: Floats, size: int, width: int) -> Floats:
    """Return (rows, hours): roughness of the hours up to each, the last hour ending with the last cell."""
    rows, count = moves.shape
    blocks = -(-count // size)
    roots = np.full((rows, blocks * size), np.nan)
    roots[:, blocks * size - count :] = np.sqrt(np.minimum(moves / usual[:, None], _JUMP))
    known = ~np.isnan(roots)
    parts = np.where(known, roots, 0.0).reshape(rows, blocks, size).sum(axis=2)
    counts = known.reshape(rows, blocks, size).sum(axis=2)
    total, number = np.zeros((rows, blocks)), np.zeros((rows, blocks))
    for hour in range(min(width, blocks)):
        total[:, hour:] += parts[:, : blocks - hour]
        number[:, hour:] += counts[:, : blocks - hour]
    mean = np.where(number >= _KNOWN * size * width, total / np.maximum(number, 1), np.nan)
    return np.asarray(2 * np.log(mean + _STILL))

"""Ways to expect a series: a daily profile or none, and a level that follows what is left."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.cells import HOUR, Cells
from airis_mon.analyzer.methods.robust import Floats

_FAST = 2 * HOUR
_FAST_LEAST = 12
"""Cells that the fast level looks at, however long they are."""
_SLOW = 12 * HOUR
_SLOW_LEAST = 36
_SMOOTHED = 600
"""Seconds to each side over which a profile is smoothed."""
_EXCURSION = 5.0
"""Robust standard deviations beyond which a cell says nothing of the day's shape."""
_DAY_LEAST = 0.8
"""Share of the fullest day's cells that a day must hold to be learnt from: half a day has another middle."""


@dataclass(frozen=True)
class Track:
    """One way to expect, run over the whole history; all arrays have one row for each series."""

    profile: Floats
    """(rows, day): the cells to come, less the level."""
    base: Floats
    """(rows, n): what the profile said of each cell of the history, learnt from the other days."""
    slow: Floats
    """(rows, n + 1): the level of half a day, from the past of each cell alone."""
    level: Floats
    """(rows, n + 1): the level of the last hours, held near the slow one."""

    def errors(self, fine: Floats) -> Floats:
        """Return what (rows, n, columns) differs from the expectation in each cell."""
        return fine - (self.base + self.level[:, :-1])[:, :, None]


def flat(coarse: Floats, cells: Cells) -> Track:
    """Expect the level alone."""
    rows = len(coarse)
    return _track(coarse, np.zeros_like(coarse), np.zeros((rows, cells.day)), cells)


def daily(coarse: Floats, cells: Cells) -> Track | None:
    """Expect the day's profile upon the level; None with fewer than two days of history."""
    rows = len(coarse)
    days = coarse.reshape(rows, coarse.shape[1] // cells.day, cells.day)
    if days.shape[1] < 2:
        return None
    held = np.sum(~np.isnan(days), axis=2)
    full = held >= np.maximum(_DAY_LEAST * held.max(axis=1, keepdims=True), 1)
    centred = np.where(full[:, :, None], days - robust.median(days)[:, :, None], np.nan)
    centred = _tamed(centred)
    # Each day is held against the others: against a profile that knows it, it would look too good.
    others = [
        smoothed(robust.median(np.delete(centred, day, axis=1), axis=1), cells)
        for day in range(days.shape[1])
    ]
    base = robust.flattened(np.stack(others, axis=1))
    return _track(coarse, base, smoothed(robust.median(centred, axis=1), cells), cells)


def _tamed(centred: Floats) -> Floats:
    """Return days whose excursions are cut down to what the other days make likely.

    Among two other days a median is a mean, and one incident would stand in the profile.
    """
    usual = robust.median(centred, axis=1)[:, None, :]
    off = centred - usual
    limit = _EXCURSION * 1.4826 * robust.median(robust.flattened(np.abs(off)))[:, None, None]
    return np.where(np.isnan(limit), centred, usual + np.clip(off, -limit, limit))


def better(one: Track, other: Track, choose: np.ndarray) -> Track:
    """Return, row by row, `one` where `choose` says so, else `other`."""
    return Track(
        *(np.where(choose[:, None], getattr(one, f.name), getattr(other, f.name)) for f in fields(Track))
    )


def smoothed(profile: Floats, cells: Cells) -> Floats:
    """Return a profile averaged with its neighbours around the clock, nearer ones weighing more."""
    reach = min(_SMOOTHED // cells.seconds, (cells.day - 1) // 2)
    offsets = np.arange(-reach, reach + 1)
    weights = (reach + 1 - np.abs(offsets)).astype(np.float64)
    shifted = np.stack([np.roll(profile, offset, axis=1) for offset in offsets])
    finite = ~np.isnan(shifted)
    weight = np.tensordot(weights, finite, axes=1)
    total = np.tensordot(weights, np.where(finite, shifted, 0.0), axes=1)
    return np.where(weight > 0, total / np.maximum(weight, 1e-300), np.nan)


def _track(coarse: Floats, base: Floats, profile: Floats, cells: Cells) -> Track:
    residual = coarse - base
    width = cells.count(_FAST, _FAST_LEAST)
    fast = robust.trailing_median(residual, width, max(2, width // 4))
    slow = _slow(residual, cells)
    slow = np.where(np.isnan(slow), fast, slow)
    off = fast - slow
    # How far the two have parted in the past is how far they may part now.
    room = 1.5 * robust.quantile(np.abs(off), 0.9)[:, None]
    level = slow + np.where(np.isnan(off), 0.0, np.clip(off, -room, room))
    return Track(profile, base, slow, level)


def _slow(residual: Floats, cells: Cells) -> Floats:
    """Return the level of half a day: a median of hourly medians, taken anew once an hour."""
    rows, count = residual.shape
    size = cells.count(HOUR)
    blocks = -(-count // size)
    padded = np.full((rows, blocks * size), np.nan)
    padded[:, blocks * size - count :] = residual
    hourly = robust.median(padded.reshape(rows, blocks, size))
    width = max(_SLOW // (size * cells.seconds), _SLOW_LEAST // size, 1)
    level = robust.trailing_median(hourly, width, max(1, width // 4))
    held = np.repeat(level[:, :-1], size, axis=1)[:, blocks * size - count :]
    return np.concatenate([held, level[:, -1:]], axis=1)

"""Ways to expect a series, each held against its past: a profile, and a level that follows what is left.

All are run over the whole history as they would have run live, and at each time the one that had been off
the least before is believed. The level is what the last hours differ from the profile: the median of two
hours, held near that of half a day, so that an incident is not learnt away while it lasts and a lasting
shift is accepted after some hours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.cells import HOUR, Cells
from airis_mon.analyzer.methods.profiles import first_cells, hourly, profiles
from airis_mon.analyzer.methods.robust import Floats

_FAST = 2 * HOUR
_FAST_LEAST = 12
"""Cells that the fast level looks at, however long they are."""
_SLOW = 12 * HOUR
_SLOW_LEAST = 36
_FITTED = 600
"""Seconds for which a level is good: as often as it is taken anew live."""
_ROOM = 1.5
_GAIN = 0.95
"""A profile has to bring the typical error down to this share of what it is without one."""
_CHOSEN = 4
"""Times a day that it is chosen anew."""
_TRIED = 7 * _CHOSEN
"""Choices ago that errors still count."""
_TRIED_LEAST = 0.25
"""Share of that time, as far as there is any, that a profile must have been there to be believed."""
_THERE = 0.5
"""Share of what it is chosen for, of which a profile has to say something."""


@dataclass(frozen=True)
class Choice:
    """Which profile is believed from the end of the history on, and what spoke for it."""

    names: tuple[str, ...]
    """Profiles that were tried, `flat` first."""
    best: np.ndarray
    """(rows,): the index of the one that is believed."""
    errors: Floats
    """(rows, names): the mean root of the error over the week before; NaN where too little was known."""


@dataclass(frozen=True)
class Track:
    """What was expected; all arrays have one row for each series."""

    base: Floats
    """(rows, n + ahead): what the profile that was believed said of each cell."""
    before: Floats
    """(rows, cells): what the one that is believed now said of the last cells, as many as levels look at."""
    grown: Floats
    """(rows, n): how far each cell was from the last one by growth alone; 0 where none is believed now."""
    slow: Floats
    """(rows, n + 1): the level of half a day, from the past of each cell alone."""
    level: Floats
    """(rows, n + 1): the level of the last hours, held near the slow one."""
    room: Floats
    """(rows,): how far the level may part from the slow one."""
    choice: Choice


def track(values: Floats, ahead: int, cells: Cells) -> Track:
    """Return what would have been expected of `values` (rows, n) and of the `ahead` cells after it."""
    count = values.shape[1]
    bases = profiles(values, ahead, cells)
    slows = {
        name: hourly(values - base[:, :count], _SLOW, _SLOW_LEAST, cells) for name, base in bases.items()
    }
    block = max(1, cells.day // _CHOSEN)
    # Roots: one incident must not choose, yet what comes each night or weekend has to count.
    errors = [np.sqrt(np.abs(values - bases[name][:, :count] - slows[name][:, :-1])) for name in bases]
    there = [_there(base, count, block) for base in bases.values()]
    best, tried = _best(errors, there, block, first_cells(values, cells))
    # The choice of each block, and of what is to come the last one.
    at = np.minimum(_block(np.arange(count + ahead) - count, block, best.shape[1]), best.shape[1] - 1)
    base, slow, fast = np.zeros((3, len(values), count + ahead))
    last = slice(max(0, count - span(cells)), count)
    before, grown = np.zeros((len(values), last.stop - last.start)), np.zeros(values.shape)
    for number, name in enumerate(bases):
        used = best == number
        rows = np.flatnonzero(used.any(axis=1))
        if not len(rows):
            continue
        mine = used[rows][:, at]
        own = _fast(values[rows] - bases[name][rows, :count], cells)
        base[rows] = np.where(mine, np.nan_to_num(bases[name][rows]), base[rows])
        for into, level in ((slow, slows[name][rows]), (fast, own)):
            into[rows, : count + 1] = np.where(mine[:, : count + 1], level, into[rows, : count + 1])
        now = rows[best[rows, -1] == number]
        before[now] = np.nan_to_num(bases[name][now, last])
        if name == "trend":
            grown[now] = _filled(bases[name][now, :count])
    slow, fast = slow[:, : count + 1], fast[:, : count + 1]
    off = np.abs(fast - slow)
    room = _ROOM * robust.quantile(off[:, -7 * cells.day :], 0.9)
    choice = Choice(tuple(bases), best[:, -1], tried)
    level = held(fast, slow, room[:, None])
    return Track(base, before, grown, slow, level, room, choice)


def held(fast: Floats, slow: Floats, room: Floats) -> Floats:
    """Return the fast level, kept near the slow one where that is known."""
    slow = np.where(np.isnan(slow), fast, slow)
    off = fast - slow
    return np.asarray(slow + np.where(np.isnan(off), 0.0, np.clip(off, -room, room)))


def span(cells: Cells) -> int:
    """Return how many cells the levels of one moment look at."""
    return cells.count(_SLOW, _SLOW_LEAST)


def levels(residuals: Floats, cells: Cells) -> tuple[Floats, Floats]:
    """Return the fast and the slow level after (rows, n): what `track` says of its last column."""
    width = cells.count(_FAST, _FAST_LEAST)
    recent = residuals[:, -width:]
    known = np.sum(~np.isnan(recent), axis=1) >= max(2, width // 4)
    fast = np.where(known, robust.median(recent), np.nan)
    return fast, hourly(residuals[:, -span(cells) :], _SLOW, _SLOW_LEAST, cells)[:, -1]


def _fast(residuals: Floats, cells: Cells) -> Floats:
    """Return the fast level before each cell, held as long as it is live."""
    width, every = cells.count(_FAST, _FAST_LEAST), max(1, _FITTED // cells.seconds)
    found = robust.trailing_median(residuals, width, max(2, width // 4), every)
    rows, count = residuals.shape
    first = count % every
    expanded = np.full((rows, count + 1), np.nan)
    expanded[:, first:] = np.repeat(found, every, axis=1)[:, : count + 1 - first]
    return expanded


def _block(cell: np.ndarray, block: int, blocks: int) -> np.ndarray:
    """Return the block of a cell that is so many cells after the end of the history."""
    return np.asarray(cell // block + blocks - 1)


def _filled(grown: Floats) -> Floats:
    """Return growth where none is known yet as the first that is."""
    first = np.argmax(~np.isnan(grown), axis=1)[:, None]
    return np.where(np.isnan(grown), np.nan_to_num(np.take_along_axis(grown, first, 1)), grown)


def _there(base: Floats, count: int, block: int) -> np.ndarray:
    """Return (rows, blocks + 1): whether a profile says something of each block, and of what is to come."""
    rows, width = base.shape
    blocks = -(-count // block)
    known = np.zeros((rows, blocks * block), dtype=bool)
    known[:, blocks * block - count :] = ~np.isnan(base[:, :count])
    cells = np.full(blocks, block)
    cells[:1] -= blocks * block - count
    found = known.reshape(rows, blocks, block).sum(axis=2) >= _THERE * cells
    ahead = np.sum(~np.isnan(base[:, count:]), axis=1) >= _THERE * (width - count)
    return np.concatenate([found, ahead[:, None]], axis=1)


def _best(
    errors: list[Floats], there: list[np.ndarray], block: int, begins: np.ndarray
) -> tuple[np.ndarray, Floats]:
    """Return (rows, blocks + 1): which was off the least in the blocks before each; 0 where close.

    It is one that is there. And (rows, errors): how far each was off in the blocks before the last one.
    """
    rows, count = errors[0].shape
    blocks = -(-count // block)
    begun = (begins + blocks * block - count) // block
    costs, known = [], []
    for error in errors:
        padded = np.full((rows, blocks * block), np.nan)
        padded[:, blocks * block - count :] = error
        parts = padded.reshape(rows, blocks, block)
        finite = ~np.isnan(parts)
        totals = [_trailing(part.sum(axis=2), begun) for part in (np.where(finite, parts, 0.0), finite)]
        costs.append(totals[0] / np.maximum(totals[1], 1))
        known.append(totals[1])
    cost = np.stack(costs)
    enough = np.stack(known) >= np.maximum(_TRIED_LEAST * np.max(known, axis=0), 1)
    tried = np.where(enough, cost, np.nan)[:, :, -1].T
    cost[1:] /= _GAIN
    return np.asarray(np.argmin(np.where(enough & np.stack(there), cost, np.inf), axis=0)), tried


def _trailing(sums: np.ndarray, begun: np.ndarray) -> Floats:
    """Return (rows, n + 1): the sum of the week's blocks before each one; the first week knows itself.

    It begins with the block `begun` of each row.
    """
    total = np.cumsum(np.concatenate([np.zeros((len(sums), 1)), sums], axis=1), axis=1)
    most = total.shape[1] - 1
    last = np.maximum(np.arange(most + 1), np.minimum(begun[:, None] + _TRIED, most))
    before = np.maximum(last - _TRIED, 0)
    return np.asarray(np.take_along_axis(total, last, 1) - np.take_along_axis(total, before, 1))

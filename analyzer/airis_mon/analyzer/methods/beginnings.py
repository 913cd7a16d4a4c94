"""Rows of which the long past says nothing yet: they are learnt anew at each fit, by their last day.

A series that has just appeared, or has less than a day behind it, would otherwise wait for the next look at
the whole history, which is hours away. A day is all that there is of it, and little to learn from: the level
alone, and a threshold as soon as the day is full. Of its shape a day says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.seasonal import Learnt, Settings, learn
from airis_mon.analyzer.methods.thresholds import Thresholds

Rows = NDArray[np.intp]
_FLOATS = ("past", "profile", "room", "threshold", "least", "most")


def unready(learnt: Learnt) -> Rows:
    """Return the rows that cannot be scored."""
    return np.flatnonzero(~np.isfinite(learnt.threshold))


def extended(learnt: Learnt, count: int) -> Learnt:
    """Return what is known, and of `count` rows more that nothing is."""
    if not count:
        return learnt
    best = np.concatenate([learnt.choice.best, np.zeros(count, dtype=learnt.choice.best.dtype)])
    errors = _below(learnt.choice.errors, count)
    choice = replace(learnt.choice, best=best, errors=errors)
    return _with(replace(learnt, choice=choice, shapes=learnt.shapes.extended(count)), _below, count)


def begun(learnt: Learnt, rows: Rows, day: Floats, settings: Settings) -> Learnt:
    """Return what is known, of some rows by their last `day`: (rows, cells), whenever it ended."""
    if not len(rows):
        return learnt
    # Of no more than a day there is no profile: what is learnt from it holds at any time of the day.
    found = learn(day[:, -learnt.cells.day :], settings)
    best, errors = learnt.choice.best.copy(), learnt.choice.errors.copy()
    best[rows], errors[rows] = 0, np.nan
    errors[rows, :1] = found.choice.errors[:, :1]
    changed = replace(learnt, choice=replace(learnt.choice, best=best, errors=errors))
    return _with(changed, lambda old, new: _placed(old, rows, new), found)


def _with(learnt: Learnt, change: Callable[..., Floats], by: Learnt | int) -> Learnt:
    """Return what is known with each array changed, by a number or by the array of the same name."""

    def changed(holder: object, other: object, names: tuple[str, ...]) -> dict[str, Any]:
        return {
            name: change(getattr(holder, name), by if isinstance(by, int) else getattr(other, name))
            for name in names
        }

    named = tuple(each.name for each in fields(Thresholds))
    others = by if isinstance(by, int) else by.thresholds
    thresholds = replace(learnt.thresholds, **changed(learnt.thresholds, others, named))
    return replace(learnt, thresholds=thresholds, **changed(learnt, by, _FLOATS))


def _below(old: Floats, count: int) -> Floats:
    return np.concatenate([old, np.full((count, *old.shape[1:]), np.nan)])


def _placed(old: Floats, rows: Rows, new: Floats) -> Floats:
    """Return an array with some rows replaced; where there are columns, the last ones belong together."""
    result = old.copy()
    if old.ndim == 1:
        result[rows] = new
        return result
    wide = min(old.shape[1], new.shape[1])
    result[rows] = np.nan
    result[rows, old.shape[1] - wide :] = new[:, new.shape[1] - wide :]
    return result

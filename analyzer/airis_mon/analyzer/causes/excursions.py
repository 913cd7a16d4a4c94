"""Signals -> how far each was from what is usual, and when it left its band.

What is usual is learnt from the time before the window alone, so that an incident does not become usual
while it is looked at. With less than a day of past the model cannot speak; then the spread of that past
says what is far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.seasonal import Settings, fit

_FAR = 6.0
"""Standard deviations that score 1 where there is no model."""
_NORMAL = 1.4826
_LEAST = 10
"""Values of the past below which nothing is said."""
_LEFT = 0.5
"""Score from which a signal is on its way out of its band, once it gets there."""
_STANDING = 3
"""Columns of which two have to be beyond the band: one odd reading is none."""
_BACK = 5
"""Columns that the way out may take."""
_SLIGHT = 1e-3
"""Part of a signal's size that counts as a change at least, for one that stood still."""


@dataclass(frozen=True)
class Excursion:
    """One signal in the window."""

    deviations: Floats
    """(n,) signed scores: 1 and -1 are the edges of the band; NaN where there is no value."""
    begins: int | None
    """Column at which it was on its way out of its band; None: it never left it."""
    score: float
    """Largest score from there on; of the whole window where it never left."""

    @property
    def upwards(self) -> bool:
        """Whether it left its band at the upper edge."""
        some = self.deviations[self.begins :] if self.begins is not None else self.deviations
        return bool(np.nansum(np.clip(some, -5, 5)) >= 0)


def excursions(values: Floats, step: int, columns: int) -> list[Excursion]:
    """Judge (signals, n) values, NaN for gaps: the last `columns` by all before them."""
    past, window = values[:, :-columns], values[:, -columns:]
    deviations = _plain(past, window)
    if past.shape[1] * step >= DAY:
        model = fit(past, Settings(step))
        ready = model.ready
        for column in range(columns):
            ahead = (column + 1) * step
            up, down = (model.level_scores(window[:, column], ahead, side) for side in ("up", "down"))
            known = ready & ~np.isnan(window[:, column])
            deviations[:, column] = np.where(known, up - down, deviations[:, column])
    return [_excursion(row) for row in deviations]


def _plain(past: Floats, window: Floats) -> Floats:
    middle = robust.median(past, axis=1)[:, None]
    spread = _NORMAL * robust.median(np.abs(past - middle), axis=1)[:, None]
    # A reading of many that stands still has no spread: the mean distance, then, and a part of its size.
    spread = np.maximum(spread, robust.mean(np.abs(past - middle), axis=1)[:, None])
    least = _SLIGHT * np.maximum(np.abs(middle), robust.most(np.abs(past), axis=1)[:, None])
    threshold = np.maximum(_FAR * spread, np.maximum(least, 1e-12))
    enough = np.sum(~np.isnan(past), axis=1, keepdims=True) >= _LEAST
    return np.where(enough, (window - middle) / threshold, np.nan)


def _excursion(deviations: Floats) -> Excursion:
    scores = np.where(np.isnan(deviations), 0.0, np.abs(deviations))
    beyond = scores >= 1.0
    for column in np.flatnonzero(beyond).tolist():
        after = beyond[column : column + _STANDING]
        # At the end of the window two that are there have to do.
        if after.sum() >= 2:
            begins = column
            while begins > max(0, column - _BACK) and scores[begins - 1] >= _LEFT:
                begins -= 1
            return Excursion(deviations, begins, float(scores[begins:].max()))
    return Excursion(deviations, None, float(scores.max(initial=0.0)))

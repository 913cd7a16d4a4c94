"""A row beside the others of the same query: one replica that is unlike its peers.

What all of them do at once is nobody's fault, and stays within the band of their middle. A row's distance
from that middle has a level of its own, since replicas are not the same, and a threshold that is read from
how far it was off that level before, as in `thresholds`. While the rows scatter, none of them is singled out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.cells import HOUR, Cells
from airis_mon.analyzer.methods.profiles import hourly
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.methods.seasonal import Direction, Settings
from airis_mon.analyzer.methods.thresholds import thresholds

FEWEST = 4
"""Rows with a value below which nobody has peers: of three, two that depart make the third the culprit."""
_USUAL = 12 * HOUR
"""Seconds over which the usual distance is taken; a row that parts for good is accepted after a half."""
_SCATTER = 4.0
"""Robust standard deviations of all rows' departures at the same time that are no departure of one."""


@dataclass(frozen=True)
class Peers:
    """What a long past says of how far each row is from the middle of all."""

    threshold: Floats
    """(rows,): the departure from the usual distance that scores 1; NaN while warming up."""

    def extended(self, count: int) -> Peers:
        """Return what is known, and of `count` rows more that nothing is."""
        return Peers(np.concatenate([self.threshold, np.full(count, np.nan)]))


@dataclass(frozen=True)
class Company:
    """Rows and how far each usually is from the middle of all, for the minutes that follow."""

    peers: Peers
    usual: Floats
    """(rows,): NaN where too little is known."""

    def scores(self, values: Floats, direction: Direction = "both") -> Floats:
        """Return the score of each row's value, all of one moment; 0 for rows without enough peers."""
        off = values - middle(values[:, None])[0] - self.usual
        scatter = _SCATTER * 1.4826 * robust.median(np.abs(off - robust.median(off)))
        size = {"up": off, "down": -off, "both": np.abs(off)}[direction]
        score = size / np.fmax(self.peers.threshold, scatter)
        return np.where(np.isfinite(score), np.maximum(score, 0.0), 0.0)


def middle(values: Floats) -> Floats:
    """Return (n,): the middle of all of (rows, n) at each time; NaN where too few have a value."""
    known = np.sum(~np.isnan(values), axis=0)
    return np.where(known >= FEWEST, robust.median(values, axis=0), np.nan)


def learn_peers(values: Floats, middle: Floats, settings: Settings) -> Peers:
    """Learn from a long past, (rows, cells), the last being the newest, and the `middle` of all rows then."""
    cells = Cells.of(settings.step)
    away = values - middle
    off = away - hourly(away, _USUAL, 0, cells)[:, :-1]
    return Peers(thresholds(values, off, settings.pages_per_week, cells, ratio=settings.ratio).distance)


def company(peers: Peers, recent: Floats, cells: Cells) -> Company:
    """Return the rows with their usual distance: `recent` is (rows, steps) of the last hours, of all rows."""
    means = cells.means(recent)
    return Company(peers, hourly(means - middle(means), _USUAL, 0, cells)[:, -1])

"""Forecasts over a few distances in seconds, good until the next fit: what the live service asks for.

History is looked at in cells, longer ones for longer distances; bands are those of single values, not of the
cells' means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.forecasting.candidates import NONE, Candidates, Fate, Plan
from airis_mon.analyzer.forecasting.outlook import Attempts, Outlook, forecast, pasts
from airis_mon.analyzer.forecasting.past import Integers, Past, finite
from airis_mon.analyzer.forecasting.skill import coverage
from airis_mon.analyzer.methods import robust
from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.methods.robust import Floats

_CELL_LEAST = 300
_CELLS = 96
"""Cells that a distance takes at least, where cells are longer than the least."""
_DETAIL = 3
"""Cells after a distance of which each is computed; later ones are interpolated."""
_SPOKEN_OF = 12
"""Cells with a value below which a row is not spoken of."""
_FARTHEST = 4
"""How many times as far as its past is long a forecast may look."""
_USED = 7200
"""Seconds that a forecast is asked for after its fit."""
NO_PLANS: Mapping[int, Plan] = MappingProxyType({})


@dataclass(frozen=True)
class Ahead:
    """What comes at some distances after the end of a history, in seconds."""

    distances: Floats
    outlook: Outlook
    """(rows, distances)."""
    mase: Floats
    """(rows,): see `skill.Skill`."""
    demoted: NDArray[np.bool_]
    fates: NDArray[np.int8]
    """(rows, candidates): what became of each, as `Fate`."""

    def at(self, seconds: float) -> Outlook:
        """Return what comes `seconds` after the end of the history, (rows,) each."""
        last = len(self.distances) - 1
        after = min(max(int(np.searchsorted(self.distances, seconds)), 1), last)
        begin, end = self.distances[after - 1], self.distances[after]
        share = min(max((seconds - begin) / (end - begin), 0.0), 1.0)
        return Outlook(
            *(one[:, after - 1] * (1 - share) + one[:, after] * share for one in vars(self.outlook).values())
        )


def ahead(
    values: Floats,
    step: int,
    horizons: tuple[int, ...],
    level: float,
    *,
    ratio: bool = False,
    plan: Plan = NONE,
) -> Mapping[int, Ahead]:
    """Forecast (rows, steps), NaN for gaps, over each of `horizons`, in seconds; the step divides a day.

    `plan` says which candidates are tried as well.
    """
    return {horizon: _ahead(values, step, horizon, level, ratio=ratio, plan=plan) for horizon in horizons}


def planned(candidates: Candidates, values: Floats, step: int, horizon: int) -> Plan:
    """Return what there is time for, of all (rows, steps) that are forecast over a horizon."""
    known = np.isfinite(values)
    steps = values.shape[1] - np.argmax(known, axis=1)[known.any(axis=1)]
    return candidates.plan((-(-steps // _columns(step, horizon))).tolist())


def coverages(
    values: Floats,
    step: int,
    horizons: tuple[int, ...],
    level: float,
    *,
    ratio: bool = False,
    plans: Mapping[int, Plan] = NO_PLANS,
) -> Mapping[int, Floats]:
    """Return, (rows,) for each horizon, the share of what came that lay within the bands drawn before."""
    found = {}
    for horizon in horizons:
        found[horizon] = np.full(len(values), np.nan)
        for some, past in _pasts(values, step, horizon):
            attempts = Attempts.of(past, ratio=ratio, plan=plans.get(horizon, NONE))
            found[horizon][some] = coverage(attempts.trials, attempts.said, level, attempts.positive)
    return found


def _ahead(values: Floats, step: int, horizon: int, level: float, *, ratio: bool, plan: Plan) -> Ahead:
    cell = _columns(step, horizon) * step
    knots = _knots(horizon, cell)
    result = Outlook(*(np.full((len(values), len(knots)), np.nan) for _ in range(3)))
    mase, demoted = np.full(len(values), np.nan), np.zeros(len(values), dtype=np.bool_)
    fates = np.full((len(values), len(plan.names) + len(plan.left_out)), Fate.SHORT, dtype=np.int8)
    for some, past in _pasts(values, step, horizon):
        found, skill, became = forecast(past, level, ratio=ratio, plan=plan)
        fates[some] = became
        for name, part in vars(found).items():
            getattr(result, name)[some] = part
        mase[some], demoted[some] = skill.mase, skill.demoted
    # A cell's mean stands for its middle.
    distances = np.asarray((knots - 0.5) * cell + step / 2, dtype=np.float64)
    return Ahead(distances, result, mase, demoted, fates)


def _pasts(values: Floats, step: int, horizon: int) -> Iterator[tuple[list[int], Past]]:
    """Yield the rows of which something can be said over a distance, with their past in cells."""
    columns = _columns(step, horizon)
    cell = columns * step
    whole = -(-max(values.shape[1], 1) // columns)
    padded = np.full((len(values), whole * columns), np.nan)
    padded[:, padded.shape[1] - values.shape[1] :] = finite(values)
    fine = padded.reshape(len(values), whole, columns)
    means = robust.mean(fine)
    known = ~np.isnan(means)
    span = (whole - np.argmax(known, axis=1)) * cell
    said = (known.sum(axis=1) >= _SPOKEN_OF) & (_FARTHEST * span >= horizon)
    yield from pasts(np.where(said[:, None], means, np.nan), fine[:, :, -1], cell, _knots(horizon, cell))


def _knots(horizon: int, cell: int) -> Integers:
    """Return the cells ahead that are computed."""
    first = max(horizon // cell, 1)
    return np.array([*range(first, first + _DETAIL + 1), first + max(_USED // cell, _DETAIL) + 1])


def _columns(step: int, horizon: int) -> int:
    """Return how many steps make a cell that divides a day."""
    most = max(_CELL_LEAST, horizon // _CELLS) // step
    day = DAY // step
    return max(n for n in range(1, max(most, 1) + 1) if day % n == 0)

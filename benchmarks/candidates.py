"""What statsmodels' forecasters are worth beside our own: trials within what is known of public series.

Of each series some pasts are cut out, at places drawn once, and what came next is forecast with candidates
and without. Of M4 that is the training part alone: the competition's outcomes are not looked at.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.forecasting.candidates import NOBODY, Candidates
from airis_mon.analyzer.replay import forecast
from airis_mon.spec import LONGEST_TIME
from benchmarks.labelled import Floats, Integers

_DAY = 86400
_SERIES = 24
"""Of each set, spread over all of it."""
_CUTS = 2
"""Pasts of each series."""
_SEED = 20261126
_LEVEL = 0.95
_NEAR = 0.05
"""Part of the step from value to value that no error matters within."""
_FEWEST = 10
"""Forecasts below which a set says nothing."""

Recorded = tuple[Floats, int]
"""Values, and the seconds from one to the next."""


@dataclass(frozen=True)
class Kind:
    """How much of a series is known, and how far ahead is looked."""

    past: int
    horizon: int
    daily: bool = False
    """Whether the means of days are looked at, in which there is trend and little season."""


KINDS: Mapping[str, Kind] = {
    "means of 30 days": Kind(30, 7, daily=True),
    "60 values": Kind(60, 12),
    "120 values": Kind(120, 24),
    "336 values": Kind(336, 24),
}


@dataclass(frozen=True)
class Trial:
    """One forecast without candidates, and the same with them."""

    ratio: float
    """Mean error with them, in that without."""
    naive: float
    """Mean error of the last day again, or of the last value where a day is not known, likewise."""
    held: tuple[float, float]
    """Share of outcomes within the 95 % band, without and with them."""
    seconds: float
    """CPU that they took."""


def worth(recorded: Sequence[Recorded], candidates: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return what candidates change for each kind of past that the series have."""
    asked = Candidates(tuple(candidates), LONGEST_TIME)  # type: ignore[arg-type]
    some = recorded[:: max(1, len(recorded) // _SERIES)]
    found = {}
    for name, kind in KINDS.items():
        chance = np.random.default_rng(_SEED)
        trials = [trial for one in some for trial in _trials(one, kind, asked, chance)]
        if len(trials) >= _FEWEST:
            found[name] = {
                "forecasts": len(trials),
                "error": _mean([trial.ratio for trial in trials]),
                "naive": _mean([trial.naive for trial in trials]),
                "coverage_without": _share([trial.held[0] for trial in trials]),
                "coverage": _share([trial.held[1] for trial in trials]),
                "seconds": round(float(np.mean([trial.seconds for trial in trials])), 3),
            }
    return found


def _mean(ratios: Sequence[float]) -> float:
    return round(float(np.exp(np.log(ratios).mean())), 3)


def _share(shares: Sequence[float]) -> float:
    return round(float(np.mean(shares)), 3)


def _trials(
    recorded: Recorded, kind: Kind, candidates: Candidates, chance: np.random.Generator
) -> list[Trial]:
    values, step = recorded
    if kind.daily:
        columns = _DAY // step
        values, step = values[len(values) % columns :].reshape(-1, columns).mean(axis=1), _DAY
    room = len(values) - kind.past - kind.horizon
    if room < 0:
        return []
    begins = chance.integers(0, room + 1, _CUTS).tolist()
    at = np.arange(kind.past, dtype=np.int64) * step
    cuts = [np.split(values[begin:][: kind.past + kind.horizon], [kind.past]) for begin in begins]
    return [_trial(at, past, future, candidates) for past, future in cuts if np.ptp(past)]


def _trial(at: Integers, past: Floats, future: Floats, candidates: Candidates) -> Trial:
    off: list[Floats] = []
    held, spent = [], []
    for asked in (NOBODY, candidates):
        began = time.process_time()
        mean, lower, upper = forecast(at, past, len(future), _LEVEL, asked)
        spent.append(time.process_time() - began)
        off.append(mean)
        held.append(float(np.mean((lower <= future) & (future <= upper))))
    season = round(_DAY / float(at[1] - at[0]))
    off.append(np.resize(past[-season:] if season <= len(past) else past[-1:], len(future)))
    # Where all are next to right, a ratio would tell of rounding.
    least = _NEAR * float(np.abs(np.diff(past)).mean())
    ours, theirs, naive = (float(np.abs(future - one).mean()) + least for one in off)
    return Trial(theirs / ours, naive / ours, (held[0], held[1]), spent[1] - spent[0])

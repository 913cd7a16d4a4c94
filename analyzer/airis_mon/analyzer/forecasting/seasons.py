"""Which periods a series has: the day and the week by the calendar, others by autocorrelation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.methods.robust import Floats

_LOOKED_AT = 4096
"""Newest columns that are searched for a period."""
_SHORTEST = 4
_CLEAR = 0.4
"""Autocorrelation from which on a period counts."""
_BETTER = 0.1
"""By how much another period has to be clearer than the day."""
_CYCLES = 3
"""Times that a period must have passed which nobody knows of beforehand."""
_DAYS = 2
"""Days that must have passed: that most courses have a day is known, and trials tell where it is none."""


@dataclass(frozen=True)
class Seasons:
    """Periods in columns; 0 where there is none."""

    short: int = 0
    """A day, or the period that the series itself shows."""
    long: int = 0
    """A week, of a series with a day."""


def seasons(values: Floats, step: int) -> Seasons:
    """Return the periods of one series without gaps, `step` seconds between its columns."""
    day = round(DAY / step)
    if day < _SHORTEST or len(values) < _DAYS * day:
        day = 0
    newest = values[-_LOOKED_AT:]
    # Of the first three days the day itself is looked at as well: another period is held against it.
    curve = _autocorrelation(newest, _CYCLES if len(values) >= _CYCLES * day else _DAYS)
    other = _peak(curve[: len(newest) // _CYCLES + 1])
    if other and day:
        off = abs(other - round(other / day) * day)
        multiple = other > day // 2 and off <= max(1, day // 50)
        known = float(curve[day]) if day < len(curve) else 1.0
        if multiple or curve[other] < known + _BETTER:
            other = 0
    if other:
        return Seasons(other)
    return Seasons(day, round(7 * DAY / step) if day else 0)


def _autocorrelation(values: Floats, cycles: int) -> Floats:
    """Return the autocorrelation by lag, of what is left when a straight line is taken off.

    Lags are those that have passed so many times.
    """
    count = len(values)
    if count < _CYCLES * _SHORTEST or float(np.ptp(values)) == 0.0:
        return np.zeros(0)
    at = np.arange(count) - (count - 1) / 2
    centred = values / np.abs(values).max()
    centred = centred - centred.mean()
    centred = centred - at * (at @ centred) / (at @ at)
    power = np.abs(np.fft.rfft(centred, 2 * count)) ** 2
    curve = np.fft.irfft(power)[: count // cycles + 1]
    if curve[0] <= 1e-18 * count:
        return np.zeros(0)
    overlap = count - np.arange(len(curve))
    return np.asarray(curve / curve[0] * count / overlap)


def _peak(curve: Floats) -> int:
    """Return the first lag whose correlation is about the clearest beyond the first valley; 0 for none."""
    below = np.flatnonzero(curve < _CLEAR / 2)
    if not len(below):
        return 0
    inner = np.arange(max(int(below[0]), _SHORTEST), len(curve) - 1)
    tops = inner[(curve[inner] >= curve[inner - 1]) & (curve[inner] > curve[inner + 1])]
    tops = tops[curve[tops] >= _CLEAR]
    if not len(tops):
        return 0
    # A multiple of a period correlates as well as the period itself.
    return int(tops[curve[tops] >= curve[tops].max() - _BETTER][0])

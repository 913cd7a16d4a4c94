"""What callers hand to the replay, as it is computed with; ValueError says what is wrong."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.methods.robust import Floats
from airis_mon.analyzer.recording import Integers

_LATEST = 253_402_300_800
"""Seconds since the epoch at the end of the year 9999; what is later was milliseconds."""
_SUMMER = 3600
"""Seconds that a local clock is set back by when summer time ends: so much is judged as it comes."""
_YEAR = 365 * DAY
"""Within which that happens once."""
_LARGEST = 1e300
"""Values beyond it count as it: differences and sums of them would overflow."""
_SCALED = 1e150
"""Values up to it have squares and sums within what a float holds."""
_STEPS = 1_000_000
"""Steps of a forecast at most: two years of minutes."""


def series(timestamps: ArrayLike, values: ArrayLike) -> tuple[Integers, Floats]:
    """Return seconds since the epoch and as many values: NaN for None and what is masked or infinite."""
    at, measured = _seconds(_row("timestamps", timestamps)), _measured(_row("values", values))
    if len(at) != len(measured):
        raise ValueError(
            f"{len(at):,} timestamps and {len(measured):,} values: give one value for each timestamp, NaN "
            "where there is none"
        )
    return at, measured


def clipped(values: Floats) -> Floats:
    """Return values that can be computed with sample by sample, however large they are."""
    return np.clip(values, -_LARGEST, _LARGEST)


def scaled(values: Floats) -> tuple[Floats, int]:
    """Return values that can be computed with, and the power of two that they were divided by."""
    largest = float(np.fmax.reduce(np.abs(values), initial=0.0))
    power = math.frexp(largest)[1] if largest > _SCALED else 0
    return (np.ldexp(values, -power) if power else values), power


def unscaled(values: Floats, power: int) -> Floats:
    """Return values as they were before `scaled`; what no float can hold is the largest one."""
    if not power:
        return values
    most = np.finfo(np.float64).max
    with np.errstate(over="ignore"):  # an edge of a band may lie beyond the largest float
        return np.clip(np.ldexp(values, power), -most, most)


def horizon(given: Any) -> int:
    """Return how many steps are forecast."""
    try:
        whole = isinstance(given, float | np.floating) and given.is_integer()
        steps = int(given) if whole else operator.index(given)
    except TypeError:
        steps = -1
    if 0 <= steps <= _STEPS:
        return steps
    raise ValueError(f"horizon is {given!r}: give a whole number of steps from 0 to {_STEPS:,}")


def level(given: Any) -> float:
    """Return the share of outcomes that a band should hold."""
    share = float(given) if isinstance(given, int | float | np.number) else math.nan
    if share > 0 and 0.5 + share / 2 < 1:  # so close to 1 the upper edge has no quantile
        return share
    raise ValueError(f"level is {given!r}: give the share that the band should hold, such as 0.95")


def _row(name: str, given: Any) -> np.ndarray:
    """Return something array-like as one row of numbers of whatever type."""
    wanted = "give one row of numbers, such as a list or a one-dimensional array"
    masked = isinstance(given, np.ma.MaskedArray)
    try:
        row = np.ma.filled(given.astype(np.float64), np.nan) if masked else np.asarray(given)
    except (TypeError, ValueError) as error:  # a ragged list, or strings behind a mask
        raise ValueError(f"{name}: no numbers in equal rows; {wanted}") from error
    if row.ndim != 1:
        raise ValueError(f"{name}: {row.ndim} dimensions (shape {row.shape}); {wanted}")
    if row.dtype.kind == "O":
        row = _unpacked(name, row)
    if row.dtype.kind == "M":
        raise ValueError(
            f"{name}: {row.dtype} is no number; for seconds since the epoch write "
            '.astype("datetime64[s]").astype("int64")'
        )
    if row.dtype.kind not in "biuf":
        raise ValueError(f"{name}: {row.dtype} is no type of real numbers; {wanted}")
    return row


def _unpacked(name: str, row: np.ndarray) -> np.ndarray:
    """Return a row of Python objects as numbers, None as NaN."""
    numbers = [math.nan if one is None else one for one in row.tolist()]
    whole = all(isinstance(one, int | np.integer) for one in numbers)
    try:
        if not any(isinstance(one, str | bytes) for one in numbers):
            return np.array(numbers, dtype=np.int64 if whole and numbers else np.float64)
    except OverflowError:
        raise ValueError(
            f"{name}: a whole number that has more than 64 bits; give numbers in range"
        ) from None
    except (TypeError, ValueError):
        pass
    odd = next((one for one in numbers if not isinstance(one, int | float | np.number)), numbers[0])
    raise ValueError(f"{name}: {odd!r} is no number; give numbers, None or NaN where there is none")


def _seconds(row: np.ndarray) -> Integers:
    if row.dtype.kind == "f":
        _whole(row)
    outside = np.flatnonzero((row < 0) | (row > _LATEST))
    if len(outside):
        raise ValueError(
            f"timestamps: {row[outside[0]]} at index {outside[0]} lies outside of 0 to {_LATEST} seconds "
            "since the epoch; are these milliseconds? divide by 1000"
        )
    at = row.astype(np.int64)
    moved = np.diff(at)
    back = np.flatnonzero(moved < 0)
    years = 1 + (int(at.max() - at.min()) // _YEAR if len(at) else 0)
    if len(back) > years or np.any(moved < -_SUMMER):
        index = int(back[np.argmin(moved[back])])
        raise ValueError(
            f"timestamps: {at[index + 1]} at index {index + 1} comes after {at[index]}; sort timestamps and "
            "values by time: order = numpy.argsort(timestamps, kind='stable')"
        )
    return at


def _whole(row: np.ndarray) -> None:
    """Raise ValueError where floats are no whole seconds."""
    odd = np.flatnonzero(~np.isfinite(row))
    if len(odd):
        raise ValueError(
            f"timestamps: {row[odd[0]]} at index {odd[0]} is no time; leave out samples without a timestamp"
        )
    odd = np.flatnonzero(row != np.floor(row))
    if len(odd):
        raise ValueError(
            f"timestamps: {row[odd[0]]} at index {odd[0]} is no whole second; round them: "
            "numpy.floor(timestamps).astype('int64')"
        )
    exact = 2 ** (np.finfo(row.dtype).nmant + 1)
    if len(row) and row.max() > exact and row.dtype.itemsize < 8:
        raise ValueError(
            f"timestamps: {row.dtype} holds whole seconds up to {exact:,} only; give float64 or int64"
        )


def _measured(row: np.ndarray) -> Floats:
    with np.errstate(over="ignore"):  # a longer float may hold more than 64 bits can: it is infinite then
        values = row.astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan)

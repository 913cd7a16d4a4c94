"""Order statistics along an axis that pass over gaps (NaN) and need no warnings silenced.

A rank is found by sorting, which puts NaN last: the same for rows with and without gaps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BLOCK = 1 << 22
"""Numbers that a trailing window may unfold at once: 32 MiB."""


def quantile(values: Floats, share: float, axis: int = -1) -> Floats:
    """Return the quantile of the finite values along `axis`, interpolated; NaN where there are none."""
    return quantiles(np.moveaxis(values, axis, -1), (share,))[0]


def quantiles(values: Floats, shares: Sequence[float]) -> list[Floats]:
    """Return quantiles of the finite values along the last axis, interpolated; NaN where there are none."""
    ordered = np.sort(values, axis=-1)
    if ordered.shape[-1] == 0:
        return [np.full(ordered.shape[:-1], np.nan) for _ in shares]
    last = np.maximum(np.sum(~np.isnan(ordered), axis=-1) - 1, 0)
    return [_at(ordered, share * last, last) for share in shares]


def _at(ordered: Floats, position: Floats, last: NDArray[np.intp]) -> Floats:
    below = np.floor(position).astype(np.intp)
    above = np.minimum(below + 1, last)
    low = np.take_along_axis(ordered, below[..., None], -1)[..., 0]
    high = np.take_along_axis(ordered, above[..., None], -1)[..., 0]
    part = position - below
    return np.asarray(low * (1 - part) + high * part, dtype=np.float64)


def median(values: Floats, axis: int = -1) -> Floats:
    """Return the median of the finite values along `axis`; NaN where there are none."""
    if values.shape[axis] == 0 or np.isnan(values).any():
        return quantile(values, 0.5, axis)
    return np.asarray(np.median(values, axis=axis), dtype=np.float64)


def mean(values: Floats, axis: int = -1) -> Floats:
    """Return the mean of the finite values along `axis`; NaN where there are none.

    To the bit the same for a row alone and among others: in C's order each is added up alike.
    """
    values = np.ascontiguousarray(values)
    finite = ~np.isnan(values)
    count = finite.sum(axis=axis)
    total = np.where(finite, values, 0.0).sum(axis=axis)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), dtype=np.float64)


def most(values: Floats, axis: int = -1) -> Floats:
    """Return the largest finite value along `axis`; NaN where there is none."""
    if values.shape[axis] == 0:
        return np.full(np.delete(values.shape, axis), np.nan)
    return np.asarray(np.fmax.reduce(values, axis=axis), dtype=np.float64)


def first(values: Floats) -> NDArray[np.intp]:
    """Return (rows,): the first column that is no gap; beyond the last one where all are."""
    known, count = ~np.isnan(values), values.shape[1]
    if not count:
        return np.zeros(len(values), dtype=np.intp)
    return np.asarray(np.where(known.any(axis=1), np.argmax(known, axis=1), count))


def flattened(values: Floats) -> Floats:
    """Return (rows, everything else), of no rows too, where numpy's own -1 has no answer."""
    return values.reshape(len(values), math.prod(values.shape[1:]))


def trailing_median(values: Floats, width: int, least: int, every: int = 1) -> Floats:
    """Return, for each column j, the median of columns j-width .. j-1: of the past alone.

    NaN where fewer than `least` of them are finite. Shape (rows, n + 1): the last column is what the whole
    history says of the column to come. With `every`, only each so manieth column, counted from that last one.
    """
    rows, count = values.shape
    padded = np.concatenate([np.full((rows, width), np.nan), values], axis=1)
    at = np.arange(count % every, count + 1, every)
    seen = np.concatenate([np.zeros((rows, 1)), np.cumsum(~np.isnan(padded), axis=1)], axis=1)
    enough = seen[:, at + width] - seen[:, at] >= least
    result = np.empty((rows, len(at)))
    block = max(1, _BLOCK // (width * len(at)))
    for first in range(0, rows, block):
        windows = np.lib.stride_tricks.sliding_window_view(padded[first : first + block], width, axis=1)
        result[first : first + block] = quantile(windows[:, count % every :: every], 0.5)
    return np.where(enough, result, np.nan)

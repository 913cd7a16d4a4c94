"""Order statistics along an axis that pass over gaps (NaN) and need no warnings silenced.

A rank is found by sorting, which puts NaN last: the same for rows with and without gaps.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BLOCK = 1 << 22
"""Numbers that a trailing window may unfold at once: 32 MiB."""


def quantile(values: Floats, share: float, axis: int = -1) -> Floats:
    """Return the quantile of the finite values along `axis`, interpolated; NaN where there are none."""
    ordered = np.sort(np.moveaxis(values, axis, -1), axis=-1)
    if ordered.shape[-1] == 0:
        return np.full(ordered.shape[:-1], np.nan)
    last = np.maximum(np.sum(~np.isnan(ordered), axis=-1) - 1, 0)
    position = share * last
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
    """Return the mean of the finite values along `axis`; NaN where there are none."""
    finite = ~np.isnan(values)
    count = finite.sum(axis=axis)
    total = np.where(finite, values, 0.0).sum(axis=axis)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), dtype=np.float64)


def most(values: Floats, axis: int = -1) -> Floats:
    """Return the largest finite value along `axis`; NaN where there is none."""
    return np.asarray(np.fmax.reduce(values, axis=axis), dtype=np.float64)


def flattened(values: Floats) -> Floats:
    """Return (rows, everything else), of no rows too, where numpy's own -1 has no answer."""
    return values.reshape(len(values), math.prod(values.shape[1:]))


def trailing_median(values: Floats, width: int, least: int) -> Floats:
    """Return, for each column j, the median of columns j-width .. j-1: of the past alone.

    NaN where fewer than `least` of them are finite. Shape (rows, n + 1): the last column is what the whole
    history says of the column to come.
    """
    rows, count = values.shape
    padded = np.concatenate([np.full((rows, width), np.nan), values], axis=1)
    result = np.empty((rows, count + 1))
    block = max(1, _BLOCK // (width * (count + 1)))
    for first in range(0, rows, block):
        windows = np.lib.stride_tricks.sliding_window_view(padded[first : first + block], width, axis=1)
        result[first : first + block] = quantile(windows, 0.5)
    seen = np.concatenate([np.zeros((rows, 1)), np.cumsum(~np.isnan(padded), axis=1)], axis=1)
    return np.where(seen[:, width:] - seen[:, : count + 1] >= least, result, np.nan)

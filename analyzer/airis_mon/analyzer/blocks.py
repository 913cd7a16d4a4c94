"""Rows some at a time: what is learnt of each depends on that row alone, and memory on how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np

_ROWS = 64
"""Rows at a time: four weeks of them take some tens of megabytes on the way."""

Known = TypeVar("Known")


def blocks(rows: int) -> Iterator[slice]:
    """Yield what cuts so many rows; one empty block where there are none."""
    for first in range(0, max(rows, 1), _ROWS):
        yield slice(first, first + _ROWS)


def stacked(parts: Sequence[Known]) -> Known:
    """Return values of one frozen dataclass as one: arrays below each other, the rest of the first."""
    first = parts[0]
    if len(parts) == 1:
        return first
    changed = {
        each.name: _stacked([getattr(part, each.name) for part in parts])
        for each in fields(first)  # type: ignore[arg-type]
    }
    return replace(first, **changed)  # type: ignore[type-var]


def _stacked(values: list[Any]) -> Any:
    if isinstance(values[0], np.ndarray):
        return np.concatenate(values)
    return stacked(values) if is_dataclass(values[0]) else values[0]

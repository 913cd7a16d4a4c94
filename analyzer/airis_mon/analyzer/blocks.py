"""Rows some at a time: what is learnt of each depends on that row alone, and memory on how many there are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

_ROWS = 64
"""Rows at a time: four weeks of them take some tens of megabytes on the way."""

Known = TypeVar("Known")
Part = TypeVar("Part")
Whole = TypeVar("Whole")


def blocks(rows: int) -> Iterator[slice]:
    """Yield what cuts so many rows; one empty block where there are none."""
    for first in range(0, max(rows, 1), _ROWS):
        yield slice(first, first + _ROWS)


class Work(Generic[Part, Whole]):
    """What is computed some rows at a time: a part when there is time for it, the rest once it is needed."""

    def __init__(
        self, rows: int, part: Callable[[slice], Part], whole: Callable[[list[Part]], Whole]
    ) -> None:
        """Compute a `part` of each block of so many rows, and of all parts the `whole`."""
        self._part = part
        self._whole = whole
        self._left = deque(blocks(rows))
        self._parts: list[Part] = []

    @property
    def ended(self) -> bool:
        """Whether all parts are there."""
        return not self._left

    def advance(self) -> None:
        """Compute one more part, if there is one; after an error it is the next one again."""
        if self.ended:
            return
        self._parts.append(self._part(self._left[0]))
        self._left.popleft()

    def result(self) -> Whole:
        """Return the whole, having computed what is left of it."""
        while not self.ended:
            self.advance()
        return self._whole(self._parts)


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

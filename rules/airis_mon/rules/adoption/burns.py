"""Alerts on how fast an error budget burns: pairs of windows held against multiples of a budget.

Read are the shapes that Sloth and Pyrra write, and those that people write after the SRE workbook: a ratio
over a long and over a short window, each above `factor * budget`, one pair or several joined by `or`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser as ast

from airis_mon.rules.adoption.ratios import Ratio, Recorded, number, parsed, plain
from airis_mon.rules.adoption.rulefile import Given
from airis_mon.rules.windows import tiers
from airis_mon.spec import Events

_USUAL = {tier.long: tier.factor for tier in tiers(30 * 86400.0)}
_MOST = 200
"""Comparisons of one alert."""


class NotBurningError(ValueError):
    """Why an alert is none on a burning budget."""


@dataclass(frozen=True)
class Pair:
    """A ratio over two windows, each above a multiple of a budget."""

    events: Events
    short: float
    """Seconds."""
    long: float
    factor: float
    budget: float
    recordings: tuple[Given, ...]


@dataclass(frozen=True)
class _Above:
    ratio: Ratio
    factor: float | None
    """None where only the product with the budget is written."""
    bound: float
    """The product."""


def pairs(alert: Given, recorded: Recorded) -> tuple[Pair, ...]:
    """Return the pairs of windows of an alert; NotBurningError where it is made of anything else."""
    node = parsed(alert.expression)
    if node is None:
        raise NotBurningError("its expression is no PromQL, or too long")
    return tuple(_pair(tuple(_compared(part, recorded))) for part in _alternatives(node))


def _alternatives(node: Any) -> Iterator[Any]:
    pending, count = [node], 0
    while pending:
        count += 1
        if count > _MOST:
            raise NotBurningError(f"it has more than {_MOST} conditions")
        inner = plain(pending.pop())
        if isinstance(inner, ast.BinaryExpr) and str(inner.op) == "or":
            pending += [inner.rhs, inner.lhs]
        else:
            yield inner


def _compared(node: Any, recorded: Recorded) -> Iterator[_Above]:
    pending, count = [node], 0
    while pending:
        count += 1
        if count > _MOST:
            raise NotBurningError(f"it has more than {_MOST} conditions")
        inner = _whole(pending.pop())
        if isinstance(inner, ast.BinaryExpr) and str(inner.op) == "and":
            pending += [inner.rhs, inner.lhs]
        else:
            yield _above(inner, recorded)


def _whole(node: Any) -> Any:
    """Return what an aggregation by which windows lose their label is about."""
    node = plain(node)
    while isinstance(node, ast.AggregateExpr) and str(node.op) in ("max", "min", "avg", "sum"):
        inner = plain(node.expr)
        if not (isinstance(inner, ast.BinaryExpr) and str(inner.op) in (">", ">=", "and")):
            break
        node = inner
    return node


def _above(node: Any, recorded: Recorded) -> _Above:
    if not isinstance(node, ast.BinaryExpr) or str(node.op) not in (">", ">="):
        raise NotBurningError("it does not hold an error ratio above a multiple of a budget")
    bound, factor = number(node.rhs), None
    if bound is None:
        raise NotBurningError("what its ratio is held against is no number")
    left, right = plain(node.lhs), plain(node.rhs)
    if isinstance(right, ast.BinaryExpr) and str(right.op) == "*":
        sides = (number(right.lhs), number(right.rhs))
        factor = max(side for side in sides if side is not None)
    ratio = recorded.ratio(left)
    burning = recorded.burn_rate(left) if ratio is None else None
    if burning is not None:
        ratio, factor, bound = burning[0], bound, bound * burning[1]
    if ratio is None:
        raise NotBurningError("no ratio of counters over one window, and no recording of one in this file")
    return _Above(ratio, factor, bound)


def _pair(conditions: tuple[_Above, ...]) -> Pair:
    if len(conditions) == 1:
        raise NotBurningError("it looks at one window alone, which says nothing of a budget")
    if len(conditions) != 2:
        raise NotBurningError(
            f"{len(conditions)} conditions are joined, where a long and a short window belong"
        )
    short, long = sorted(conditions, key=lambda one: one.ratio.window)
    if short.ratio.events != long.ratio.events:
        raise NotBurningError("its windows count different operations")
    if short.ratio.window == long.ratio.window or abs(short.bound - long.bound) > 1e-9:
        raise NotBurningError("its windows are the same, or are held against different bounds")
    factor = long.factor if long.factor is not None else _USUAL.get(long.ratio.window)
    if factor is None or not 0 < long.bound / factor < 1:
        raise NotBurningError("its bound is one number, of which neither target nor factor can be told")
    recordings = (*short.ratio.recordings, *long.ratio.recordings)
    budget = round(long.bound / factor, 9)
    if not budget:
        raise NotBurningError("its budget is nothing")
    return Pair(long.ratio.events, short.ratio.window, long.ratio.window, factor, budget, recordings)

"""What an expression reads: its selectors, and how far before an evaluation each of them looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import promql_parser

_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


class Condition(NamedTuple):
    """One matcher of a selector."""

    label: str
    operator: str
    """`=`, `!=`, `=~` or `!~`."""
    value: str


@dataclass(frozen=True)
class Selector:
    """Series that are read, and how much of their past."""

    conditions: tuple[Condition, ...]
    """Sorted; the metric's name is that of the label `__name__`."""
    reach: float = 0.0
    """Seconds before an evaluation: range, offset and the ranges of the subqueries around it."""

    @property
    def name(self) -> str | None:
        """Name of the metric, None where it is not given by `=`."""
        return next((c.value for c in self.conditions if (c.label, c.operator) == ("__name__", "=")), None)

    def may_select(self, name: str, labels: Mapping[str, str]) -> bool:
        """Say whether a series of that name may be meant that has these labels, and unknown ones beside."""
        known = {**labels, "__name__": name}
        return all(
            condition.label not in known or known[condition.label] == condition.value
            for condition in self.conditions
            if condition.operator == "="
        )

    def __str__(self) -> str:
        """As PromQL."""
        rest = ", ".join(
            f'{label}{operator}"{_quoted(value)}"'
            for label, operator, value in self.conditions
            if (label, operator) != ("__name__", "=")
        )
        return (self.name or "") + (f"{{{rest}}}" if rest or self.name is None else "")


def selectors(expression: str) -> tuple[Selector, ...]:
    """Return what an expression reads, each selector once, with the farthest of its reaches.

    ValueError where it is no expression, or reads at a fixed time (`@`).
    """
    found: dict[tuple[Condition, ...], float] = {}
    for selector in _selectors(promql_parser.parse(expression), 0.0):
        found[selector.conditions] = max(selector.reach, found.get(selector.conditions, 0.0))
    return tuple(Selector(conditions, reach) for conditions, reach in found.items())


def _selectors(node: promql_parser.Expr, reach: float) -> Iterator[Selector]:
    if isinstance(node, promql_parser.VectorSelector):
        yield Selector(_conditions(node), max(0.0, reach + _offset(node)))
    elif isinstance(node, promql_parser.MatrixSelector):
        yield from _selectors(node.vector_selector, reach + _seconds(node.range))
    elif isinstance(node, promql_parser.SubqueryExpr) and node.range is not None:
        yield from _selectors(node.expr, reach + _seconds(node.range) + _offset(node))
    else:
        for child in _children(node):
            yield from _selectors(child, reach)


def _children(node: promql_parser.Expr) -> Iterator[promql_parser.Expr]:
    if isinstance(node, promql_parser.Call):
        yield from node.args
    elif isinstance(node, promql_parser.BinaryExpr):
        yield from (node.lhs, node.rhs)
    elif isinstance(node, promql_parser.AggregateExpr):
        yield node.expr
        if node.param is not None:
            yield node.param
    elif isinstance(node, promql_parser.ParenExpr | promql_parser.UnaryExpr):
        yield node.expr


def _conditions(node: promql_parser.VectorSelector) -> tuple[Condition, ...]:
    found = {
        Condition(each.name, _OPERATORS[str(each.op).rpartition(".")[2]], each.value)
        for each in node.matchers.matchers
    }
    if node.name is not None:
        found.add(Condition("__name__", "=", node.name))
    return tuple(sorted(found))


def _offset(node: promql_parser.VectorSelector | promql_parser.SubqueryExpr) -> float:
    if node.at is not None:
        raise ValueError("`@` reads at a fixed time, which cannot be replayed")
    return 0.0 if node.offset is None else _seconds(node.offset)


def _seconds(duration: timedelta) -> float:
    return duration.total_seconds()


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

"""PromQL -> what it selects, how far back, how often, and how many series it returns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser

DEFAULT_STEP = 60.0
"""Seconds between the looks of a subquery that names no step: Prometheus' default evaluation interval."""

_WORD = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
_KEEPING = frozenset(("topk", "bottomk", "limitk", "limit_ratio", "count_values"))
"""Aggregations that return several series for one combination of labels."""
_ONE = frozenset(("absent", "absent_over_time", "vector", "scalar", "time", "pi"))
"""Functions that return one value, whatever they are given."""


class UnreadableError(ValueError):
    """An expression that our parser does not know: newer than it, or no PromQL."""


@dataclass(frozen=True)
class Selector:
    """What a vector selector selects."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]
    """Label, operator, value; sorted."""

    def __str__(self) -> str:
        """Return it as PromQL."""
        pairs = self.matchers
        name = self.metric
        if not _WORD.fullmatch(name):
            pairs, name = (("__name__", "=", name), *pairs), ""
        inside = ",".join(f"{label}{operator}{_quoted(value)}" for label, operator, value in pairs)
        return f"{name}{{{inside}}}"

    @property
    def fixed(self) -> dict[str, str]:
        """Labels that are compared for equality."""
        return {label: value for label, operator, value in self.matchers if operator == "="}

    @property
    def one_bucket(self) -> bool:
        """Whether of each histogram it takes one bucket; spellings of one boundary are one."""
        return any(label == "le" and operator in ("=", "=~") for label, operator, _ in self.matchers)


@dataclass(frozen=True)
class Read:
    """One selector of an expression, and what of it is read at each evaluation."""

    selector: Selector
    span: float
    """Seconds that each look goes back; 0 takes the newest sample alone."""
    looks: float
    """How often it is looked at: once, or at each step of the subqueries around it."""
    reach: float
    """Seconds before the evaluation from which on samples are wanted."""


Counting = Callable[[Selector], float]
"""How many series a selector finds."""
Combinations = Callable[[Sequence[str]], float]
"""How many combinations of these labels' values there may be."""


def reads(expression: str) -> tuple[Read, ...]:
    """Return everything that an expression reads; UnreadableError where it cannot be told."""
    return tuple(_reads(_parsed(expression), looks=1.0, reach=0.0))


def returned(expression: str, counting: Counting, combinations: Combinations) -> float:
    """Return how many series an expression has for a result at most, mostly."""
    return _returned(_parsed(expression), counting, combinations)


def _parsed(expression: str) -> Any:
    try:
        return promql_parser.parse(expression)
    except ValueError as error:
        raise UnreadableError(str(error)) from error


def _reads(node: Any, *, looks: float, reach: float) -> Iterator[Read]:
    if isinstance(node, promql_parser.MatrixSelector):
        yield _read(node.vector_selector, _seconds(node.range), looks, reach)
    elif isinstance(node, promql_parser.VectorSelector):
        yield _read(node, 0.0, looks, reach)
    elif isinstance(node, promql_parser.SubqueryExpr):
        span, step = _seconds(node.range), _seconds(node.step) or DEFAULT_STEP
        further = reach + span + max(_seconds(node.offset), 0.0)
        yield from _reads(node.expr, looks=looks * max(1.0, span / step), reach=further)
    else:
        for child in _children(node):
            yield from _reads(child, looks=looks, reach=reach)


def _read(node: Any, span: float, looks: float, reach: float) -> Read:
    return Read(_selector(node), span, looks, reach + span + max(_seconds(node.offset), 0.0))


def _selector(node: Any) -> Selector:
    found = [
        (one.name, _OPERATORS[str(one.op).rpartition(".")[2]], one.value) for one in node.matchers.matchers
    ]
    name = node.name or next((value for label, _, value in found if label == "__name__"), "")
    return Selector(name, tuple(sorted(one for one in found if one[0] != "__name__")))


def _returned(node: Any, counting: Counting, combinations: Combinations) -> float:
    def inside(child: Any) -> float:
        return _returned(child, counting, combinations)

    if isinstance(node, promql_parser.MatrixSelector):
        return counting(_selector(node.vector_selector))
    if isinstance(node, promql_parser.VectorSelector):
        return counting(_selector(node))
    if isinstance(node, promql_parser.AggregateExpr):
        return _aggregated(node, inside(node.expr), combinations)
    if isinstance(node, promql_parser.Call):
        if node.func.name in _ONE:
            return 1.0
        found = max(map(inside, node.args), default=1.0)
        # Of each histogram one quantile is left.
        return max(1.0, found / combinations(("le",))) if node.func.name == "histogram_quantile" else found
    if isinstance(node, promql_parser.BinaryExpr):
        left, right = inside(node.lhs), inside(node.rhs)
        if str(node.op) in ("and", "unless"):
            return left
        scalar = any(isinstance(_bare(side), promql_parser.NumberLiteral) for side in (node.lhs, node.rhs))
        grouped = node.modifier is not None and "OneToOne" not in str(node.modifier.card)
        return max(left, right) if scalar or grouped or str(node.op) == "or" else min(left, right)
    return max(map(inside, _children(node)), default=1.0)


def _aggregated(node: Any, inner: float, combinations: Combinations) -> float:
    modifier = node.modifier
    if str(node.op) in _KEEPING:
        return inner
    if modifier is None:
        return min(inner, 1.0)
    if modifier.type == promql_parser.AggModifierType.By:
        return min(inner, combinations(tuple(modifier.labels)))
    return inner


def _bare(node: Any) -> Any:
    while isinstance(node, promql_parser.ParenExpr | promql_parser.UnaryExpr):
        node = node.expr
    return node


def _children(node: Any) -> Iterator[Any]:
    for field in ("expr", "param", "lhs", "rhs"):
        child = getattr(node, field, None)
        if child is not None:
            yield child
    yield from getattr(node, "args", ())


def _seconds(span: timedelta | None) -> float:
    return 0.0 if span is None else span.total_seconds()


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

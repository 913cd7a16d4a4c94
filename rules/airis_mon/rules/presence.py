"""What has to be there for an expression to return anything, if only its thresholds were met.

An expression is read down to the series that it cannot do without: comparisons are taken as met, sums, rates
and arithmetic are as present as what they are made of, and in place of a recorded series stands what it is
recorded from. What is left are selectors that find nothing where a series is missing now, or lacks a label
that they compare, and that find something on an idle model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser as ast

from airis_mon.rules.groups import Rule
from airis_mon.rules.promql import matching, selector, written

_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_ALWAYS = frozenset(("absent", "absent_over_time", "vector"))
"""Functions that tell of what is missing, or need nothing."""
_SAME = frozenset(
    (
        "abs",
        "ceil",
        "clamp",
        "clamp_max",
        "clamp_min",
        "exp",
        "floor",
        "histogram_avg",
        "histogram_count",
        "histogram_sum",
        "ln",
        "log10",
        "log2",
        "round",
        "sgn",
        "sqrt",
    )
)
"""Functions that change values and no labels."""
_ALERTS = frozenset(("ALERTS", "ALERTS_FOR_STATE"))
"""What Prometheus itself writes while alerts are pending or firing: missing is what it usually is."""


@dataclass(frozen=True)
class Term:
    """An expression that has to return something."""

    expression: str

    def promql(self) -> str:
        """Return 1 without labels where it does, else nothing."""
        return f"group({self.expression})"


@dataclass(frozen=True)
class Every:
    """Each of them has to be there; without any, nothing has to be."""

    of: tuple[Presence, ...]

    def promql(self) -> str:
        """Return 1 without labels where all are there, else nothing."""
        return " and ".join(f"({one.promql()})" if isinstance(one, Some) else one.promql() for one in self.of)


@dataclass(frozen=True)
class Some:
    """One of them has to be there."""

    of: tuple[Presence, ...]

    def promql(self) -> str:
        """Return 1 without labels where one is there, else nothing."""
        return "\nor\n".join(one.promql() for one in self.of)


Presence = Term | Every | Some

NOTHING = Every(())
"""The expression has a value whatever there is."""


class Recordings:
    """Recording rules, by which series are followed to what they are computed from."""

    def __init__(self, rules: Iterable[Rule], constant: frozenset[str] = frozenset()) -> None:
        """Take the rules of a monitor; `constant` names series that are never absent."""
        self._always = _ALERTS | constant
        self._rules: dict[str, list[tuple[Rule, Any]]] = {}
        for rule in rules:
            if "record" in rule:
                self._rules.setdefault(rule["record"], []).append((rule, ast.parse(rule["expr"])))

    def needed_by(self, expression: str) -> Presence:
        """Return what has to be there for an expression."""
        return self._of(ast.parse(expression))

    def _of(self, node: Any) -> Presence:
        if isinstance(node, ast.ParenExpr | ast.UnaryExpr):
            return self._of(node.expr)
        if isinstance(node, ast.NumberLiteral | ast.StringLiteral):
            return NOTHING
        if isinstance(node, ast.AggregateExpr):
            return together((self._of(node.expr), NOTHING if node.param is None else self._of(node.param)))
        if isinstance(node, ast.BinaryExpr):
            return self._binary(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        return self._selection(node)

    def _call(self, node: Any) -> Presence:
        return NOTHING if node.func.name in _ALWAYS else together(map(self._of, node.args))

    def _binary(self, node: Any) -> Presence:
        operator, left, right = str(node.op), self._of(node.lhs), self._of(node.rhs)
        if operator == "unless":
            return left
        if operator == "or":
            return either((left, right))
        if left == right and str(node.lhs) == str(node.rhs):  # x != x: no number
            return left
        bare = _without_labels(node.lhs) and _without_labels(node.rhs)
        alike = _apart(node.lhs) is not None and _apart(node.lhs) == _apart(node.rhs)
        if bare or alike or _is_scalar(node.lhs) or _is_scalar(node.rhs):
            return together((left, right))
        if self._filters(node.lhs) or self._filters(node.rhs):
            return together((left, right))
        # Whether two vectors find each other is a matter of their labels: only the whole can tell.
        return Term(joined(node))

    def _selection(self, node: Any) -> Presence:
        """Return what has to be there for a selector, a range of one, or a subquery."""
        if isinstance(node, ast.SubqueryExpr):
            return self._of(node.expr)
        chosen = node.vector_selector if isinstance(node, ast.MatrixSelector) else node
        if chosen.name in self._always or chosen.at is not None:
            return NOTHING
        if chosen.offset is not None:  # the past is there, or it is not
            return Term(f"last_over_time({written(node)})" if chosen is not node else written(node))
        recorded = [self._of(definition) for definition in self._definitions(chosen)]
        return either(recorded) if recorded else Term(selector(chosen))

    def _definitions(self, node: Any) -> Iterator[Any]:
        """Yield what is recorded as the series that a selector selects."""
        for rule, expression in self._rules.get(node.name or "", ()):
            labels = rule.get("labels", {})
            if all(
                labels.get(one.name, one.value) == one.value
                for one in node.matchers.matchers
                if str(one.op) == str(ast.MatchOp.Equal)
            ):
                yield expression

    def _filters(self, node: Any) -> bool:
        """Tell whether an expression may be empty although all of its series are there."""
        found = False

        def visit(part: Any) -> bool:
            nonlocal found
            if isinstance(part, ast.BinaryExpr):
                compares = str(part.op) in _COMPARISONS and not (part.modifier and part.modifier.return_bool)
                found = compares or str(part.op) == "unless"
            elif isinstance(part, ast.Call):
                found = part.func.name in ("absent", "absent_over_time")
            elif isinstance(part, ast.SubqueryExpr):
                found = part.at is not None
            elif isinstance(part, ast.VectorSelector):
                found = part.name in self._always or part.at is not None
                found = found or any(map(self._filters, self._definitions(part)))
            return not found

        ast.walk(node, visit)
        return found


def joined(node: Any) -> str:
    """Return a binary expression of two vectors, with `and` in place of a comparison."""
    if str(node.op) not in _COMPARISONS:
        return written(node)
    return f"{written(node.lhs)} and{matching(node)} {written(node.rhs)}"


def _is_scalar(node: Any) -> bool:
    """Tell whether an expression is a number rather than a vector."""
    if isinstance(node, ast.ParenExpr | ast.UnaryExpr):
        return _is_scalar(node.expr)
    if isinstance(node, ast.BinaryExpr):
        return _is_scalar(node.lhs) and _is_scalar(node.rhs)
    if isinstance(node, ast.Call):
        return node.func.name in ("scalar", "time", "pi")
    return isinstance(node, ast.NumberLiteral)


def _without_labels(node: Any) -> bool:
    """Tell whether an expression is one series without labels."""
    if isinstance(node, ast.AggregateExpr):
        return node.modifier is None and str(node.op) not in ("topk", "bottomk", "count_values")
    if isinstance(node, ast.ParenExpr | ast.UnaryExpr):
        return _without_labels(node.expr)
    if isinstance(node, ast.BinaryExpr):
        sides = (node.lhs, node.rhs)
        return all(_without_labels(side) or _is_scalar(side) for side in sides) and not _is_scalar(node)
    if isinstance(node, ast.Call):
        name = node.func.name
        return name == "vector" or (name in _SAME and _without_labels(node.args[0]))
    return False


def _apart(node: Any) -> frozenset[str] | None:
    """Return the labels that an expression is summed up by, None where it is not.

    Series of one server that are kept apart by the same labels find each other.
    """
    if isinstance(node, ast.ParenExpr | ast.UnaryExpr):
        return _apart(node.expr)
    if isinstance(node, ast.Call) and node.func.name in _SAME:
        return _apart(node.args[0])
    if isinstance(node, ast.AggregateExpr) and node.modifier is not None:
        by = str(node.modifier.type).endswith("By")
        return frozenset(node.modifier.labels) if by else None
    if isinstance(node, ast.BinaryExpr):
        sides = {_apart(side) for side in (node.lhs, node.rhs) if not _is_scalar(side)}
        return sides.pop() if len(sides) == 1 else None
    return None


def together(parts: Iterable[Presence]) -> Presence:
    """Return that all parts have to be there; what another part already asks for is left out."""
    found: list[Presence] = []
    for part in parts:
        found += part.of if isinstance(part, Every) else [part]
    kept = _strictest(found, Some)
    return kept[0] if len(kept) == 1 else Every(kept)


def either(parts: Iterable[Presence]) -> Presence:
    """Return that one of the parts has to be there; nothing has to be where one needs nothing."""
    found: list[Presence] = []
    for part in parts:
        found += part.of if isinstance(part, Some) else [part]
    if NOTHING in found:
        return NOTHING
    kept = _strictest(found, Every)
    return kept[0] if len(kept) == 1 else Some(kept)


def _strictest(parts: Iterable[Presence], kind: type[Some] | type[Every]) -> tuple[Presence, ...]:
    """Leave out each part of a kind that holds all of another part, and so adds nothing to it."""
    within = {part: set(part.of) if isinstance(part, kind) else {part} for part in parts}
    return tuple(part for part, own in within.items() if not any(other < own for other in within.values()))

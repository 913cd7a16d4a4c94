"""Shares of failed operations, as expressions of others spell them: divided in place or recorded before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import promql_parser as ast

from airis_mon.rules import promql
from airis_mon.rules.adoption.rulefile import Given
from airis_mon.spec import Events, format_duration

_DEEPEST = 6
"""Recordings of recordings that are followed."""
_BRACES = re.compile(r'\{((?:[^{}"]|"(?:[^"\\]|\\.)*")*)\}')
_MATCHER = re.compile(r'[^,"]+"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\bby \(([\w, ]*)\)")
_SUM_BY = re.compile(r"\bsum by \(([\w, ]+)\) \(")
WINDOW = "$window"


def parsed(text: str) -> Any | None:
    """Return an expression, or None for what is none."""
    try:
        return promql.parse(text)
    except ValueError:
        return None


def plain(node: Any) -> Any:
    """Return what parentheses hold."""
    while isinstance(node, ast.ParenExpr):
        node = node.expr
    return node


def number(node: Any) -> float | None:
    """Return the value of an expression of numbers alone."""
    node = plain(node)
    if isinstance(node, ast.NumberLiteral):
        return float(node.val)
    if isinstance(node, ast.UnaryExpr):
        inner = number(node.expr)
        return None if inner is None else -inner
    if isinstance(node, ast.BinaryExpr):
        left, right = number(node.lhs), number(node.rhs)
        if left is None or right is None:
            return None
        if str(node.op) == "/":
            return left / right if right else None
        return {"+": left + right, "-": left - right, "*": left * right}.get(str(node.op))
    return None


def canonical(text: str) -> str | None:
    """Return an expression in a spelling that is equal for equal ones, or None for what is none."""
    node = parsed(text)
    if node is None:
        return None
    try:
        return _GROUPING.sub(_in_order, _BRACES.sub(_sorted, promql.written(plain(node))))
    except TypeError:
        return None


def _sorted(found: re.Match[str]) -> str:
    return "{" + ",".join(sorted(part.strip() for part in _MATCHER.findall(found[1]))) + "}"


def _in_order(found: re.Match[str]) -> str:
    return f"by ({', '.join(sorted(label.strip() for label in found[1].split(',')))})"


def selections(node: Any) -> Iterator[tuple[Any, float]]:
    """Yield every selector of an expression, and the seconds of its range (0 where it has none)."""
    if isinstance(node, ast.VectorSelector):
        yield node, 0.0
    elif isinstance(node, ast.MatrixSelector):
        yield node.vector_selector, node.range.total_seconds()
    elif isinstance(node, ast.Call):
        for argument in node.args:
            yield from selections(argument)
    elif isinstance(node, ast.BinaryExpr):
        yield from selections(node.lhs)
        yield from selections(node.rhs)
    elif hasattr(node, "expr"):
        yield from selections(node.expr)


@dataclass(frozen=True)
class Ratio:
    """Failed operations of all operations, over one window."""

    events: Events
    """Over `$window`."""
    window: float
    """Seconds."""
    recordings: tuple[Given, ...] = ()
    """Rules that recorded it."""


@dataclass(frozen=True)
class Recorded:
    """What a file records, by name."""

    rules: Mapping[str, Sequence[Given]]

    def find(self, selector: Any) -> Given | None:
        """Return the one rule that records what a selector finds."""
        wanted = {one.name: one.value for one in selector.matchers.matchers if str(one.op).endswith("Equal")}
        found = [
            rule
            for rule in self.rules.get(selector.name or "", ())
            if all(rule.marks.get(label, value) == value for label, value in wanted.items())
        ]
        return found[0] if len(found) == 1 else None

    def inlined(self, node: Any) -> Any:
        """Return what a series is recorded as, where that is all that an expression is."""
        for _ in range(_DEEPEST):
            inner = plain(node)
            rule = self.find(inner) if isinstance(inner, ast.VectorSelector) else None
            meant = None if rule is None else parsed(rule.expression)
            if meant is None:
                break
            node = meant
        return node

    def ratio(self, node: Any, depth: int = 0) -> Ratio | None:
        """Return the ratio that an expression is, or None."""
        node = _alone(node)
        if depth > _DEEPEST:
            return None
        if isinstance(node, ast.VectorSelector):
            rule = self.find(node)
            inner = None if rule is None else parsed(rule.expression)
            found = None if inner is None else self.ratio(inner, depth + 1)
            if found is None or rule is None:
                return None
            return Ratio(found.events, found.window, (rule, *found.recordings))
        if not isinstance(node, ast.BinaryExpr) or promql.matching(node):
            return None
        if str(node.op) == "/":
            return self._divided(node, good=False)
        rest = plain(node.rhs)
        if str(node.op) == "-" and number(node.lhs) == 1 and isinstance(rest, ast.BinaryExpr):
            return self._divided(rest, good=True) if str(rest.op) == "/" else None
        return None

    def burn_rate(self, node: Any, depth: int = 0) -> tuple[Ratio, float] | None:
        """Return a ratio and the budget that it is divided by, in place or recorded so."""
        node = _alone(node)
        if isinstance(node, ast.VectorSelector) and depth < _DEEPEST:
            rule = self.find(node)
            inner = None if rule is None else parsed(rule.expression)
            found = None if inner is None else self.burn_rate(inner, depth + 1)
            if found is None or rule is None:
                return None
            return replace(found[0], recordings=(rule, *found[0].recordings)), found[1]
        if not isinstance(node, ast.BinaryExpr) or str(node.op) != "/":
            return None
        ratio, budget = self.ratio(node.lhs), number(node.rhs)
        return (ratio, budget) if ratio is not None and budget else None

    def _divided(self, node: Any, good: bool) -> Ratio | None:
        sides = [self._counted(side) for side in (node.lhs, _positive(node.rhs))]
        if sides[0] is None or sides[1] is None or promql.matching(node):
            return None
        windows = sides[0][1]
        if len(windows) != 1 or sides[1][1] != windows:
            return None
        (window,) = windows
        part, total = (_windowed(side[0], window) for side in sides if side is not None)
        events = Events(total=total, good=part) if good else Events(total=total, bad=part)
        return Ratio(events, window, tuple(rule for side in sides if side is not None for rule in side[2]))

    def _counted(self, node: Any) -> tuple[str, set[float], list[Given]] | None:
        """Return one side as text, its ranges, and the rules that recorded it."""
        node, used = plain(node), []
        for _ in range(_DEEPEST):
            if not isinstance(node, ast.VectorSelector):
                break
            rule = self.find(node)
            inner = None if rule is None else parsed(rule.expression)
            if rule is None or inner is None:
                return None
            used.append(rule)
            node = plain(inner)
        try:
            text = promql.written(node)
        except TypeError:
            return None
        return _whole(text), {seconds for _, seconds in selections(node)}, used


def _alone(node: Any) -> Any:
    """Return the one series that an aggregation without labels is of."""
    node = plain(node)
    while isinstance(node, ast.AggregateExpr) and str(node.op) in ("sum", "max", "min", "avg"):
        inner = plain(node.expr)
        if not isinstance(inner, ast.VectorSelector):
            break
        node = inner
    return node


def _whole(text: str) -> str:
    """Return sums without grouping by labels that every selector compares: there is one group."""
    selectors = text.count("{")

    def ungrouped(found: re.Match[str]) -> str:
        labels = [label.strip() for label in found[1].split(",")]
        fixed = all(len(re.findall(rf'[{{,]{label}="', text)) == selectors for label in labels)
        return "sum(" if fixed and selectors else found[0]

    return _SUM_BY.sub(ungrouped, text)


def _positive(node: Any) -> Any:
    """Return a divisor without the guard that keeps it above nothing."""
    inner = plain(node)
    if isinstance(inner, ast.BinaryExpr) and str(inner.op) == ">" and number(inner.rhs) == 0:
        return inner.lhs
    return node


def _windowed(text: str, window: float) -> str:
    """Return an expression over `$window` instead of over its own range."""
    spelled = re.escape(f"[{format_duration(window)}]")
    return re.sub(
        rf'"(?:[^"\\]|\\.)*"|{spelled}',
        lambda found: f"[{WINDOW}]" if found[0].startswith("[") else found[0],
        text,
    )

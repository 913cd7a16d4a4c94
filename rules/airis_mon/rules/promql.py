"""PromQL that was parsed, written as text again: always the same text for the same expression.

promql_parser prints as well, but breaks lines as it likes, and from version to version; what is emitted has
to stay equal byte for byte.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import promql_parser as ast

from airis_mon.exporters.contracts import matchers
from airis_mon.rules.literals import number
from airis_mon.spec import format_duration

_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


LONGEST = 10_000
"""Characters of one expression."""
MOST_OPERATORS = 200
"""Of one expression. The parser takes time that grows with their square."""
DEEPEST = 50
"""Brackets within each other. The parser goes down with them, and some thousands end the process."""
_NOT_CODE = re.compile(r"""#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`""", re.DOTALL)
_OPERATOR = re.compile(r"[-+*/%^<>!=]+|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)


def parse(text: str) -> Any:
    """Return what somebody wrote, parsed; ValueError for what is no expression, or too much of one."""
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text)} characters; {LONGEST} are allowed")
    code = _NOT_CODE.sub(" ", text)
    operators = sum(max(1, len(found[0]) - 1) for found in _OPERATOR.finditer(code))
    if operators > MOST_OPERATORS:
        raise ValueError(f"it has {operators} operators; {MOST_OPERATORS} are allowed")
    deepest = depth = 0
    for character in code:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise ValueError(f"its brackets lie {deepest} deep in each other; {DEEPEST} are allowed")
    return ast.parse(text)


def written(node: Any) -> str:
    """Return an expression as PromQL on one line; TypeError for what is unknown here."""
    if isinstance(node, ast.ParenExpr):
        return f"({written(node.expr)})"
    if isinstance(node, ast.UnaryExpr):
        return f"-{written(node.expr)}"
    if isinstance(node, ast.BinaryExpr):
        return f"{written(node.lhs)} {node.op}{_modifier(node)} {written(node.rhs)}"
    if isinstance(node, ast.AggregateExpr):
        return _aggregate(node)
    if isinstance(node, ast.Call):
        return f"{node.func.name}({', '.join(map(written, node.args))})"
    if isinstance(node, ast.NumberLiteral):
        return number(node.val)
    if isinstance(node, ast.StringLiteral):
        return matchers({"": node.val})[2:-1]
    return _selection(node)


def _selection(node: Any) -> str:
    if isinstance(node, ast.VectorSelector):
        return selector(node) + _moved(node)
    if isinstance(node, ast.MatrixSelector):
        chosen = node.vector_selector
        return f"{selector(chosen)}[{_span(node.range)}]{_moved(chosen)}"
    if isinstance(node, ast.SubqueryExpr):
        step = "" if node.step is None else _span(node.step)
        return f"{written(node.expr)}[{_span(node.range)}:{step}]{_moved(node)}"
    raise TypeError(f"{type(node).__name__} cannot be written as PromQL")


def selector(node: Any) -> str:
    """Return the name and the matchers of a vector selector."""
    compared = [
        matchers({one.name: one.value})[1:-1].replace("=", _OPERATORS[str(one.op).rpartition(".")[2]], 1)
        for one in node.matchers.matchers
    ]
    return (node.name or "") + (f"{{{','.join(compared)}}}" if compared or not node.name else "")


def _aggregate(node: Any) -> str:
    modifier = ""
    if node.modifier is not None:
        word = str(node.modifier.type).rpartition(".")[2].lower()
        modifier = f" {word} ({', '.join(node.modifier.labels)}) "
    parameter = "" if node.param is None else f"{written(node.param)}, "
    return f"{node.op}{modifier}({parameter}{written(node.expr)})"


def matching(node: Any) -> str:
    """Return by which labels two vectors find each other, with a space before it where it is said."""
    if node.modifier is None or node.modifier.matching is None:
        return ""
    found = node.modifier.matching
    word = {"Include": "on", "Exclude": "ignoring"}[str(found.type).rpartition(".")[2]]
    return f" {word} ({', '.join(found.labels)})"


def _modifier(node: Any) -> str:
    found = node.modifier
    if found is None:
        return ""
    text = (" bool" if found.return_bool else "") + matching(node)
    if found.group_labels is not None:
        side = "left" if "ManyToOne" in str(found.card) else "right"
        text += f" group_{side} ({', '.join(found.group_labels)})"
    return text


def _moved(node: Any) -> str:
    if node.at is not None:
        raise TypeError("`@` cannot be written as PromQL")
    return "" if node.offset is None else f" offset {_span(node.offset)}"


def _span(span: timedelta | None) -> str:
    seconds = (span or timedelta()).total_seconds()
    return format_duration(seconds) if seconds >= 0 else f"-{format_duration(-seconds)}"

"""Alerts on series that are not there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import promql_parser as ast

from airis_mon.rules.adoption.objectives import Candidate
from airis_mon.rules.adoption.ratios import number, parsed, plain
from airis_mon.rules.adoption.rulefile import Given
from airis_mon.rules.adoption.sources import Found, equal
from airis_mon.rules.expressions import ExpressionError, terms


def silent(alert: Given) -> Any | None:
    """Return the selector that an alert waits for in vain, or None where it is another kind of alert."""
    node = plain(parsed(alert.expression))
    if isinstance(node, ast.BinaryExpr) and str(node.op) == "==" and number(node.rhs) == 1:
        node = plain(node.lhs)
    if not isinstance(node, ast.Call) or node.func.name not in ("absent", "absent_over_time"):
        return None
    (argument,) = node.args
    argument = plain(argument)
    if isinstance(argument, ast.MatrixSelector):
        argument = argument.vector_selector
    return argument if isinstance(argument, ast.VectorSelector) else None


def told_by(selector: Any, objectives: Sequence[Candidate], source: Found) -> str:
    """Return which alert of ours tells that these series are gone; empty where none would."""
    requests = source.contract.requests
    if requests is not None and (selector.name, equal(selector, source.contract)) == (
        requests.total,
        dict(source.selector),
    ):
        return "the alert on the model's operations being gone"
    labels = {one.name: one.value for one in selector.matchers.matchers}
    for candidate in objectives:
        try:
            counted = terms(candidate.total)
        except ExpressionError:
            continue
        if any(
            term.metric == selector.name
            and labels.items() <= {one.label: one.value for one in term.matchers}.items()
            for term in counted
        ):
            return f"the alert on objective {candidate.entry['name']} counting nothing any more"
    return ""

"""Alerts on a value: a signal of the contract held against a number."""

from __future__ import annotations

from typing import Any

import promql_parser as ast

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import promql
from airis_mon.rules.adoption.ratios import canonical, number, parsed, plain, selections
from airis_mon.rules.adoption.rulefile import Given
from airis_mon.rules.adoption.sources import Found, equal, metrics
from airis_mon.spec import format_duration

_SIDES = {">": "above", ">=": "above", "<": "below", "<=": "below"}
_WAKING = frozenset({"page", "critical", "crit", "high", "pager", "emergency", "sev1", "p1"})


class NotAValueError(ValueError):
    """Why an alert is none on a value of a signal."""


def threshold(alert: Given, source: Found) -> dict[str, Any]:
    """Return the threshold that an alert is, as the document holds it; NotAValueError where it is none."""
    node = plain(parsed(alert.expression))
    operator = str(getattr(node, "op", ""))
    bound = number(node.rhs) if isinstance(node, ast.BinaryExpr) else None
    if bound is None or operator not in _SIDES:
        raise NotAValueError("it holds no value against a number")
    if node.modifier is not None:
        raise NotAValueError("its comparison returns 0 or 1, not what it compares")
    if source.contract.requests is None:
        raise NotAValueError("thresholds need the signals of a contract, and no contract knows these series")
    found = list(selections(node.lhs))
    known = metrics(source.contract)
    if not found or any(selector.name not in known for selector, _ in found):
        raise NotAValueError(f"the contract {source.contract.name} does not know all series that it reads")
    for selector, _ in found:
        chosen = equal(selector, source.contract)
        if chosen != source.selector:
            raise NotAValueError(
                f"it selects {matchers(chosen)}, and the monitor {matchers(source.selector)}"
            )
    side = _SIDES[operator]
    window = max((seconds for _, seconds in found), default=0.0)
    entry: dict[str, Any] = {"of": _signal(node.lhs, side, window, source), side: bound}
    if window:
        entry["window"] = format_duration(window)
    severity = alert.marks.get("severity", "").lower()
    return entry | {
        "for": format_duration(alert.duration),
        "severity": "page" if severity in _WAKING else "ticket",
    }


def fires_at_bound(alert: Given) -> bool:
    """Tell whether the alert fires at the bound itself, as no threshold of ours does."""
    return str(getattr(plain(parsed(alert.expression)), "op", "")) in (">=", "<=")


def _signal(node: Any, side: str, window: float, source: Found) -> str:
    """Return the signal whose expression this is."""
    try:
        written = canonical(promql.written(plain(node)))
    except TypeError:
        written = None
    contract, selector = source.contract, source.selector
    for signal in contract.signals() if written is not None else ():
        if written == canonical(contract.expression(signal, selector, window or 60.0)):
            return signal
    for name, gauge in contract.gauges.items():
        # Some series is above a value exactly where the highest one is.
        alone = canonical(gauge.metric + matchers(selector))
        if written == alone and gauge.scale == 1:
            if side == "below":
                raise NotAValueError(f"it holds each series of {name} by itself against a lower bound")
            return name
    if contract.requests is not None and window:
        rate = f"[{format_duration(window)}]"
        failed = contract.requests.total + matchers(selector, contract.requests.errors)
        total = contract.requests.total + matchers(selector)
        if written == canonical(f"sum(rate({failed}{rate})) / sum(rate({total}{rate}))"):
            return "error_ratio"
    raise NotAValueError(f"its expression is no signal of the contract {contract.name}")

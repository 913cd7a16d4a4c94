"""Alerts on a value: a signal of the contract held against a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import promql_parser as ast

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import promql
from airis_mon.rules.adoption.ratios import Recorded, canonical, number, parsed, plain, selections
from airis_mon.rules.adoption.rulefile import Given
from airis_mon.rules.adoption.sources import Found, equal, metrics
from airis_mon.spec import format_duration

_SIDES = {">": "above", ">=": "above", "<": "below", "<=": "below"}
_TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_SETS = frozenset({"and", "or", "unless"})
_WAKING = frozenset({"page", "critical", "crit", "high", "pager", "emergency", "sev1", "p1"})


class NotAValueError(ValueError):
    """Why an alert is none on a value of a signal."""


def threshold(alert: Given, source: Found, recorded: Recorded) -> dict[str, Any]:
    """Return the threshold that an alert is, as the document holds it; NotAValueError where it is none."""
    value, operator, bound = _comparison(alert)
    if source.unselected is not None:
        raise NotAValueError(
            f"no label selects the series of {source.unselected.name} that are the model's; give --selector"
        )
    if source.contract.requests is None:
        raise NotAValueError("thresholds need the signals of a contract, and no contract knows these series")
    left = recorded.inlined(value)
    found = list(selections(left))
    known = metrics(source.contract)
    if not found or any(selector.name not in known for selector, _ in found):
        raise NotAValueError(f"the contract {source.contract.name} does not know all series that it reads")
    chosen = {tuple(sorted(equal(selector, source.contract).items())) for selector, _ in found}
    if len(chosen) > 1:
        raise NotAValueError("it selects different series")
    selector = dict(chosen.pop())
    if not selector.items() <= source.selector.items():
        raise NotAValueError(f"it selects {matchers(selector)}, and the monitor {matchers(source.selector)}")
    side = _SIDES[operator]
    window = max((seconds for _, seconds in found), default=0.0)
    by = tuple(_grouping(left))
    signal = _signal(left, side, window, by, replace(source, selector=selector))
    entry: dict[str, Any] = {"of": signal, side: bound}
    if window:
        entry["window"] = format_duration(window)
    if by:
        entry["by"] = list(by)
    severity = alert.marks.get("severity", "").lower()
    return entry | {
        "for": format_duration(alert.duration),
        "severity": "page" if severity in _WAKING else "ticket",
    }


def fires_at_bound(alert: Given) -> bool:
    """Tell whether the alert fires at the bound itself, as no threshold of ours does."""
    return _comparison(alert)[1] in (">=", "<=")


def selects_less(alert: Given, source: Found, recorded: Recorded) -> bool:
    """Tell whether the alert is about more series than those of the model."""
    value, _, _ = _comparison(alert)
    found = selections(recorded.inlined(value))
    return any(equal(selector, source.contract) != source.selector for selector, _ in found)


def _comparison(alert: Given) -> tuple[Any, str, float]:
    """Return value, operator and number of a comparison, whichever stands first; else NotAValueError."""
    node = plain(parsed(alert.expression))
    operator = str(getattr(node, "op", ""))
    if operator in _SETS:
        raise NotAValueError(f"it joins conditions by `{operator}`, and a threshold holds one value")
    if not isinstance(node, ast.BinaryExpr) or operator not in _SIDES:
        raise NotAValueError("it holds no value against a number")
    value, bound = node.lhs, number(node.rhs)
    if bound is None:
        value, bound, operator = node.rhs, number(node.lhs), _TURNED[operator]
    if bound is None:
        raise NotAValueError("it holds no value against a number")
    if node.modifier is not None:
        raise NotAValueError("its comparison returns 0 or 1, not what it compares")
    return value, operator, bound


def _grouping(node: Any) -> Iterator[str]:
    """Yield the labels by which a signal is kept apart."""
    node = plain(node)
    if isinstance(node, ast.Call) and node.func.name == "histogram_quantile":
        node = plain(node.args[1])
    modifier = node.modifier if isinstance(node, ast.AggregateExpr) else None
    if modifier is not None and str(modifier.type).endswith("By"):
        yield from (label for label in modifier.labels if label != "le")


def _signal(node: Any, side: str, window: float, by: tuple[str, ...], source: Found) -> str:
    """Return the signal whose expression this is."""
    try:
        written = canonical(promql.written(plain(node)))
    except TypeError:
        written = None
    contract, selector = source.contract, source.selector
    for signal in contract.signals() if written is not None else ():
        if written == canonical(contract.expression(signal, selector, window or 60.0, by)):
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

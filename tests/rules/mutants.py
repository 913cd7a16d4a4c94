"""Rules broken on purpose, one way at a time."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

Groups = dict[str, Any]

# A string, a range, or a number that stands by itself.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|(?<![\w.:])\d+(?:\.\d+)?(?![\w.:])')
_RANGE = re.compile(r"\[(\d+)([smhd])(:[^\]]*)?\]")
_MATCHER = re.compile(r'([a-z_]\w*)(=~|=)"((?:[^"\\]|\\.)*)"')
_WINDOW = re.compile(r"(slo:\w+:(?:ratio_)?rate)(5m|30m|1h|2h|6h|1d|3d)\b")
_NEIGHBOUR = {"5m": "30m", "30m": "1h", "1h": "2h", "2h": "6h", "6h": "1d", "1d": "3d", "3d": "1d"}
_OPERATORS = {
    " > ": " < ",
    ">=": "<=",
    "\n  and\n": "\n  or\n",
    "\nor\n": "\nand\n",
    "\nand on ()\n": "\nor on ()\n",
    " or ": " and ",
    "sum(rate(": "max(rate(",
    "rate(": "increase(",
    "sum_over_time": "avg_over_time",
    "absent(": "count(",
}


def mutants(rules: Groups) -> Iterator[tuple[str, Groups]]:
    """Yield (what was broken, all rules with it)."""
    for group_index, group in enumerate(rules["groups"]):
        for rule_index, rule in enumerate(group["rules"]):
            title = f"{group['name']} {rule.get('record') or rule.get('alert')}"
            for what, broken in _broken(rule):
                mutant = copy.deepcopy(rules)
                place = mutant["groups"][group_index]["rules"]
                place[rule_index : rule_index + 1] = [broken] if broken is not None else []
                yield f"{title}: {what}", mutant


def _broken(rule: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    yield "removed", None
    for what, expression in _expressions(rule["expr"]):
        yield what, {**rule, "expr": expression}
    for label, value in rule["labels"].items():
        left = {name: text for name, text in rule["labels"].items() if name != label}
        yield f"label {label} changed", {**rule, "labels": {**left, label: f"{value}x"}}
        # A label that the series of the expression carries itself comes back by itself.
        inherited = "alert" in rule and (label in ("monitor", "model", "team") or f"{label}=" in rule["expr"])
        if not inherited and not (label == "for" and "anomaly" in rule["expr"]):
            yield f"label {label} dropped", {**rule, "labels": left}
    for annotation in rule.get("annotations", ()):
        left = {name: text for name, text in rule["annotations"].items() if name != annotation}
        yield f"annotation {annotation} dropped", {**rule, "annotations": left}
    if "record" in rule:
        yield "renamed", {**rule, "record": rule["record"] + "x"}
    if "for" in rule:
        yield "for dropped", {name: value for name, value in rule.items() if name != "for"}
        yield "for made longer", {**rule, "for": "2h"}


def _expressions(expression: str) -> Iterator[tuple[str, str]]:
    yield from _numbers(expression)
    yield from _ranges(expression)
    yield from _matchers(expression)
    for found in _WINDOW.finditer(expression):
        yield (
            f"{found[0]} -> {_NEIGHBOUR[found[2]]}",
            _put(expression, found, found[1] + _NEIGHBOUR[found[2]]),
        )
    for operator, changed in _OPERATORS.items():
        if operator in expression:
            yield f"{operator!r} -> {changed!r}", expression.replace(operator, changed, 1)


def _numbers(expression: str) -> Iterator[tuple[str, str]]:
    for found in _TOKENS.finditer(expression):
        token = found[0]
        if token[0] in '"[':
            continue
        for factor in (0.8, 1.25) if float(token) else (1.0,):
            changed = f"{float(token) * factor:g}" if float(token) else "1"
            yield f"{token} -> {changed}", _put(expression, found, changed)


def _ranges(expression: str) -> Iterator[tuple[str, str]]:
    for found in _RANGE.finditer(expression):
        if found.start() > expression.find(" or 0 * ") > 0:
            continue  # nothing times a rate is nothing over any range
        amount, unit, step = int(found[1]), found[2], found[3] or ""
        for changed in (f"[{amount * 2}{unit}{step}]", f"[{amount * 30}{_SMALLER[unit]}{step}]"):
            yield f"{found[0]} -> {changed}", _put(expression, found, changed)


def _matchers(expression: str) -> Iterator[tuple[str, str]]:
    for found in _MATCHER.finditer(expression):
        label, operator, text = found.groups()
        yield f"{found[0]} changed", _put(expression, found, f'{label}{operator}"{text}x"')
        if "|" in text:
            fewer = text.partition("|")[0]
            yield f"{found[0]} with one alternative", _put(expression, found, f'{label}{operator}"{fewer}"')
    for matcher in sorted({found[0] for found in _MATCHER.finditer(expression)}):
        if not matcher.startswith("le"):
            without = re.sub(rf"{re.escape(matcher)},?", "", expression).replace(",}", "}")
            yield f"{matcher} dropped", without


_SMALLER = {"d": "m", "h": "m", "m": "s", "s": "ms"}
"""Unit of half the range: 30 of the next smaller one, near enough (a day is cut to half an hour)."""


def _put(expression: str, found: re.Match[str], text: str) -> str:
    return expression[: found.start()] + text + expression[found.end() :]

"""PromQL that a person wrote: sums of rates of counters over `$window`, read into plain terms.

Nothing of the text itself is emitted. It is parsed once, and the rules write what was understood anew, so
that a text can never become more than one expression, nor a template. What a proof could not feed with series
is refused, with what to write instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import promql_parser
import re2

from airis_mon.exporters.contracts import le_matcher, matchers
from airis_mon.rules import promql

__all__ = ["LE", "MOST_TERMS", "ExpressionError", "Matcher", "Term", "is_regular", "terms"]

LE = "le"
MOST_TERMS = 8
"""Rates that one expression may add up."""
_WINDOW = re.compile(r"\$window\b|\$\{window\}|\{\{ ?\.window ?\}\}")
"""The range of a rate; the last is how Sloth spells it."""
_EXAMPLE = 'such as sum(rate(http_requests_total{job="api"}[$window]))'
_BOUNDARY = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?|\+Inf")
_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


class ExpressionError(ValueError):
    """An expression that cannot be used: what is wrong, and what to write instead."""


@dataclass(frozen=True)
class Matcher:
    """One comparison of a selector."""

    label: str
    operator: str
    value: str

    def promql(self) -> str:
        """Return it as PromQL; a boundary in every spelling."""
        if self.label == LE:
            boundary = float(self.value)
            return 'le="+Inf"' if math.isinf(boundary) else le_matcher(boundary)
        return matchers({self.label: self.value})[1:-1].replace("=", self.operator, 1)

    def holds(self, value: str) -> bool:
        """Tell whether a series with that value (empty where it lacks the label) is selected."""
        if self.label == LE and value:
            return float(value) == float(self.value)
        if self.operator in ("=", "!="):
            return (value == self.value) == (self.operator == "=")
        return bool(re2.fullmatch(self.value, value)) == (self.operator == "=~")


@dataclass(frozen=True)
class Term:
    """The rate of one selector, added or taken away."""

    metric: str
    matchers: tuple[Matcher, ...]
    sign: int = 1

    @property
    def selector(self) -> str:
        """The selector as PromQL."""
        compared = ",".join(matcher.promql() for matcher in self.matchers)
        return self.metric + (f"{{{compared}}}" if compared else "")

    def rate(self, window: str) -> str:
        """Return PromQL for what is counted per second."""
        return f"sum(rate({self.selector}[{window}]))"

    def counts(self, metric: str, labels: Mapping[str, str]) -> bool:
        """Tell whether a series is selected."""
        return metric == self.metric and all(
            matcher.holds(labels.get(matcher.label, "")) for matcher in self.matchers
        )


def terms(text: str) -> tuple[Term, ...]:
    """Return what an expression adds up; ExpressionError where it is none that can be proven."""
    return _Reader(text).terms()


class _Reader:
    """One text, read once."""

    def __init__(self, text: str) -> None:
        # A range that the text does not hold stands for `$window`, so that no other can be taken for it.
        minutes = next(count for count in range(61, 10_000) if f"{count}m" not in text)
        self._window = f"{minutes}m"
        self._seconds = minutes * 60.0
        self._text = _WINDOW.sub(self._window, text)
        self._functions: set[str] = set()

    def terms(self) -> tuple[Term, ...]:
        try:
            parsed: Any = promql.parse(self._text)
        except ValueError as error:
            said = str(error).replace(self._window, "$window")[:200]
            raise ExpressionError(f"this is no PromQL: {said}", f"write one expression, {_EXAMPLE}") from None
        found = tuple(self._sum(parsed, 1))
        if len(found) > MOST_TERMS:
            raise ExpressionError(
                f"{len(found)} rates are added up; {MOST_TERMS} are allowed",
                'select several label values by one matcher, such as code=~"5..|429"',
            )
        if len(self._functions) > 1:
            raise ExpressionError(
                "rates and increases are added up: one counts per second, the other per window",
                "write rate() everywhere",
            )
        return found

    def _sum(self, node: Any, sign: int) -> Iterator[Term]:
        if isinstance(node, promql_parser.ParenExpr):
            yield from self._sum(node.expr, sign)
        elif isinstance(node, promql_parser.BinaryExpr):
            yield from self._binary(node, sign)
        elif isinstance(node, promql_parser.AggregateExpr) and str(node.op) == "sum":
            if node.modifier is not None:
                raise ExpressionError(
                    "the sum is kept apart by labels, and an objective is one series",
                    "write sum(...) without `by`; write one objective for each part",
                )
            yield self._rate(_plain(node.expr), sign)
        else:
            raise ExpressionError(
                f"{_spoken(node)} is no sum of rates of counters, and no proof could feed it",
                f"write sums of rates, added or subtracted, {_EXAMPLE}",
            )

    def _binary(self, node: Any, sign: int) -> Iterator[Term]:
        operator = str(node.op)
        if operator == "or" and _is_zero(node.rhs):
            yield from self._sum(node.lhs, sign)  # what is missing counts as nothing anyway
            return
        if operator not in ("+", "-") or _matching(node):
            raise ExpressionError(
                f"`{operator}`{' with a matching' if _matching(node) else ''} has no place in a count",
                f"add sums of rates with +, or take them away with -, {_EXAMPLE}",
            )
        yield from self._sum(node.lhs, sign)
        yield from self._sum(node.rhs, sign if operator == "+" else -sign)

    def _rate(self, node: Any, sign: int) -> Term:
        if not isinstance(node, promql_parser.Call) or node.func.name not in ("rate", "increase"):
            raise ExpressionError(
                f"{_spoken(node)} stands where rate() of a counter belongs",
                "write sum(rate(counter[$window]))",
            )
        self._functions.add(node.func.name)
        (ranged,) = node.args
        if not isinstance(ranged, promql_parser.MatrixSelector):
            raise ExpressionError(
                "a subquery stands where a counter belongs", "take the rate of the counter itself"
            )
        if ranged.range.total_seconds() != self._seconds:
            raise ExpressionError(
                f"the range of {node.func.name}() is fixed, but objectives are watched over several windows",
                "write [$window]",
            )
        return self._selector(ranged.vector_selector, sign)

    def _selector(self, selector: Any, sign: int) -> Term:
        if not selector.name:
            raise ExpressionError("the selector names no metric", f"begin it with the name, {_EXAMPLE}")
        if selector.offset is not None or selector.at is not None:
            raise ExpressionError(
                "`offset` and `@` look at another time than the one that is watched", "leave them out"
            )
        if selector.matchers.or_matchers:
            raise ExpressionError("`or` between matchers is not PromQL", 'write label=~"one|other"')
        found = tuple(self._matcher(matcher) for matcher in selector.matchers.matchers)
        return Term(selector.name, found, sign)

    def _matcher(self, matcher: Any) -> Matcher:
        operator = _OPERATORS[str(matcher.op).rpartition(".")[2]]
        if self._window in matcher.value:
            raise ExpressionError("`$window` stands in a label's value", "write it as a range: [$window]")
        if matcher.name == "__name__":
            raise ExpressionError("`__name__` is compared", "write the name before the braces")
        if matcher.name == LE and (operator != "=" or not _is_number(matcher.value)):
            raise ExpressionError(
                f"`le{operator}` finds no bucket, or another one, on other versions of Prometheus",
                'write one boundary as a number: le="0.5"',
            )
        if "~" in operator and not is_regular(matcher.value):
            raise ExpressionError(
                f"`{matcher.value[:60]}` is no regular expression that Prometheus knows (RE2)",
                "look ahead, look behind and back references are unknown to it",
            )
        return Matcher(matcher.name, operator, matcher.value)


def _plain(node: Any) -> Any:
    while isinstance(node, promql_parser.ParenExpr):
        node = node.expr
    return node


def _is_zero(node: Any) -> bool:
    """Tell whether an expression is `vector(0)`."""
    node = _plain(node)
    if not isinstance(node, promql_parser.Call) or node.func.name != "vector":
        return False
    argument = _plain(node.args[0])
    return isinstance(argument, promql_parser.NumberLiteral) and argument.val == 0


def _matching(node: Any) -> bool:
    return node.modifier is not None and (
        node.modifier.matching is not None or node.modifier.group_labels is not None
    )


def _is_number(text: str) -> bool:
    if not _BOUNDARY.fullmatch(text):
        return False
    return text == "+Inf" or math.isfinite(float(text))


def is_regular(value: str) -> bool:
    """Tell whether a text is a regular expression to Prometheus."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(value, options)
    except (re2.error, UnicodeEncodeError):
        return False
    return True


def _spoken(node: Any) -> str:
    """Return what a part of an expression is, as a person would call it."""
    if isinstance(node, promql_parser.Call):
        return f"{node.func.name}()"
    if isinstance(node, promql_parser.AggregateExpr):
        return f"{node.op}()"
    if isinstance(node, promql_parser.VectorSelector):
        return f"`{str(node.name or 'a selector')[:60]}`"
    return {"NumberLiteral": "a number", "StringLiteral": "a text"}.get(type(node).__name__, "this")

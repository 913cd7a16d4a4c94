"""Declared patterns: which records become which metrics and events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from airis_mon.sidecar.logs.masking import LONGEST_SEARCHED
from airis_mon.sidecar.logs.record import LogRecord

LONGEST_EXPRESSION = 500
_MOST_WILDCARDS = 2


@dataclass(frozen=True)
class Measure:
    """A number that a record holds, as a gauge or a histogram."""

    kind: str
    """`gauge` or `histogram`."""
    name: str
    value: str
    """The field or the captured group that holds the number."""
    unit: str = ""


@dataclass(frozen=True)
class Pattern:
    """What a record has to be, and what becomes of it."""

    name: str
    where: Mapping[str, str] = field(default_factory=dict)
    """Fields that have to equal a text."""
    regex: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    """Fields in which an expression has to be found; its named groups can be used below."""
    counter: str = ""
    """Metric that counts the records."""
    measures: tuple[Measure, ...] = ()
    event: str = ""
    """Type of the event that each record becomes."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Label by the field or captured group that holds its value."""
    budget: int = 100
    """Label sets; beyond it values become `other`, so that no log can fill the store."""

    def match(self, record: LogRecord) -> dict[str, str] | None:
        """Return what the expressions have captured, None where the record is another."""
        for name, wanted in self.where.items():
            if text(record.field(name)) != wanted:
                return None
        captured: dict[str, str] = {}
        for name, expression in self.regex.items():
            found = expression.search(text(record.field(name))[:LONGEST_SEARCHED])
            if found is None:
                return None
            captured.update({key: value for key, value in found.groupdict().items() if value is not None})
        return captured


def text(value: object) -> str:
    """Return a field as a text; empty where it is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) and abs(value) < 1e300 else ""


def expression(written: str) -> re.Pattern[str]:
    """Return the compiled expression; ValueError(message, hint) where it is none, or could run for ages."""
    if len(written) > LONGEST_EXPRESSION:
        raise ValueError(f"the expression has {len(written)} characters; {LONGEST_EXPRESSION} are allowed")
    try:
        compiled = re.compile(written)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    if re.search(r"\(\?P=|\\[1-9]", written):
        raise ValueError("references back to a group can take very long", "write the text out")
    wildcards = sum(token in (".*", ".+") for token in _tokens(written))
    if wildcards > _MOST_WILDCARDS:
        raise ValueError(
            f"{wildcards} of `.*` or `.+` can take very long; {_MOST_WILDCARDS} are allowed",
            "say which characters may stand there, such as [^ ]*",
        )
    if _nested(written):
        raise ValueError(
            "a repetition of what itself repeats or varies can take very long",
            "write it without the outer repetition, such as [a-z ]+ for ([a-z]+ ?)+",
        )
    return compiled


def _nested(written: str) -> bool:
    """Say whether something repeats that holds a repetition, a choice or an option."""
    groups = [False]
    varied = False
    before = ""
    for token in _tokens(written):
        if token == "(":
            groups.append(False)
            varied = False
        elif token == ")":
            varied = groups.pop() if len(groups) > 1 else False
            groups[-1] = groups[-1] or varied
        elif token[0] in "*+{":
            if varied:
                return True
            groups[-1] = True
        else:
            varied = False
            if token in ("|", ".*", ".+") or (token == "?" and before != "("):
                groups[-1] = True
        before = token
    return False


_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\.[*+]|\{[0-9]*,?[0-9]*\}|.", re.DOTALL)


def _tokens(written: str) -> Iterator[str]:
    return (found[0] for found in _TOKEN.finditer(written))

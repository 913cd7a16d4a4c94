"""Declared patterns: which records become which metrics and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airis_mon.sidecar.logs.expressions import LONGEST_SEARCHED, Expression
from airis_mon.sidecar.logs.record import LogRecord


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
    regex: Mapping[str, Expression] = field(default_factory=dict)
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
        for name, wanted_in in self.regex.items():
            found = wanted_in.search(text(record.field(name))[:LONGEST_SEARCHED])
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

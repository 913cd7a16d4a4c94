"""Objectives that count by expressions of their own, as counters of which versions can be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airis_mon.analyzer.versions import Counter, Measure, margin
from airis_mon.rules.expressions import ExpressionError, Term, terms
from airis_mon.spec import Events, Monitor


def expressed(monitor: Monitor) -> Mapping[str, Measure]:
    """Return what the objectives on `events` count, by their names, of a document that was loaded.

    What is no sum of rates is left out: whoever derives rules from it says so, with its place.
    """
    found = {}
    for objective in monitor.objectives:
        if not isinstance(kind := objective.indicator, Events):
            continue
        part = kind.bad if kind.bad is not None else kind.good
        try:
            operations, counters = _counters(terms(kind.total)), _counters(terms(part or ""))
        except ExpressionError:
            continue
        found[objective.name] = Measure(
            name=objective.name,
            about="bad events" if kind.bad is not None else "events that are not good",
            unit="ratio",
            less_is_better=True,
            margin=margin(objective),
            operations=operations,
            part="failing" if kind.bad is not None else "good",
            counters=counters,
        )
    return found


def _counters(found: Sequence[Term]) -> tuple[Counter, ...]:
    return tuple(
        Counter(term.metric, tuple((one.label, one.promql()) for one in term.matchers), term.sign)
        for term in found
    )

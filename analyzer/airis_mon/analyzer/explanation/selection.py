"""`monitor/signal{label="value"}`: which of the watched series is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.query import Labels
from airis_mon.spec import did_you_mean

_EXAMPLE = 'write monitor/signal, or monitor/signal{label="value"}'
_HEAD = re.compile(r"([^/{}\s]+)/([^/{}\s]+)")
_PAIR = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\\n]|\\.)*)"\s*')
_ESCAPES = {"\\": "\\", '"': '"', "n": "\n"}
_LONGEST = 4096
_CANDIDATES = 20
"""Series that an error lists at most."""


class SelectionError(ValueError):
    """No series, or more than one, and what to write instead."""


@dataclass(frozen=True)
class Selection:
    """One series, as far as a person described it."""

    monitor: str
    signal: str
    labels: Labels = ()
    """What its labels have to be; others are not looked at."""

    def __str__(self) -> str:
        """Return it as it is written."""
        return shown(self.monitor, self.signal, self.labels)


def parse(text: str) -> Selection:
    """Return what a text selects; SelectionError where it selects nothing."""
    if len(text) > _LONGEST:
        raise SelectionError(f"{len(text)} characters are no series; {_EXAMPLE}")
    head = _HEAD.match(text)
    if head is None:
        raise SelectionError(f"`{text}` is no series; {_EXAMPLE}")
    rest = text[head.end() :].strip()
    labels: dict[str, str] = {}
    if rest:
        if not (rest.startswith("{") and rest.endswith("}")):
            raise SelectionError(f"`{rest}` after {head[0]}: labels stand in braces; {_EXAMPLE}")
        labels = _labels(rest[1:-1])
    return Selection(head[1], head[2], tuple(sorted(labels.items())))


def _labels(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    place = 0
    while text[place:].strip():
        pair = _PAIR.match(text, place)
        if pair is None:
            raise SelectionError(f'`{text[place:].strip()}` is no label="value"; {_EXAMPLE}')
        if pair[1] in found:
            raise SelectionError(f"the label `{pair[1]}` is there twice")
        found[pair[1]] = _unescaped(pair[2])
        place = pair.end()
        if place < len(text):
            if text[place] != ",":
                raise SelectionError(f"`{text[place:].strip()}`: labels are separated by commas; {_EXAMPLE}")
            place += 1
    return found


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPES:
            raise SelectionError(f"`{match[0]}` is no escape in a label's value; write \\\\, \\\" or \\n")
        return _ESCAPES[match[1]]

    return re.sub(r"\\(.)", one, text)


def shown(monitor: str, signal: str, labels: Labels = ()) -> str:
    """Return a series as it is written on the command line."""
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels if name != "__name__")
    return f"{monitor}/{signal}" + (f"{{{pairs}}}" if pairs else "")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def queries(selection: Selection, known: Sequence[Query]) -> tuple[Query, ...]:
    """Return the queries that could hold the series, at least one; SelectionError where there is none."""
    of_monitor = [query for query in known if query.monitor == selection.monitor]
    if not of_monitor:
        monitors = sorted({query.monitor for query in known})
        raise SelectionError(_unknown("monitor", selection.monitor, monitors))
    found = [query for query in of_monitor if query.signal == selection.signal]
    if not found:
        signals = sorted({query.signal for query in of_monitor})
        raise SelectionError(_unknown(f"signal of {selection.monitor}", selection.signal, signals))
    scored = [query for query in found if query.score]
    if not scored:
        raise SelectionError(
            f"{selection.monitor}/{selection.signal} is forecast and not scored: there is no anomaly of it"
        )
    return tuple(scored)


def _unknown(what: str, name: str, known: Sequence[str]) -> str:
    return f"no {what} is called `{name}`; {did_you_mean(name, known)}"


def fits(selection: Selection, query: Query, labels: Labels) -> bool:
    """Return whether a series is among those that are described."""
    named = (query.monitor, query.signal) == (selection.monitor, selection.signal)
    return named and set(selection.labels) <= set(labels)


def chosen(selection: Selection, candidates: Iterable[tuple[Query, Labels]]) -> tuple[Query, Labels]:
    """Return the one candidate that is meant; SelectionError with those there are where it is not one."""
    every = list(candidates)
    wanted = set(selection.labels)
    found = [one for one in every if wanted <= set(one[1])]
    # `by` nothing is the whole model: its series has no labels, and is meant where none are given.
    exact = [one for one in found if {pair for pair in one[1] if pair[0] != "__name__"} == wanted]
    if len(exact) == 1:
        found = exact
    if len(found) == 1:
        return found[0]
    names = [shown(query.monitor, query.signal, labels) for query, labels in (found or every)]
    listed = "\n  ".join(sorted(names)[:_CANDIDATES])
    more = f"\n  and {len(names) - _CANDIDATES} more" if len(names) > _CANDIDATES else ""
    if not every:
        raise SelectionError(f"{selection} has no value in that time: is the selector right, is it scraped?")
    if not found:
        raise SelectionError(f"no series is {selection}; there are\n  {listed}{more}")
    raise SelectionError(f"{len(found)} series are {selection}; write one of\n  {listed}{more}")

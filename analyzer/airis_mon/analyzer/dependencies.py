"""Which query reads what another one writes, and the order that follows: who is read comes first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from airis_mon.analyzer import series

if TYPE_CHECKING:
    from airis_mon.analyzer.config import Query  # which refuses what has no order, and so imports this

_NAME = "__name__"
_TOKENS = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    |(?P<number>[0-9.][0-9a-zA-Z_.]*)
    |(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<sign>=~|!~|!=|[^\s])""",
    re.VERBOSE | re.DOTALL,
)
_LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
"""Words before a list of labels in brackets."""
_WORDS = _LISTS | {"and", "or", "unless", "atan2", "bool", "offset", "inf", "nan"}
_Token = tuple[str, str]
_REMEMBERED = 20_000
"""Expressions; a configuration has at most half as many."""


class CycleError(ValueError):
    """Queries that wait for each other, and so for ever."""

    def __init__(self, queries: Sequence[Query]) -> None:
        """Tell of queries of which each reads what the next one writes, the last one the first."""
        names = [query.title for query in queries]
        around = " reads what ".join([*names, names[0]]) + " writes"
        super().__init__(f"no order is possible: {around}" if len(names) > 1 else f"{around} itself")
        self.queries = tuple(queries)


@dataclass(frozen=True)
class Matcher:
    """One condition on a label, as PromQL has them."""

    label: str
    operator: str
    value: str

    def takes(self, value: str) -> bool:
        """Tell whether a label of that value fulfils it."""
        if self.operator in ("=", "!="):
            return (value == self.value) == (self.operator == "=")
        try:
            return bool(re.fullmatch(self.value, value)) == (self.operator == "=~")
        except re.error:  # RE2 knows a little that this does not: rather one dependency too many
            return True


def levels(queries: Sequence[Query]) -> tuple[tuple[Query, ...], ...]:
    """Return the queries in levels: what one reads was written by those of earlier levels; CycleError.

    Those with candidates take a processor for seconds: they wait until all others are done that can be.
    """
    needs = _needs(queries)
    found: list[tuple[Query, ...]] = []
    done: set[Query] = set()
    while len(done) < len(needs):
        ready = tuple(query for query in queries if query not in done and needs[query] <= done)
        if not ready:
            raise CycleError(_around({query: needs[query] - done for query in queries if query not in done}))
        level = tuple(query for query in ready if not query.candidates) or ready
        found.append(level)
        done.update(level)
    return tuple(found)


def components(queries: Sequence[Query]) -> tuple[tuple[Query, ...], ...]:
    """Return the queries in groups, each in their order: none reads what one of another group writes."""
    near: dict[Query, set[Query]] = {query: set() for query in queries}
    for query, needed in _needs(queries).items():
        for other in needed:
            near[query].add(other)
            near[other].add(query)
    group: dict[Query, Query] = {}
    for first in queries:
        waiting = [first]
        while waiting:
            query = waiting.pop()
            if query not in group:
                group[query] = first
                waiting += near[query]
    found: dict[Query, list[Query]] = {}
    for query in queries:
        found.setdefault(group[query], []).append(query)
    return tuple(map(tuple, found.values()))


def _needs(queries: Sequence[Query]) -> dict[Query, set[Query]]:
    monitors: dict[str, list[Query]] = {}
    for query in queries:
        monitors.setdefault(query.monitor, []).append(query)

    def possible(selector: Sequence[Matcher]) -> Sequence[Query]:
        named = (m.value for m in selector if m.label == series.MONITOR and m.operator == "=")
        monitor = next(named, None)
        return queries if monitor is None else monitors.get(monitor, ())

    return {
        query: {other for chosen in _read(query.expr) for other in possible(chosen) if _writes(other, chosen)}
        for query in queries
    }


@lru_cache(_REMEMBERED)
def _read(expr: str) -> tuple[tuple[Matcher, ...], ...]:
    """Return the selectors that may read what an analyzer writes; asked for in each cycle."""
    return tuple(chosen for chosen in selected(expr) if _ours(chosen))


def _around(needs: dict[Query, set[Query]]) -> list[Query]:
    path = [next(iter(needs))]
    while True:
        following = next(query for query in needs if query in needs[path[-1]])
        if following in path:
            return path[path.index(following) :]
        path.append(following)


def _ours(selector: Sequence[Matcher]) -> bool:
    return any(all(m.takes(name) for m in selector if m.label == _NAME) for name in series.RESULTS)


def _writes(query: Query, selector: Sequence[Matcher]) -> bool:
    labels = {series.MONITOR: query.monitor, series.MODEL: query.model, series.FOR: query.signal}
    scores = (series.SCORE, series.PEER_SCORE, series.SHAPE_SCORE)
    names = [name for name in series.RESULTS if query.score or name not in scores]
    return all(m.takes(labels[m.label]) for m in selector if m.label in labels) and any(
        all(m.takes(name) for m in selector if m.label == _NAME) for name in names
    )


def selected(expr: str) -> Iterator[tuple[Matcher, ...]]:
    """Yield the selectors of an expression; of what is no expression, whatever looks like one."""
    tokens = [
        (str(found.lastgroup), found[0]) for found in _TOKENS.finditer(expr) if found.lastgroup != "comment"
    ]
    place = 0
    while place < len(tokens):
        kind, text = tokens[place]
        after = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        place += 1
        if kind == "word" and text.lower() in _LISTS and after == "(":
            place = _closed(tokens, place, ")")
        elif kind == "word" and (text.lower() in _WORDS or after == "("):
            continue
        elif kind == "word" or text == "{":
            end = _closed(tokens, place, "}") if "{" in (text, after) else place
            named = (Matcher(_NAME, "=", text),) if kind == "word" else ()
            yield (*named, *_matchers(tokens[place:end]))
            place = end


def _closed(tokens: Sequence[_Token], place: int, bracket: str) -> int:
    while place < len(tokens) and tokens[place][1] != bracket:
        place += 1
    return place + 1


def _matchers(tokens: Sequence[_Token]) -> Iterator[Matcher]:
    for place, (kind, text) in enumerate(tokens):
        if kind != "text":
            continue
        before = [token[1] for token in tokens[max(0, place - 2) : place]]
        if before[-1:] and before[-1] in ("=", "!=", "=~", "!~"):
            yield Matcher(before[0].strip("\"'`"), before[-1], _plain(text))
        elif tokens[place + 1 : place + 2] in ([], [("sign", "}")], [("sign", ",")]):
            yield Matcher(_NAME, "=", _plain(text))  # the name in quotes, as Prometheus 3 knows it


def _plain(text: str) -> str:
    return text[1:-1] if text[0] == "`" else re.sub(r"\\(.)", r"\1", text[1:-1])

"""Kinds of operations behind counters that a document names: which series each of them moves.

The expressions say what is counted, not what exists. Series are made up from their selectors, and each is
held against all selectors: one that `total` alone counts is a good operation, one that both count a failed
one. Where an operation moves several series (a histogram's count and its bucket), they are found in pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from airis_mon.rules.expressions import LE, ExpressionError, Matcher, Term
from airis_mon.rules.indicators import Counted
from airis_mon.rules.proofs import specimens

MOST_GOOD, MOST_FAILING = 3, 40
"""Kinds that are used; every alternative of a selector is among the failing ones."""
_OTHER = "other"


@dataclass(frozen=True)
class Example:
    """A series that a selector could find."""

    metric: str
    labels: tuple[tuple[str, str], ...]
    """Sorted; an empty value is a label that is not there."""


Kind = tuple[Example, ...]
"""Series that one operation moves by one."""


@dataclass(frozen=True)
class Kinds:
    """What one operation can be."""

    good: tuple[Kind, ...]
    failing: tuple[Kind, ...]
    strangers: tuple[Example, ...]
    """Series that nothing counts, each one label away from one that is counted."""


def kinds(counted: Counted) -> Kinds:
    """Return the kinds of operations; ExpressionError where there are none, or not for every term."""
    terms = [*counted.total, *counted.part]
    pools = _pools(terms)
    weights = {one: _weight(counted, one) for one in examples(counted)}
    good, failing = _found(weights, bad=0), _found(weights, bad=1)
    for what, found, told in (
        ("good", good, "the total counts once, and the failures do not count"),
        ("failed", failing, "both the total and the failures count once"),
    ):
        if not found:
            raise ExpressionError(
                f"no {what} operation can be found: one that {told}",
                "write `total` as the sum of all operations, and `bad` or `good` as a part of it",
            )
    chosen = _covering(good, MOST_GOOD, terms), _covering(failing, MOST_FAILING, terms)
    moved = [one for kind in (*chosen[0], *chosen[1]) for one in kind]
    for term in terms:
        if not any(_counts(term, one) for one in moved):
            raise ExpressionError(
                f"no operation can be found that {term.selector} counts once",
                "count every operation once; leave out what is counted elsewhere",
            )
    strangers = dict.fromkeys(
        one for term in terms for one in _strange(term, pools[term.metric]) if not _known(terms, one)
    )
    return Kinds(*chosen, tuple(strangers))


def examples(counted: Counted) -> tuple[Example, ...]:
    """Return series for each term, and others that differ from them in one label; some are not counted."""
    terms = [*counted.total, *counted.part]
    pools = _pools(terms)
    return tuple(dict.fromkeys(one for term in terms for one in _examples(term, pools[term.metric])))


def exceeding(counted: Counted, times: float) -> dict[Example, float]:
    """Return series by which the part grows beyond so many times all operations, and how much."""
    found = {one: part - times * total for one, total, part in _parts(counted)}
    return {one: excess for one, excess in found.items() if excess > 0}


def undercutting(counted: Counted, times: float) -> dict[Example, float]:
    """Return series by which the part, and so many times all operations, fall below nothing, and how far."""
    found = {one: -part - times * total for one, total, part in _parts(counted)}
    return {one: lack for one, lack in found.items() if lack > 0}


def _parts(counted: Counted) -> Iterator[tuple[Example, int, int]]:
    """Yield each series with how often operations, and those of the part, are counted where it rises by 1."""
    for one in examples(counted):
        total, failed = _weight(counted, one)
        yield one, total, total - failed if counted.part_is_good else failed


def _pools(terms: Iterable[Term]) -> dict[str, dict[str, tuple[str, ...]]]:
    return {term.metric: _pool(terms, term.metric) for term in terms}


def _pool(terms: Iterable[Term], metric: str) -> dict[str, tuple[str, ...]]:
    """Return values worth trying for each label that any selector of a metric compares."""
    found: dict[str, dict[str, None]] = {}
    for matcher in (one for term in terms if term.metric == metric for one in term.matchers):
        found.setdefault(matcher.label, {}).update(dict.fromkeys(_values(matcher)))
    return {
        label: tuple(dict.fromkeys([*values, *(() if label == LE else (_OTHER, ""))]))
        for label, values in found.items()
    }


def _values(matcher: Matcher) -> tuple[str, ...]:
    if "~" not in matcher.operator:
        return (matcher.value,)
    try:
        return specimens.matching(matcher.value)
    except ValueError as error:
        raise ExpressionError(
            f"the expression of {matcher.promql()[:100]} {error}",
            f'write plain alternatives, such as {matcher.label}{matcher.operator}"5..|429"',
        ) from None


def _examples(term: Term, pool: dict[str, tuple[str, ...]]) -> Iterator[Example]:
    """Yield a series that a term counts, then others that differ from it in one label."""
    base = {}
    for label in dict.fromkeys(matcher.label for matcher in term.matchers):
        comparing = [matcher for matcher in term.matchers if matcher.label == label]
        fitting = [value for value in pool[label] if all(matcher.holds(value) for matcher in comparing)]
        if not fitting:
            raise ExpressionError(
                f"no value of `{label}` can be found that {term.selector} selects",
                "leave out a comparison, or write plain alternatives",
            )
        base[label] = fitting[0]
    yield _example(term.metric, base)
    for label, values in pool.items():
        for value in values:
            yield _example(term.metric, {**base, label: value})


def _example(metric: str, labels: dict[str, str]) -> Example:
    return Example(metric, tuple(sorted((label, value) for label, value in labels.items() if value)))


def _counts(term: Term, one: Example) -> bool:
    return term.counts(one.metric, dict(one.labels))


def _known(terms: Iterable[Term], one: Example) -> bool:
    return any(_counts(term, one) for term in terms)


def _weight(counted: Counted, one: Example) -> tuple[int, int]:
    """Return how often operations and failures are counted where a series rises by one."""
    total = sum(term.sign for term in counted.total if _counts(term, one))
    part = sum(term.sign for term in counted.part if _counts(term, one))
    return total, total - part if counted.part_is_good else part


def _found(weights: dict[Example, tuple[int, int]], bad: int) -> tuple[Kind, ...]:
    """Return kinds that count as one operation and as `bad` failures."""
    alone: list[Kind] = [(one,) for one, weight in weights.items() if weight == (1, bad)]
    # What an operation moves beside: a counter of failures, or the bucket that takes a failure away.
    beside = [one for one, weight in weights.items() if weight == (0, 1 if bad else -1)]
    first = next((one for one, weight in weights.items() if weight == (1, 1 - bad)), None)
    pairs: list[Kind] = [(first, one) for one in beside] if first is not None else []
    return (*pairs, *alone)


def _covering(found: tuple[Kind, ...], most: int, terms: Iterable[Term]) -> tuple[Kind, ...]:
    """Return at most so many kinds, one for each term first."""
    first = []
    for term in terms:
        kind = next((kind for kind in found if any(_counts(term, one) for one in kind)), None)
        if kind is not None:
            first.append(kind)
    return tuple(dict.fromkeys([*first, *found]))[:most]


def _strange(term: Term, pool: dict[str, tuple[str, ...]]) -> Iterator[Example]:
    base = dict(next(_examples(term, pool)).labels)
    for matcher in term.matchers:
        values = (
            *pool[matcher.label],
            *(("+Inf",) if matcher.label == LE else (f"{matcher.value}-{_OTHER}",)),
        )
        for value in values:
            if not matcher.holds(value):
                yield _example(term.metric, {**base, matcher.label: value})
                break

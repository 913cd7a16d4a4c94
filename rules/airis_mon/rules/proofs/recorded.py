"""What is recorded for an expectation, as a proof gives it and as it checks it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.expectation import Expectation
from airis_mon.rules.literals import number
from airis_mon.rules.proofs import strangers
from airis_mon.rules.proofs.case import Input, SampleCheck
from airis_mon.rules.proofs.past import Past
from airis_mon.rules.proofs.standing import GROUP

HIGHEST = 20.0
"""What signals in proofs stay below; ratios are that share of 1."""


def labels(about: Expectation, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the labels of something that is recorded for a signal."""
    return {**dict.fromkeys(about.by, GROUP), **about.labels, **(more or {})}


def given(
    about: Expectation, name: str, past: Past, more: Mapping[str, str] | None = None
) -> Iterator[Input]:
    """Yield a recorded series, and those of others that must not count."""
    own = labels(about, more)
    yield Input(name + matchers(dict(sorted(own.items()))), past.text())
    for other in strangers.neighbours(own, (series.MONITOR, series.FOR)):
        yield strangers.steady(name, other, 3.0, len(past.values))


def others(about: Expectation, names: Iterable[tuple[str, Mapping[str, str]]], steps: int) -> Iterator[Input]:
    """Yield series of others under names that are recorded here as well, and must not count."""
    for name, more in names:
        compared = (series.MONITOR, series.FOR, *(key for key in more if key == analyzer.HORIZON))
        for other in strangers.neighbours(labels(about, more), compared):
            yield strangers.steady(name, other, 3.0, steps)


def holds(
    about: Expectation, name: str, at: float, value: float | None, more: Mapping[str, str] | None = None
) -> SampleCheck:
    """Return the check that what is recorded is this value, or is not there."""
    own = labels(about, more)
    chosen = name + matchers(dict(sorted(own.items())))
    if value is None:
        return SampleCheck(at, chosen)
    expression = f"abs({chosen} - {number(value)}) < bool {number(1e-6 * max(abs(value), 1e-3))}"
    return SampleCheck(at, expression, ((own, 1.0),))


def scale(about: Expectation) -> float:
    """Return what values are multiplied by to be such a signal's."""
    return 1 / HIGHEST if about.ratio else 1.0

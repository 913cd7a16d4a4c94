"""Proof of recorded quantiles of the past: as much of it as was asked for, once half of it is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.literals import number
from airis_mon.rules.proofs import strangers
from airis_mon.rules.proofs.case import Case, Input, SampleCheck, close
from airis_mon.rules.proofs.standing import GROUP
from airis_mon.rules.signals import signal
from airis_mon.rules.thresholds import History

HIGHEST = 1000.0
"""Last and highest value of a past that rises steadily from zero."""
BEFORE = 1e6
"""Value before the past that counts."""
WITHIN = 0.1
"""One value more or fewer beyond the quantile: Prometheus 3 does not count the left end of a range."""


def step(history: History) -> float:
    """Return the seconds between two evaluations: all of the past."""
    return history.bound.over


def cases(history: History) -> Iterator[Case]:
    """Yield the tests of one quantile."""
    count = round(history.bound.over / history.bound.step)
    slope = number(HIGHEST / (count - 1))
    rising = f"{number(BEFORE)}+0x{count} 0+{slope}x{count - 1}"
    yield _case(history, "a past that rises", rising, HIGHEST * history.bound.quantile)
    for share, value in ((0.95, None), (1.05, 1.0)):
        few = int(history.fewest * share)
        # They come first in the past, and end long before the evaluation: no shorter range holds them all.
        # Before it there are others, which do not count.
        before = f"_x{count}" if value else f"1+0x{count - 1}"
        yield _case(history, f"{few} values", f"{before} _x4 1+0x{few - 1} stale", value)
    yield _case(history, "nothing but zeros", f"0+0x{2 * count}", None)
    yield _case(history, "no data", "", None)


def _case(history: History, what: str, values: str, expected: float | None) -> Case:
    found, bound = signal(history.monitor, history.threshold), history.bound
    apart = dict.fromkeys(history.threshold.by, GROUP)
    labels, recorded = {**apart, **found.labels}, {**apart, **history.labels}
    at = 2 * bound.over
    # Of everybody: nothing is recorded of the others.
    if expected is None:
        check = SampleCheck(at, series.PAST)
    else:
        check = SampleCheck(at, close(series.PAST, expected, WITHIN), ((recorded, 1.0),))
    inputs = [_input(found.name, labels, values)] if values else []
    compared = {series.DIMENSIONS: "", **labels}
    loud = f"{number(BEFORE)}+0x{round(at / bound.step)}"
    others = strangers.neighbours(compared, (series.MONITOR, series.FOR, series.DIMENSIONS))
    inputs += [_input(found.name, other, loud) for other in others]
    title = f"past of {found.of} for {history.labels[series.BOUND]}: {what}"
    return Case(title, bound.step, tuple(inputs), samples=[check])


def _input(name: str, labels: Mapping[str, str], values: str) -> Input:
    return Input(name + matchers(dict(sorted(labels.items()))), values)

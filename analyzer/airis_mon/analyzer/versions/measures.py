"""What two versions are compared by: the objectives of a monitor, and means of its signals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal

from airis_mon.analyzer.versions.margins import Margin
from airis_mon.analyzer.versions.sides import Side
from airis_mon.exporters import contracts
from airis_mon.exporters.contracts import Contract, le_matcher, matchers
from airis_mon.spec import Errors, Latency, Monitor, Objective, Quality, format_duration

MEAN = "_mean"
"""End of a signal that is a mean of a distribution."""
RELATIVE_MARGIN = 0.05
"""Share of the baseline's mean that a candidate may be worse by, where nobody says: that is hardly felt."""

_NOTHING: Mapping[str, Measure] = MappingProxyType({})
Part = Literal["failing", "good", "sum", "above"]


@dataclass(frozen=True)
class Counter:
    """Series that are added up."""

    metric: str
    matchers: tuple[tuple[str, str], ...]
    """Labels that are looked at, each with its matcher in PromQL."""
    sign: int = 1
    """-1 where it is taken away."""

    def chosen(self, side: Side, others: Collection[str] = ()) -> str:
        """Return the selector of one side in PromQL; `others` are labels that a side names in its place."""
        kept = [text for label, text in self.matchers if label not in others and label not in side.labels]
        texts = ",".join(filter(None, [*kept, side.text]))
        return f"{self.metric}{{{texts}}}" if texts else self.metric


@dataclass(frozen=True)
class Measure:
    """One number that each side has, made of counters."""

    name: str
    """Name of the objective, or the signal."""
    about: str
    """What the number is, in words."""
    unit: str
    """`ratio` for shares, else the base unit of the signal."""
    less_is_better: bool
    margin: Margin
    """By how much the candidate may be worse."""
    operations: tuple[Counter, ...]
    """What counts operations."""
    part: Part
    """What is added up over operations: those that failed, those that did not, a sum of values, or those
    above a threshold of a native histogram."""
    counters: tuple[Counter, ...]
    """What counts that part."""
    telling: tuple[str, ...] | None = None
    """Labels that tell the part from the rest; None where that is not known, and only a series' target is."""
    native: bool = False
    """Whether the counters are native histograms."""
    scale: float = 1.0
    """Factor from the server's unit of a sum to the base unit."""
    threshold: float = 0.0
    """In the server's unit, of a native histogram."""

    @property
    def shares(self) -> bool:
        """Whether the number is a share of operations."""
        return self.part != "sum"


class UncomparableError(Exception):
    """A metric that two versions cannot be compared by."""


def measures(
    monitor: Monitor, wanted: Sequence[str] = (), own: Mapping[str, Measure] = _NOTHING
) -> tuple[Measure, ...]:
    """Return what versions of a monitor's model are compared by.

    Those are its objectives that count operations, or those objectives and means that are wanted by name.
    `own` are those that objectives count by expressions of their own, by the name of the objective.
    UncomparableError, in words, where there is none of that name, or none at all.
    """
    contract = contracts.contract_of(monitor.source)
    known = {**_objectives(monitor, contract), **own}
    known = {one.name: known[one.name] for one in monitor.objectives if one.name in known}
    means = {
        f"{name}{MEAN}": _mean(name, monitor, contract)
        for name, one in contract.distributions.items()
        if one.metric not in contract.native
    }
    if not wanted:
        if not known:
            raise UncomparableError(
                f"{monitor.name} has no objective that counts operations; "
                + (f"choose among {', '.join(means)}" if means else "write one of errors, latency or events")
            )
        return tuple(known.values())
    chosen = []
    for name in dict.fromkeys(wanted):
        measure = known.get(name) or means.get(name)
        if measure is None:
            why = (
                f"{name} counts no operations that versions can be compared by"
                if any(one.name == name for one in monitor.objectives)
                else f"there is no metric `{name}`"
            )
            of = name.rpartition("_p")[0]
            if of in contract.distributions:
                such = f"{{name: slow, target: 95%, latency: {{of: {of}, below: 1s}}}}"
                why = f"{name} is a quantile, compared as the share beyond a bound: write an objective {such}"
            raise UncomparableError(f"{why}; choose among {', '.join((*known, *means))}")
        chosen.append(measure)
    return tuple(chosen)


def _objectives(monitor: Monitor, contract: Contract) -> Mapping[str, Measure]:
    return {
        one.name: found
        for one in monitor.objectives
        if (found := _objective(one, monitor, contract)) is not None
    }


def margin(objective: Objective) -> Margin:
    """Return the margin of an objective where nobody says: as much again as it allows to fail at all.

    Its budget then burns at most once faster than it does.
    """
    return Margin(float(f"{1 - objective.target:.12g}"))


def _objective(objective: Objective, monitor: Monitor, contract: Contract) -> Measure | None:
    kind = objective.indicator
    share = partial(
        Measure,
        name=objective.name,
        unit="ratio",
        less_is_better=True,
        margin=margin(objective),
    )
    if isinstance(kind, Errors | Quality):
        counts = contract.requests if isinstance(kind, Errors) else contract.labelled
        if counts is None:
            return None
        failing = tuple((label, text) for label, text in zip(counts.telling, [counts.errors], strict=False))
        return share(
            about="failed operations" if isinstance(kind, Errors) else "wrong predictions, where it is known",
            operations=(_counter(counts.total, monitor),),
            part="failing",
            counters=(_counter(counts.total, monitor, *failing),),
            telling=counts.telling,
            native=counts.total in contract.native,
        )
    if isinstance(kind, Latency):
        distribution = contract.distributions[kind.of]
        boundary = float(f"{kind.below / distribution.scale:.12g}")
        metric, about = distribution.metric, f"{kind.of} of {format_duration(kind.below)} or more"
        if kind.native or metric in contract.native:
            counters = (_counter(metric, monitor),)
            return share(
                about=about,
                operations=counters,
                part="above",
                counters=counters,
                native=True,
                threshold=boundary,
            )
        return share(
            about=about,
            operations=(_counter(f"{metric}_count", monitor),),
            part="good",
            counters=(_counter(f"{metric}_bucket", monitor, ("le", le_matcher(boundary))),),
            telling=("le",),
        )
    return None


def _mean(name: str, monitor: Monitor, contract: Contract) -> Measure:
    distribution = contract.distributions[name]
    return Measure(
        name=f"{name}{MEAN}",
        about=f"mean of {name}",
        unit=distribution.unit,
        # Durations and tokens cost; a ratio is a confidence or a score.
        less_is_better=distribution.unit != "ratio",
        margin=Margin(RELATIVE_MARGIN, relative=True),
        operations=(_counter(f"{distribution.metric}_count", monitor),),
        part="sum",
        counters=(_counter(f"{distribution.metric}_sum", monitor),),
        telling=(),
        scale=distribution.scale,
    )


def _counter(metric: str, monitor: Monitor, *more: tuple[str, str]) -> Counter:
    """Return a counter of the monitor's source."""
    chosen = [(label, matchers({label: value})[1:-1]) for label, value in monitor.source.selector.items()]
    return Counter(metric, (*chosen, *more))

"""What two versions are compared by: the objectives of a monitor, and means of its signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from airis_mon.analyzer.comparison.verdict import Margin
from airis_mon.exporters import contracts
from airis_mon.exporters.contracts import Contract, le_matcher
from airis_mon.spec import Errors, Latency, Monitor, Objective, Quality, format_duration

MEAN = "_mean"
"""End of a signal that is a mean of a distribution."""
RELATIVE_MARGIN = 0.05
"""Share of the baseline's mean that a candidate may be worse by, where nobody says: that is hardly felt."""

Part = Literal["failing", "good", "sum", "native"]


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
    operations: str
    """Counter of operations."""
    part: Part
    """What is added up over operations: those that failed, those that did not, a sum of values, or those
    above a threshold of a native histogram."""
    counter: str
    """Counter of that part."""
    matcher: str = ""
    """Matcher in PromQL that keeps the part among the series of its counter."""
    telling: tuple[str, ...] = ()
    """Labels that tell the part from the rest."""
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


def measures(monitor: Monitor, wanted: Sequence[str] = ()) -> tuple[Measure, ...]:
    """Return what versions of a monitor's model are compared by.

    Those are its objectives that count operations of the contract, or those objectives and means that are
    wanted by name. UncomparableError, in words, where there is none of that name, or none at all.
    """
    contract = contracts.contract_of(monitor.source)
    objectives = {one.name: one for one in monitor.objectives}
    known = {
        name: found for name, one in objectives.items() if (found := _objective(one, contract)) is not None
    }
    means = {
        f"{name}{MEAN}": _mean(name, contract)
        for name, one in contract.distributions.items()
        if one.metric not in contract.native
    }
    if not wanted:
        if not known:
            raise UncomparableError(
                f"{monitor.name} has no objective that its contract {contract.name} counts operations for; "
                + (f"choose among {', '.join(means)}" if means else "write one of errors, latency or quality")
            )
        return tuple(known.values())
    chosen = []
    for name in dict.fromkeys(wanted):
        measure = known.get(name) or means.get(name)
        if measure is None:
            why = (
                f"{name} counts by expressions of its own, in which sides cannot be told apart"
                if name in objectives
                else f"there is no metric `{name}`"
            )
            raise UncomparableError(f"{why}; choose among {', '.join((*known, *means))}")
        chosen.append(measure)
    return tuple(chosen)


def uncompared(monitor: Monitor) -> tuple[str, ...]:
    """Return the objectives that are left out, since sides cannot be told apart in what they count by."""
    contract = contracts.contract_of(monitor.source)
    return tuple(one.name for one in monitor.objectives if _objective(one, contract) is None)


def _objective(objective: Objective, contract: Contract) -> Measure | None:
    kind = objective.indicator
    # As much again as the objective allows at all: the budget burns at most once faster than it does.
    margin = Margin(float(f"{1 - objective.target:.12g}"))
    if isinstance(kind, Errors | Quality):
        counted = contract.requests if isinstance(kind, Errors) else contract.labelled
        if counted is None:
            return None
        about = (
            "failed operations" if isinstance(kind, Errors) else "wrong predictions, of those that are known"
        )
        found = _share(objective.name, about, margin, counted.total, counted.total)
        if counted.total in contract.native:  # its count says nothing of births, and needs a function
            return None
        return replace(found, matcher=counted.errors, telling=counted.telling)
    if isinstance(kind, Latency):
        distribution = contract.distributions[kind.of]
        boundary = float(f"{kind.below / distribution.scale:.12g}")
        metric = distribution.metric
        about = f"{kind.of} of {format_duration(kind.below)} or more"
        if kind.native or metric in contract.native:
            found = _share(objective.name, about, margin, metric, metric)
            return replace(found, part="native", threshold=boundary)
        found = _share(objective.name, about, margin, f"{metric}_count", f"{metric}_bucket")
        return replace(found, part="good", matcher=le_matcher(boundary), telling=("le",))
    return None


def _share(name: str, about: str, margin: Margin, operations: str, counter: str) -> Measure:
    return Measure(
        name=name,
        about=about,
        unit="ratio",
        less_is_better=True,
        margin=margin,
        operations=operations,
        part="failing",
        counter=counter,
    )


def _mean(name: str, contract: Contract) -> Measure:
    distribution = contract.distributions[name]
    return Measure(
        name=f"{name}{MEAN}",
        about=f"mean of {name}",
        unit=distribution.unit,
        # Durations and tokens cost; a ratio is a confidence or a score.
        less_is_better=distribution.unit != "ratio",
        margin=Margin(RELATIVE_MARGIN, relative=True),
        operations=f"{distribution.metric}_count",
        part="sum",
        counter=f"{distribution.metric}_sum",
        scale=distribution.scale,
    )

"""Thresholds and capacities that no value of their signal is ever beyond, or every value is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from airis_mon.exporters.contracts import CONTRACTS
from airis_mon.rules.indicators import contract_of
from airis_mon.rules.literals import number
from airis_mon.rules.thresholds import kind
from airis_mon.spec import Level, Monitor, Past, Problem, Threshold, format_duration

FEWEST_BEYOND = 10
"""Values beyond a quantile from which on it is one."""

Telling = Callable[[str, str, str], Problem]
"""Makes a problem of a field, a message and a hint."""


def problems(monitor: Monitor) -> Iterator[Problem]:
    """Yield what is wrong with a monitor's thresholds, and with the capacities of its forecasts."""
    yield from _capacities(monitor)
    first: dict[tuple[str, str, str], int] = {}
    for place, threshold in enumerate(monitor.thresholds):
        path = f"spec.thresholds[{place}]"

        def told(field: str, message: str, hint: str, path: str = path) -> Problem:
            where = f"{path}.{field}"
            return Problem(message, where, monitor.origin.locate(where), hint)

        bound, sort = threshold.bound, kind(threshold)
        mark = (threshold.of, sort, threshold.severity)
        other = first.setdefault(mark, place)
        if other != place:
            yield told(
                "of",
                f"there are two {threshold.severity}s on {threshold.of} with a bound `{sort}`: "
                "nobody could tell their alerts apart",
                f"keep one of them, or give this one another severity; the first is thresholds[{other}]",
            )
        contract = CONTRACTS.get(monitor.source.contract)
        if contract is None or threshold.of not in contract.signals():
            continue
        if isinstance(bound, Level):
            yield from list(_reach(monitor, threshold, bound.value, told)) or _gapless(monitor, place, told)
        elif isinstance(bound, Past):
            yield from _past(bound, sort, told)


def _capacities(monitor: Monitor) -> Iterator[Problem]:
    """Yield the problem of a capacity that no value of its signal reaches, or that each one does."""
    contract = CONTRACTS.get(monitor.source.contract)
    for place, forecast in enumerate(monitor.forecasts):
        if contract is None or forecast.of not in contract.signals() or forecast.capacity is None:
            continue
        top, path = highest(monitor, forecast.of), f"spec.forecasts[{place}].capacity"
        if not 0 < forecast.capacity <= top:
            limits = "above 0" if math.isinf(top) else f"above 0 and at most {number(top)}"
            yield Problem(
                f"{forecast.of} cannot be used up at {number(forecast.capacity)} "
                f"({contract_of(monitor).unit(forecast.of)})",
                path,
                monitor.origin.locate(path),
                f"write a value {limits}",
            )


def _gapless(monitor: Monitor, place: int, told: Telling) -> Iterator[Problem]:
    """Yield the problem of a bound that leaves no quiet value between itself and one that came before."""
    this = monitor.thresholds[place]
    for before, other in enumerate(monitor.thresholds[:place]):
        if not (isinstance(this.bound, Level) and isinstance(other.bound, Level)) or this.side == other.side:
            continue
        if (this.of, this.window, this.by) != (other.of, other.window, other.by):
            continue
        levels = {one.side: one.bound.value for one in (this, other) if isinstance(one.bound, Level)}
        if levels["above"] <= levels["below"]:
            above, below = number(levels["above"]), number(levels["below"])
            yield told(
                this.side,
                f"{this.of} is always above {above} or below {below}: one of these two alerts would always "
                f"be due; the other is thresholds[{before}]",
                "quiet is what lies between: write a value for `above` that is higher than that for `below`",
            )


def highest(monitor: Monitor, signal: str) -> float:
    """Return the highest value that a signal can have.

    A quantile of a classic histogram is never above its last boundary: what lies beyond is counted there.
    """
    contract = contract_of(monitor)
    name, _, suffix = signal.rpartition("_")
    if name in contract.distributions and suffix != "mean" and not contract.native:
        return max(monitor.source.buckets.get(name, contract.distributions[name].buckets))
    return 1.0 if contract.unit(signal) == "ratio" else math.inf


def _reach(monitor: Monitor, threshold: Threshold, value: float, told: Telling) -> Iterator[Problem]:
    """Yield the problem of a value outside of what the signal can be; no signal is below zero."""
    side, top = threshold.side, highest(monitor, threshold.of)
    unit = contract_of(monitor).unit(threshold.of)
    shown = f"{side} {number(value)} ({unit})"
    limits = "0 or more" if math.isinf(top) else f"between 0 and {number(top)}"
    hint = f"{threshold.of} is {limits}; write a value inside of that"
    if (side == "above" and value >= top) or (side == "below" and value <= 0):
        yield told(side, f"{threshold.of} is never {shown}: this alert could not fire", hint)
    elif (side == "above" and value < 0) or (side == "below" and value > top):
        yield told(side, f"{threshold.of} is always {shown}: this alert would never end", hint)


def _past(bound: Past, sort: str, told: Telling) -> Iterator[Problem]:
    """Yield the problems of a multiple of a quantile."""
    if bound.times <= 0:
        yield told(
            f"{sort}.times",
            f"no signal is below zero, and {number(bound.times)} times its past is not above it",
            "write a multiple above 0, such as 1.5",
        )
    values = bound.over / bound.step
    beyond, least = min(bound.quantile, 1 - bound.quantile), FEWEST_BEYOND / values
    if values * beyond < FEWEST_BEYOND:
        yield told(
            f"{sort}.quantile",
            f"a past of {format_duration(bound.over)} has {values:.0f} values, of which fewer than "
            f"{FEWEST_BEYOND} lie beyond this quantile: one bad minute would move it",
            f"write a quantile from {_percent(least)} to {_percent(1 - least)}, or more past",
        )


def _percent(share: float) -> str:
    return f"{share * 100:.3g}%"

"""Thresholds that no value of their signal is ever beyond, or every value is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from airis_mon.exporters.contracts import CONTRACTS
from airis_mon.rules.indicators import contract_of
from airis_mon.rules.literals import number
from airis_mon.spec import Monitor, Problem, Threshold

Telling = Callable[[str, str, str], Problem]
"""Makes a problem of a field, a message and a hint."""


def problems(monitor: Monitor) -> Iterator[Problem]:
    """Yield what is wrong with a monitor's thresholds."""
    first: dict[tuple[str, str, str], int] = {}
    for place, threshold in enumerate(monitor.thresholds):
        path = f"spec.thresholds[{place}]"

        def told(field: str, message: str, hint: str, path: str = path) -> Problem:
            where = f"{path}.{field}"
            return Problem(message, where, monitor.origin.locate(where), hint)

        mark = (threshold.of, threshold.side, threshold.severity)
        other = first.setdefault(mark, place)
        if other != place:
            yield told(
                "of",
                f"there are two {threshold.severity}s on {threshold.of} being {threshold.side} a value: "
                "nobody could tell their alerts apart",
                f"keep one of them, or give this one another severity; the first is thresholds[{other}]",
            )
        contract = CONTRACTS.get(monitor.source.contract)
        if contract is not None and threshold.of in contract.signals():
            yield from _reach(monitor, threshold, told)


def highest(monitor: Monitor, signal: str) -> float:
    """Return the highest value that a signal can have.

    A quantile of a histogram is never above its last boundary: what lies beyond is counted there.
    """
    contract = contract_of(monitor)
    name, _, suffix = signal.rpartition("_")
    if name in contract.distributions and suffix != "mean":
        return max(monitor.source.buckets.get(name, contract.distributions[name].buckets))
    return 1.0 if contract.unit(signal) == "ratio" else math.inf


def _reach(monitor: Monitor, threshold: Threshold, told: Telling) -> Iterator[Problem]:
    """Yield the problem of a value outside of what the signal can be; no signal is below zero."""
    side, value, top = threshold.side, threshold.bound.value, highest(monitor, threshold.of)
    unit = contract_of(monitor).unit(threshold.of)
    shown = f"{side} {number(value)} ({unit})"
    limits = "0 or more" if math.isinf(top) else f"between 0 and {number(top)}"
    hint = f"{threshold.of} is {limits}; write a value inside of that"
    if (side == "above" and value >= top) or (side == "below" and value <= 0):
        yield told(side, f"{threshold.of} is never {shown}: this alert could not fire", hint)
    elif (side == "above" and value < 0) or (side == "below" and value > top):
        yield told(side, f"{threshold.of} is always {shown}: this alert would never end", hint)

"""Which signals of a monitor tell its load, and which how much of a replica is in use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from airis_mon.exporters.contracts import QUANTILES, Contract, contract_of, matchers
from airis_mon.spec import Latency, Monitor, format_duration, nearest

_LOADS = ("request_rate", "output_tokens_rate", "input_tokens_rate")
"""Signals that come from outside: what is running at a time follows from them and from how long it takes."""
_WORD = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
"""What may be a signal's name as well as PromQL."""


class SignalError(Exception):
    """A document, or an option, from which nothing can be asked; the text says what to write."""


@dataclass(frozen=True)
class Signal:
    """Something to ask for."""

    name: str
    """As people call it: a signal of the contract, or an expression."""
    expression: str
    """PromQL that gives one series."""
    unit: str = ""


@dataclass(frozen=True)
class Use:
    """How much of a replica is in use: 1 is all that it has, or all that an objective allows."""

    signal: Signal
    straight: bool
    """Whether it rises with the load as a line; a latency does not."""


@dataclass(frozen=True)
class Options:
    """What a person says in place of what follows from the document; empty: nothing."""

    load: str = ""
    utilisation: str = ""
    replicas: str = ""
    label: str = "instance"
    """Label that tells replicas apart."""
    window: float = 300.0
    """Seconds over which rates are taken."""


def mistyped(monitor: Monitor, expression: str) -> str:
    """Return what to say where nothing came for what is nearly a signal's name; else an empty text."""
    known = contract_of(monitor.source).signals()
    match = nearest(expression, known) if _WORD.fullmatch(expression) else None
    return "" if match is None else f"there is no signal `{expression}`; did you mean `{match}`?"


def loads(monitor: Monitor, options: Options) -> tuple[Signal, ...]:
    """Return the signals that may be the load, the likeliest first; SignalError where there is none."""
    contract = contract_of(monitor.source)
    known = {name: _signal(monitor, contract, name, options) for name in contract.signals()}
    if options.load:
        return (known.get(options.load) or Signal(options.load, options.load),)
    found = tuple(known[name] for name in _LOADS if name in known)
    if not found:
        raise SignalError(
            f"the contract `{contract.name}` has no signal of load; write PromQL for what comes in, such as "
            "--load 'sum(rate(requests_total[5m]))'"
        )
    return found


def use(monitor: Monitor, options: Options) -> Use:
    """Return the utilisation of a replica, on average; SignalError where nothing tells it."""
    contract = contract_of(monitor.source)
    if options.utilisation in contract.signals():
        return _gauge(monitor, contract, options.utilisation, options)
    if options.utilisation:
        return Use(Signal(options.utilisation, options.utilisation, "ratio"), straight=True)
    for name, gauge in contract.gauges.items():
        if gauge.unit == "ratio":
            return _gauge(monitor, contract, name, options)
    for objective in monitor.objectives:
        indicator = objective.indicator
        if isinstance(indicator, Latency) and indicator.of in contract.distributions:
            return _latency(monitor, contract, indicator, objective.target, options)
    raise SignalError(
        f"nothing tells how much of a replica is in use: the contract `{contract.name}` has no such signal, "
        "and the document no objective on a latency; write PromQL for the average utilisation of a replica, "
        "such as --utilisation 'avg(rate(process_cpu_seconds_total[5m])) / 4', or what a replica carries by "
        "a load test, --per-replica LOAD"
    )


def replicas(monitor: Monitor, options: Options) -> Signal:
    """Return how many replicas run; SignalError where the contract does not tell."""
    if options.replicas:
        return Signal(options.replicas, options.replicas)
    contract = contract_of(monitor.source)
    metric = next((gauge.metric for gauge in contract.gauges.values()), None)
    if metric is None and contract.requests is not None:
        metric = contract.requests.total
    if metric is None:
        raise SignalError(
            f"the contract `{contract.name}` has no series to count replicas by; write PromQL, such as "
            "--replicas 'count(up{job=\"chat\"} == 1)'"
        )
    selected = metric + matchers(monitor.source.selector, f'{options.label}!=""')
    return Signal(f"replicas by `{options.label}`", f"count(count by ({options.label}) ({selected}))")


def _signal(monitor: Monitor, contract: Contract, name: str, options: Options) -> Signal:
    window = max(options.window, monitor.source.shortest_range)
    return Signal(name, contract.expression(name, monitor.source.selector, window), contract.unit(name))


def _gauge(monitor: Monitor, contract: Contract, name: str, options: Options) -> Use:
    if contract.unit(name) != "ratio":
        raise SignalError(
            f"`{name}` is in {contract.unit(name)}, and a utilisation is a share of what a replica has; "
            f"write PromQL that divides it, or one of {', '.join(_ratios(contract)) or '--per-replica LOAD'}"
        )
    window = max(options.window, monitor.source.shortest_range)
    each = contract.expression(name, monitor.source.selector, window, (options.label,))
    return Use(Signal(name, f"avg({each})", "ratio"), straight=True)


def _ratios(contract: Contract) -> list[str]:
    return [name for name in contract.signals() if contract.unit(name) == "ratio" and name in contract.gauges]


def _latency(
    monitor: Monitor, contract: Contract, indicator: Latency, target: float, options: Options
) -> Use:
    """Return the quantile that the objective is about, as a share of what it allows."""
    name = f"{indicator.of}_{quantile(QUANTILES, target)}"
    asked = _signal(monitor, contract, name, options)
    allowed = format_duration(indicator.below)
    return Use(
        Signal(f"{name} / {allowed}", f"({asked.expression}) / {indicator.below!r}", "ratio"), straight=False
    )


def quantile(known: Mapping[str, float], target: float) -> str:
    """Return the highest quantile that is not above the target; the lowest where all are."""
    below = [name for name, share in known.items() if share <= target]
    return below[-1] if below else next(iter(known))

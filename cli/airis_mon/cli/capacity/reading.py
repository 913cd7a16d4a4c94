"""Signals -> numbers -> the plan of one monitor."""

from __future__ import annotations

from dataclasses import dataclass, replace

from airis_mon.analyzer.capacity import Past, Plan, Target, plan, strength
from airis_mon.analyzer.query import Frame, Querier
from airis_mon.cli.capacity.signals import Options, Signal, SignalError, Use, loads, mistyped, replicas, use
from airis_mon.spec import Monitor

STEP = 300
"""Seconds between readings."""
_CLEARER = 0.03
"""By how much the rank correlation of a later load has to be better to be preferred."""


@dataclass(frozen=True)
class Account:
    """A plan, and what it was made from."""

    monitor: str
    load: Signal
    use: Use | None
    """None where what a replica carries was told."""
    history: int
    """Seconds that were read."""
    target: Target
    plan: Plan


@dataclass(frozen=True)
class Question:
    """What is asked of the past and of the time to come."""

    end: int
    """Seconds since the epoch, a multiple of the step."""
    history: int
    days: int
    target: Target
    options: Options


def account(monitor: Monitor, querier: Querier, question: Question) -> Account:
    """Return the plan of a monitor; SignalError, QueryError or CapacityError where there is none."""
    target = question.target
    used = None if target.per_replica is not None else use(monitor, question.options)
    candidates = loads(monitor, question.options)
    if target.per_replica is not None:
        candidates = candidates[:1]
    read = [(one, frame) for one in candidates if (frame := _read(querier, one, question, "load"))]
    if not read:
        raise SignalError(
            next(filter(None, (mistyped(monitor, one.expression) for one in candidates)), "")
            or f"nothing came for {', '.join(f'`{one.name}`' for one in candidates)} in all that time; "
            "`airis-mon check --live` says what is missing"
        )
    running = _one(querier, replicas(monitor, question.options), question, "replicas").values[0]
    use_values = None
    if used is not None:
        wrong = mistyped(monitor, used.signal.expression)
        use_values = _one(querier, used.signal, question, "utilisation", wrong).values[0]
    pasts = [(one, Past(frame.timestamps, frame.values[0], running, use_values)) for one, frame in read]
    chosen, past = pasts[0]
    best = strength(past)
    for candidate, other in pasts[1:]:
        if strength(other) > best + _CLEARER:
            chosen, past, best = candidate, other, strength(other)
    if used is not None:
        target = replace(target, straight=used.straight)
    return Account(monitor.name, chosen, used, question.history, target, plan(past, question.days, target))


def _one(querier: Querier, signal: Signal, question: Question, option: str, wrong: str = "") -> Frame:
    found = _read(querier, signal, question, option)
    if found is None:
        raise SignalError(
            wrong
            or f"nothing came for {signal.name} in all that time (`{signal.expression}`); write PromQL with "
            f"--{option}"
        )
    return found


def _read(querier: Querier, signal: Signal, question: Question, option: str) -> Frame | None:
    begin = question.end - question.history + STEP
    frame = querier.range(signal.expression, begin, question.end, STEP)
    if len(frame.labels) > 1:
        raise SignalError(
            f"`{signal.expression}` gives {len(frame.labels)} series, and --{option} has to give one; put "
            "sum() or avg() around it"
        )
    return frame if frame.labels else None

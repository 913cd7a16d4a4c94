"""The plan as a table and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from airis_mon.analyzer.capacity import Day
from airis_mon.cli import console
from airis_mon.cli.capacity.reading import Account
from airis_mon.spec import format_duration

_SHOWN = 31
"""Days of the table; beyond, the worst of each week."""
_WEEK = 7
_SURE = 1.6448536269514722
"""Standard errors to each side that hold nine of ten."""


def write(stream: TextIO, account: Account, gpus: int) -> None:
    """Write the table."""
    out = console.console(stream)
    plan, target = account.plan, account.target
    upper = _share(target.level)
    for line in sentences(account, gpus):
        out.print(line)
    unit = account.load.unit or "load"
    titles = ["day", f"busy hour, {unit}", upper, "replicas", upper]
    made = console.table(
        f"{account.monitor}: the busiest hour of each day", *titles, *(["GPUs"] if gpus > 1 else [])
    )
    for name, day in _rows(plan.days):
        cells: list[object] = [name, f"{day.load:.4g}", f"{day.load_upper:.4g}", day.needed, day.needed_upper]
        too_few = day.needed_upper > plan.replicas
        console.add(
            made, [*cells, *([day.needed_upper * gpus] if gpus > 1 else [])], "red" if too_few else ""
        )
    out.print(made)


def sentences(account: Account, gpus: int = 1) -> list[str]:
    """Return what there is to say, the answer first."""
    plan, target, unit = account.plan, account.target, account.load.unit or account.load.name
    upper = _share(target.level)
    end = plan.days[-1]
    needed = max(day.needed_upper for day in plan.days)
    more = f" ({needed * gpus} GPUs)" if gpus > 1 else ""
    short, maybe = plan.short, plan.short_upper
    if maybe is None:
        first = f"{_replicas(plan.replicas)} now, enough until {_date(end)} with a probability of {upper}"
    else:
        present = f"{_replicas(plan.replicas)} now, "
        if maybe == plan.days[0]:
            present += f"too few from {_date(maybe)} on by a plan that is to hold on {upper} of days"
        else:
            present += f"enough until {_date(maybe, -1)} with a probability of {upper}"
        first = f"{present}; {needed}{more} are enough until {_date(end)}"
    if maybe is not None and short is not None:
        first += f"; expected to be too few on {_date(short)}"
    carried = plan.per_replica
    if account.use is None:
        learnt = f"a replica carries {carried.load:.4g} {unit}, as told"
    else:
        low, high = (carried.load * math.exp(side * _SURE * carried.error) for side in (-1, 1))
        learnt = (
            f"a replica carries {carried.load:.4g} {unit} ({low:.4g} to {high:.4g}) at "
            f"{target.utilisation:.0%} of {account.use.signal.name}"
        )
    growth = f"{account.load.name} grows by {plan.growth.per_week:+.1%} a week"
    known = f"{plan.known_days} days are known of {format_duration(account.history)}"
    spare = f"; {_replicas(target.spare)} to spare included" if target.spare else ""
    return [
        f"{account.monitor}: {first}.",
        f"{learnt}{spare}. {growth}; {known}.",
        *(f"note: {n}." for n in plan.notes),
    ]


def plain(account: Account, gpus: int) -> Mapping[str, Any]:
    """Return the same for JSON."""
    plan, target = account.plan, account.target
    carried = plan.per_replica
    return {
        "monitor": account.monitor,
        "load": {
            "signal": account.load.name,
            "unit": account.load.unit,
            "expression": account.load.expression,
        },
        "utilisation": account.use
        and {"signal": account.use.signal.name, "expression": account.use.signal.expression},
        "target_utilisation": target.utilisation,
        "level": target.level,
        "spare": target.spare,
        "gpus_per_replica": gpus,
        "history_seconds": account.history,
        "known_days": plan.known_days,
        "growth_per_week": plan.growth.per_week,
        "load_per_replica": {
            "at_target": carried.load,
            "standard_error_of_logarithm": carried.error,
            "rank_correlation": None if account.use is None else carried.correlation,
            "seen_load": None if account.use is None else carried.seen_load,
            "seen_utilisation": None if account.use is None else carried.seen_utilisation,
            "at_least": carried.at_least,
            "extrapolated": carried.extrapolated,
        },
        "replicas_now": plan.replicas,
        "too_few_expected_on": plan.short and _date(plan.short),
        "too_few_at_level_on": plan.short_upper and _date(plan.short_upper),
        "days": [
            {
                "day": _date(day),
                "load": day.load,
                "load_upper": day.load_upper,
                "replicas": day.needed,
                "replicas_upper": day.needed_upper,
            }
            for day in plan.days
        ],
        "notes": list(plan.notes),
    }


def _rows(days: tuple[Day, ...]) -> list[tuple[str, Day]]:
    if len(days) <= _SHOWN:
        return [(datetime.fromtimestamp(day.begins, UTC).strftime("%a %Y-%m-%d"), day) for day in days]
    weeks = [days[n : n + _WEEK] for n in range(0, len(days), _WEEK)]
    worst = [max(week, key=lambda day: (day.needed_upper, day.load_upper)) for week in weeks]
    return [(f"week of {_date(week[0])}", day) for week, day in zip(weeks, worst, strict=True)]


def _date(day: Day, off: int = 0) -> str:
    return datetime.fromtimestamp(day.begins + off * 86400, UTC).strftime("%Y-%m-%d")


def _share(level: float) -> str:
    return f"{level * 100:g}%"


def _replicas(count: int) -> str:
    return "1 replica" if count == 1 else f"{count} replicas"

"""A comparison of two versions as people and programs read it."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, TextIO

from airis_mon.analyzer.comparison import Comparison, Result
from airis_mon.cli.quantities import shown
from airis_mon.cli.wording import plural, printable
from airis_mon.spec import Monitor, format_duration

_ADVICE = {
    "better": "promote: nothing is worse, and something is better",
    "same": "promote: nothing is worse by more than its margin",
    "worse": "roll back",
    "undecided": "keep both running, and look again",
}
_COLUMNS = ("metric", "baseline", "candidate", "difference", "interval", "margin", "operations", "verdict")


def write(stream: TextIO, monitor: Monitor, found: Comparison, alpha: float) -> None:
    """Write a table, a line for each metric, and what follows from it."""
    rows = [_COLUMNS, *(_cells(one) for one in found.results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    begin, end = (
        datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M") for at in (found.since, found.until)
    )
    share = shown(alpha, "ratio")
    several = f" over {plural(len(found.results), 'metric')}" if len(found.results) > 1 else ""
    print(
        f"{printable(monitor.name)}, {begin} to {end} UTC in steps of {format_duration(found.step)}; "
        f"alpha {share}{several}\n",
        file=stream,
    )
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip(), file=stream)
    print(file=stream)
    for one in found.results:
        print(f"{one.measure.name}: {one.measure.about}, {_note(one)}", file=stream)
    print(f"\nverdict: {found.verdict}; {_ADVICE[found.verdict]}", file=stream)


def summary(found: Comparison) -> str:
    """Return one line: what is decided of each metric so far."""
    return ", ".join(f"{one.measure.name} {one.verdict}" for one in found.results)


def plain(monitor: Monitor, found: Comparison, alpha: float) -> dict[str, Any]:
    """Return what JSON holds; what is not known is null."""
    return {
        "monitor": monitor.name,
        "verdict": found.verdict,
        "alpha": alpha,
        "since": found.since,
        "until": found.until,
        "step": found.step,
        "metrics": [_plain(one) for one in found.results],
    }


def _cells(one: Result) -> tuple[str, ...]:
    unit = one.measure.unit
    interval = f"{shown(one.lower, unit, signed=True)} .. {shown(one.upper, unit, signed=True)}"
    return (
        one.measure.name,
        shown(one.baseline.value, unit),
        shown(one.candidate.value, unit),
        shown(one.difference, unit, signed=True),
        interval if math.isfinite(one.lower) else "too few steps" if one.steps else "-",
        shown(one.margin, unit),
        f"{one.baseline.operations:.0f} / {one.candidate.operations:.0f}",
        one.verdict,
    )


def _note(one: Result) -> str:
    direction = "less is better" if one.measure.less_is_better else "more is better"
    missing = [
        name for name, side in (("baseline", one.baseline), ("candidate", one.candidate)) if not side.series
    ]
    if missing:
        return f"{direction}; the {' and the '.join(missing)} has no series of it"
    told = f"{direction}; {plural(one.steps, 'step')} with traffic on both sides"
    if one.standing_since is not None:
        since = datetime.fromtimestamp(one.standing_since, UTC).strftime("%Y-%m-%d %H:%M")
        told += f", {one.verdict} since {since}"
    return told


def _plain(one: Result) -> dict[str, Any]:
    return {
        "name": one.measure.name,
        "about": one.measure.about,
        "unit": one.measure.unit,
        "less_is_better": one.measure.less_is_better,
        "verdict": one.verdict,
        "verdict_since": one.standing_since,
        "baseline": _finite(one.baseline.value),
        "candidate": _finite(one.candidate.value),
        "difference": _finite(one.difference),
        "lower": _finite(one.lower),
        "upper": _finite(one.upper),
        "margin": _finite(one.margin),
        "baseline_operations": one.baseline.operations,
        "candidate_operations": one.candidate.operations,
        "steps": one.steps,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

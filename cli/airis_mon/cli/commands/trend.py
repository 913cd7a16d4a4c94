"""`airis-mon trend FILE`: what became of a model's signals, since when, and where they are going."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from airis_mon.analyzer.query import Querier, QueryError
from airis_mon.analyzer.trends import Change, Trend, trend
from airis_mon.cli import prometheus
from airis_mon.cli.documents import load
from airis_mon.cli.progress import Progress
from airis_mon.cli.quantities import shown
from airis_mon.cli.wording import printable, problems
from airis_mon.exporters import contracts
from airis_mon.spec import (
    Latency,
    Monitor,
    Problem,
    SpecError,
    did_you_mean,
    format_duration,
    parse_duration,
)

_DAY = 86400
_STEP, _WINDOW = 300, 300
"""Seconds between two values, and that rates look back, where the time is short enough."""
_POINTS = 2016
"""Values that are asked for of each signal: a week of five minutes."""
_SHORTEST, _LONGEST = 3600.0, 400.0 * _DAY
_COLUMNS = ("monitor", "signal", "level before", "level", "since", "change", "slope per day")


@dataclass(frozen=True)
class _Row:
    """One series of one signal."""

    monitor: str
    signal: str
    unit: str
    found: Trend | None


def run(argv: Sequence[str], _cache: Path) -> int:
    """Return 0 when it was told, 1 where nothing could be read."""
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        monitors = prometheus.chosen(load(args.files).monitors, args.monitors)
        wanted = [(monitor, signal) for monitor in monitors for signal in _signals(monitor, args.signals)]
        rows = []
        with prometheus.querier(args) as querier, Progress(sys.stderr) as progress:
            for number, (monitor, signal) in enumerate(wanted):
                progress.count(number, len(wanted), f"{monitor.name}/{signal}")
                rows.append(_read(querier, monitor, signal, args.since))
    except SpecError as error:
        print(f"{error}\n\n{problems(error)}", file=sys.stderr)
        return 1
    except QueryError as error:
        print(f"airis-mon trend: {printable(str(error))}", file=sys.stderr)
        return 1
    if args.format == "json":
        print(json.dumps([_plain(row) for row in rows], indent=2))
    else:
        _write(sys.stdout, rows)
    if any(row.found is not None for row in rows):
        return 0
    names = ", ".join(f"`{row.signal}`" for row in rows)
    print(
        f"airis-mon trend: nothing came for {names} in all that time; `airis-mon check --live` says what is "
        "missing",
        file=sys.stderr,
    )
    return 1


def _signals(monitor: Monitor, wanted: Sequence[str]) -> Sequence[str]:
    """Return the signals that are wanted, or those that the document speaks of; SpecError where unknown."""
    known = contracts.contract_of(monitor.source).signals()
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SpecError(
            [
                Problem(f"{monitor.name} has no signal `{one}`", hint=did_you_mean(one, known))
                for one in unknown
            ]
        )
    if wanted:
        return wanted
    watched = [
        *(one.of for one in monitor.anomalies),
        *(one.of for one in monitor.forecasts),
        *(one.of for one in monitor.thresholds),
    ]
    latencies = [
        f"{one.indicator.of}_p95" for one in monitor.objectives if isinstance(one.indicator, Latency)
    ]
    return [
        one for one in dict.fromkeys(("request_rate", "error_ratio", *latencies, *watched)) if one in known
    ]


def _read(querier: Querier, monitor: Monitor, signal: str, since: float) -> _Row:
    contract = contracts.contract_of(monitor.source)
    step = max(_STEP, math.ceil(since / _POINTS / 60) * 60)
    window = max(_WINDOW, step, monitor.source.shortest_range)
    end = int(querier.now()) // step * step
    expression = contract.expression(signal, monitor.source.selector, window)
    frame = querier.range(expression, end - math.ceil(since / step) * step, end, step)
    found = trend(frame.timestamps, frame.values[0]) if len(frame.labels) else None
    return _Row(monitor.name, signal, contract.unit(signal), found)


def _write(stream: TextIO, rows: Sequence[_Row]) -> None:
    cells = [_COLUMNS, *(line for row in rows for line in _lines(row))]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_COLUMNS))]
    for line in cells:
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print(text.rstrip(), file=stream)


def _lines(row: _Row) -> Iterator[tuple[str, ...]]:
    """Yield the newest change with where the signal is going, then the changes before it."""
    if row.found is None:
        yield (row.monitor, row.signal, "", "no data", "", "", "")
        return
    slope = _slope(row.found, row.unit)
    if not row.found.changes:
        yield (row.monitor, row.signal, "", shown(row.found.level, row.unit), "", "none", slope)
    for number, change in enumerate(reversed(row.found.changes)):
        yield (
            row.monitor if number == 0 else "",
            row.signal if number == 0 else "",
            shown(change.before, row.unit),
            shown(change.after, row.unit),
            f"{_time(change.at)} ({_time(change.earliest)} .. {_time(change.latest)})",
            f"{shown(change.by, row.unit, signed=True)}, {change.clarity:.0f} sigma",
            slope if number == 0 else "",
        )


def _slope(found: Trend, unit: str) -> str:
    if found.slope is None:
        return ""
    middle, low, high = (
        shown(one * _DAY, unit, signed=True)
        for one in (found.slope.per_second, found.slope.lower, found.slope.upper)
    )
    return f"{middle} ({low} .. {high})" if found.slope.certain else "none that is certain"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _plain(row: _Row) -> dict[str, Any]:
    found = row.found
    told: dict[str, Any] = {"monitor": row.monitor, "signal": row.signal, "unit": row.unit}
    if found is None:
        return {**told, "level": None, "changes": [], "slope_per_day": None}
    slope = None
    if found.slope is not None:
        edges = (found.slope.lower, found.slope.upper)
        slope = {
            "value": found.slope.per_second * _DAY,
            "lower": edges[0] * _DAY if math.isfinite(edges[0]) else None,
            "upper": edges[1] * _DAY if math.isfinite(edges[1]) else None,
            "certain": found.slope.certain,
        }
    return {
        **told,
        "since": found.since,
        "until": found.until,
        "level": found.level,
        "changes": [_change(one) for one in found.changes],
        "slope_per_day": slope,
    }


def _change(one: Change) -> dict[str, float]:
    return {
        "at": one.at,
        "earliest": one.earliest,
        "latest": one.latest,
        "before": one.before,
        "after": one.after,
        "clarity": one.clarity,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airis-mon trend",
        description="Tell of each signal of a model whether its level has changed, since when, by how much "
        "and how clearly, and where it is going since. What comes back each day or week is no change, nor is "
        "noise whose neighbours are alike.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="documents (YAML)")
    add("--signal", dest="signals", action="append", default=[], metavar="NAME",
        help="signal, as `airis-mon contracts` lists them; may be repeated (default: those that the document "
        "speaks of)")  # fmt: skip
    add("--since", type=_since, default=30.0 * _DAY, metavar="DURATION",
        help="how far to look back (default: 30d)")  # fmt: skip
    add("--format", choices=("table", "json"), default="table", help="how to report (default: table)")
    prometheus.add_monitor(parser)
    prometheus.add_arguments(parser)
    return parser


def _since(text: str) -> float:
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("; ".join(map(str, error.args))) from error
    if not _SHORTEST <= found <= _LONGEST:
        raise argparse.ArgumentTypeError(
            f"`{text}`: write {format_duration(_SHORTEST)} to {format_duration(_LONGEST)}"
        )
    return found

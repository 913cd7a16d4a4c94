"""Which past is judged again, and where it is read: what `explain` and `replay` have in common."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from airis_mon.analyzer.commands import flags, limits, spans
from airis_mon.analyzer.config import Query, load
from airis_mon.analyzer.explanation.course import Progress
from airis_mon.analyzer.explanation.sources import incidents as known_incidents
from airis_mon.analyzer.explanation.sources import samples
from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.methods.seasonal import Direction
from airis_mon.analyzer.recording import Recording, of_samples
from airis_mon.analyzer.schedule import HISTORY, moment
from airis_mon.report import check_outputs
from airis_mon.spec import format_duration, parse_duration

_AFTER = 3600
"""Seconds that are judged after the moment to explain, where no flag says from when to when."""
_TOLD = 0.5
"""Seconds between two states of the line of progress."""


@dataclass(frozen=True)
class Past:
    """One series to judge."""

    name: str
    query: Query
    recording: Recording


def add_arguments(parser: argparse.ArgumentParser, since: str) -> None:
    """Add where the past is read, and how far back it is judged: `since` where no flag says."""
    flags.add_config(parser, required=False)
    flags.add_server(parser, required=False)
    parser.add_argument(
        "--values",
        metavar="FILE.csv",
        type=Path,
        help="judge this instead of a series of Prometheus: lines `timestamp,value`, UTC or Unix seconds",
    )
    for flag, default, meaning in (
        (
            "--since",
            None,
            f"first time to judge: `2026-11-01T00:00Z`, or how long ago (default: {since} before the last)",
        ),
        ("--until", None, "last time to judge, likewise (default: now, by Prometheus' clock)"),
    ):
        parser.add_argument(flag, metavar="TIME", type=flags.time, default=default, help=meaning)
    limits.add_arguments(parser)
    parser.set_defaults(back=parse_duration(since))
    parser.add_argument(
        "--direction",
        choices=get_args(Direction),
        default="both",
        help="of --values: which departures count (default: %(default)s)",
    )
    parser.add_argument(
        "--history",
        metavar="DURATION",
        type=_history,
        default=HISTORY,
        help=f"of --values: how far back is learnt from (default: {format_duration(HISTORY)})",
    )
    parser.add_argument(
        "--incidents",
        metavar="FILE.csv",
        type=Path,
        help="known incidents, lines `begin,end`: who was told within one was told rightly",
    )
    flags.add_schedule(parser)


def _history(text: str) -> int:
    seconds = flags.duration(text)
    if seconds < DAY:
        raise argparse.ArgumentTypeError(
            f"`{text}`: nothing is judged by less than a day of the past; write 1d or more, such as 28d"
        )
    return seconds


def incidents(arguments: argparse.Namespace) -> tuple[tuple[int, int], ...]:
    """Return the incidents that somebody knows of; ValueError where they cannot be read."""
    return () if arguments.incidents is None else known_incidents(arguments.incidents)


def check(arguments: argparse.Namespace, written: Mapping[str, Path | None]) -> None:
    """Raise ValueError where the flags do not say where the past is, or would write over it."""
    if arguments.values is None and (arguments.config_file is None or arguments.prometheus_url is None):
        raise ValueError(
            "where is the past? --config.file FILE and --prometheus.url URL, or --values FILE.csv are needed"
        )
    read = {
        "--config.file": arguments.config_file,
        "--values": arguments.values,
        "--incidents": arguments.incidents,
    }
    check_outputs(written.items(), read.items())


def configured(arguments: argparse.Namespace) -> tuple[Query, ...]:
    """Return the queries of the configuration; SpecError where it cannot be read."""
    return load(arguments.config_file, forecasts=False).queries


def of_file(arguments: argparse.Namespace) -> Past:
    """Return the series in a file of somebody's own, judged as by a query that says nothing."""
    file: Path = arguments.values
    at, values = samples(file)
    recording = of_samples(at, values)
    if recording is None:
        raise ValueError(f"{file}: {len(values)} values are too few to be judged")
    if not np.isfinite(values).any():
        raise ValueError(f"{file}: none of its {len(values):,} values is a number")
    query = Query(
        "values", file.stem, file.stem, "", history=arguments.history, direction=arguments.direction
    )
    return Past(file.stem, query, recording)


def span(arguments: argparse.Namespace, now: float, at: int | None = None) -> tuple[int, int]:
    """Return the first and the last time to judge; ValueError where that is none, or too much.

    Where the flags leave it open, it follows `at`, the moment to explain; ValueError if that lies outside.
    """
    if at is not None and at > now:
        raise ValueError(f"--at: {moment(at)} lies in the future; now it is {moment(now)}")
    since, until = (
        None if given is None else flags.instant(given, now) for given in (arguments.since, arguments.until)
    )
    if until is None:
        until = int(now) if at is None or since is not None else at + _AFTER
    if since is None:
        since = (until if at is None else min(at, until)) - int(arguments.back)
    since, until = spans.checked(since, until, now, arguments.interval)
    begin = spans.begun(since, arguments.interval)
    if at is not None and not begin <= at <= until:
        raise ValueError(
            f"--at: {moment(at)} lies outside of what is judged, {moment(begin)} to {moment(until)}; "
            "leave out --since and --until, and that follows --at"
        )
    return since, until


def within(past: Past, at: int) -> None:
    """Raise ValueError where a moment lies outside of what a file holds."""
    first, last = past.recording.timestamps[[0, -1]].tolist()
    if not first <= at <= last:
        raise ValueError(
            f"--at: {moment(at)} lies outside of the values, {moment(first)} to {moment(last)}; "
            "write a time between them, or how long before the last one, such as --at 3h"
        )


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """Give what says how far it is, on one line of a terminal; it says nothing to a file."""
    shown = sys.stderr.isatty()
    last = -_TOLD

    def tell(share: float) -> None:
        nonlocal last
        if shown and time.monotonic() - last >= _TOLD:
            last = time.monotonic()
            print(f"\r{what} {share:4.0%}", end="", file=sys.stderr, flush=True)

    try:
        yield tell
    finally:
        if shown and last > 0:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

"""`airis-mon causes FILE... --at TIME`: what changed before an incident, ranked; candidates, not causes."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import requests

from airis_mon.analyzer.query import QueryError
from airis_mon.cli import arguments, prometheus
from airis_mon.cli.capacity.signals import SignalError
from airis_mon.cli.causes import report
from airis_mon.cli.causes.reading import STEP, Question, ranking
from airis_mon.cli.causes.reported import ReportedError
from airis_mon.cli.documents import load
from airis_mon.cli.live.client import checked_url
from airis_mon.cli.progress import Progress
from airis_mon.cli.wording import problems
from airis_mon.spec import SpecError, format_duration

_SINCE, _HISTORY = 3600, 7 * 86400
_SINCE_MOST, _HISTORY_MOST = 86400, 60 * 86400


def run(argv: Sequence[str], _cache: Path) -> int:
    """Return 0 when candidates were looked for, 1 where that was not possible, 2 on wrong usage."""
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        known = load(args.files).monitors
        monitors = prometheus.chosen(known, args.monitors)
        if len(monitors) > 1:
            names = ", ".join(one.name for one in monitors)
            parser.error(f"an incident is one monitor's: write --monitor, and one of {names}")
        (monitor,) = monitors
        with prometheus.querier(args) as querier, requests.Session() as session:
            session.trust_env = False
            now = querier.now()
            try:
                at = now if args.at is None else arguments.moment(args.at, now)
            except argparse.ArgumentTypeError as error:
                parser.error(f"--at: {error}")
            if at > now + STEP:
                parser.error("--at: lies in the future")
            asked = Question(
                at, args.since, args.history, now, args.signal, dict(args.also), args.events or ""
            )
            with Progress(sys.stderr) as progress:
                found = ranking(monitor, known, querier, session, asked, progress.count)
    except SpecError as error:
        print(f"{error}\n\n{problems(error)}", file=sys.stderr)
        return 1
    except (QueryError, SignalError, ReportedError) as error:
        print(f"airis-mon causes: {error}", file=sys.stderr)
        return 1
    if args.format == "json":
        print(json.dumps(report.plain(monitor.name, found, args.most), indent=2))
    else:
        report.write(sys.stdout, monitor.name, found, args.most)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airis-mon causes", description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add(
        "files", nargs="+", metavar="FILE", help="documents (YAML); those it depends on too, to look at these"
    )
    add("--monitor", dest="monitors", action="append", default=[], metavar="NAME",
        help="ModelMonitor whose incident it is, where the files have several")  # fmt: skip
    add("--at", metavar="TIME",
        help="when it was noticed: a time such as 2026-11-19T00:00:00Z, or a duration before now "
        "(default: now)")  # fmt: skip
    add("--since", type=_within(60, _SINCE_MOST), default=_SINCE, metavar="DURATION",
        help=f"how long before that to look (default: {format_duration(_SINCE)})")  # fmt: skip
    add("--history", type=_within(900, _HISTORY_MOST), default=_HISTORY, metavar="DURATION",
        help=f"past by which it is told what is usual (default: {format_duration(_HISTORY)})")  # fmt: skip
    add("--signal", default="", metavar="SIGNAL|PROMQL",
        help="what shows the incident (default: the objective's signal that is furthest from its "
        "band)")  # fmt: skip
    add("--also", type=_named, action="append", default=[], metavar="NAME=PROMQL",
        help="another series to look at; several times")  # fmt: skip
    add("--events.url", dest="events", type=_url, metavar="URL",
        help="sidecar whose events are looked at as well")  # fmt: skip
    add(
        "--most",
        type=arguments.count(1),
        default=10,
        metavar="N",
        help="candidates to show (default: %(default)s)",
    )
    add("--format", choices=("table", "json"), default="table", help="how to report (default: table)")
    prometheus.add_arguments(parser)
    return parser


def _within(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        found = arguments.duration(text)
        if not least <= found <= most:
            raise argparse.ArgumentTypeError(
                f"`{text}`: from {format_duration(least)} to {format_duration(most)}"
            )
        return int(found) // STEP * STEP

    return read


def _named(text: str) -> tuple[str, str]:
    name, equal, expression = text.partition("=")
    if not equal or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_:./-]{0,100}", name) or not expression.strip():
        raise argparse.ArgumentTypeError(
            f"`{text}` is not NAME=PROMQL; write one such as gpu=max(DCGM_FI_DEV_GPU_UTIL)"
        )
    return name, expression


def _url(text: str) -> str:
    try:
        return checked_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"`{text[:200]}` is no URL of a sidecar; write http://127.0.0.1:9466"
        ) from error

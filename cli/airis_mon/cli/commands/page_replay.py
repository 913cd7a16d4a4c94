"""`airis-mon page-replay FILE...`: past data through rules and routes: who would have been paged, when."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import requests

from airis_mon.alertmanager.replay import ConfigurationError, Matcher, Silence, TooManyEventsError
from airis_mon.cli import access, arguments, silences, targets
from airis_mon.cli.access import AccessError
from airis_mon.cli.interrupts import noted
from airis_mon.cli.page_replay import report, server, table
from airis_mon.cli.page_replay.account import Account
from airis_mon.cli.page_replay.comparison import Comparison, compare
from airis_mon.cli.page_replay.editions import edition
from airis_mon.cli.page_replay.past import PastError
from airis_mon.cli.page_replay.replay import Result, Span, Watcher, replay
from airis_mon.cli.page_replay.rows import moment
from airis_mon.cli.page_replay.workbench import WorkbenchError
from airis_mon.cli.progress import Progress
from airis_mon.cli.silences import AlertmanagerError
from airis_mon.cli.wording import printable, problems
from airis_mon.remote_read import HttpReader, ReadError
from airis_mon.report import OutputError, check_outputs, output_file, write_output
from airis_mon.rules.replay import PlanError, Selector
from airis_mon.spec import SpecError, format_duration, parse_duration
from airis_mon.stack import AddressTakenError, MissingServerError, ProcessError, servers

LONGEST = 90 * 86_400.0
"""Seconds that are replayed at most; at one evaluation a minute a quarter of an hour's work."""
INTERVAL = 60.0
"""Seconds between two evaluations, where nobody says: what Prometheus does."""
SHORTEST_INTERVAL = 1.0
MOST_EVALUATIONS = 200_000
"""Evaluations of each rule in one replay."""
_OPERATORS = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
_BEFORE = 2 * 86_400.0
"""Seconds before the time that is replayed which may matter to what fires at its beginning."""
_SHOWN = 5
"""Selectors that a message names."""
_FAILURES = (
    AccessError, AddressTakenError, AlertmanagerError, ConfigurationError, MissingServerError, OutputError,
    PastError, PlanError, ProcessError, ReadError, TooManyEventsError, WorkbenchError,
)  # fmt: skip


def run(argv: Sequence[str], cache: Path) -> int:
    """Return 0 when the account was written, 1 where there was none to give."""
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        since, until = _times(args, time.time())
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))
    if args.html is not None:
        read = [*(("FILE", one) for one in args.files), *(("--against", one) for one in args.against or ())]
        try:
            check_outputs([("--html", args.html)], read)
        except OutputError as error:
            parser.error(str(error))
    with noted() as tick:
        try:
            with Progress(sys.stderr) as progress:
                _replay(args, (since, until), cache, progress, tick)
            return 0
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130
        except SpecError as error:
            print(f"{error}\n\n{problems(error)}", file=sys.stderr)
        except _FAILURES as error:
            print(f"airis-mon page-replay: {error}", file=sys.stderr)
    return 1


def _replay(
    args: argparse.Namespace,
    times: tuple[float, float],
    cache: Path,
    progress: Progress,
    tick: Callable[[], None],
) -> None:
    target = targets.target(args)
    editions = [edition(args.files, target)]
    if args.against:
        editions.append(edition(args.against, target))
    silenced = _silences(args)
    ours = servers.find("prometheus", given=args.prometheus, cache=cache, notify=progress.notify)
    watcher = Watcher(progress.notify, progress.count, tick)
    with requests.Session() as session:
        reader = HttpReader(args.url, session=session)
        groups = frozenset[str]().union(*(one.plan.groups for one in editions))
        theirs = server.schedule(session, args.url, groups)
        span = Span(*times, args.interval or theirs.interval or INTERVAL, theirs.offsets)
        if (span.until - span.since) / span.interval > MOST_EVALUATIONS:
            raise PastError(
                f"more than {MOST_EVALUATIONS} evaluations of each rule; choose a longer --interval than "
                f"{format_duration(span.interval)}, or a shorter time"
            )
        scraped = server.oldest_scrape(session, args.url, span.since - _BEFORE, span.until)
        oldest = math.inf if scraped is None else scraped
        result = replay(editions, span, reader, ours, watcher, silenced, oldest=oldest)
        span = result.span
        notes = [*_notes(result, span, session, args.url), *_age(ours, session, args.url)]
    for note in notes:
        progress.done(note)
    names = [printable(one.name) for one in editions]
    comparison = compare(result.accounts[1], result.accounts[0]) if len(editions) > 1 else None
    _write(args.format, names, result.accounts, comparison, span)
    if args.html is not None:
        text = report.page(names, result.accounts, comparison, span, notes)
        write_output("--html", args.html, lambda file: file.write_text(text, encoding="utf-8"))
        progress.done(f"wrote {args.html}")


def _silences(args: argparse.Namespace) -> list[Silence]:
    """Return the silences that Alertmanager still knows of, where one was named."""
    if not args.urls:
        return []
    return [_silence(one) for one in access.silences(args).all()]


def _silence(known: silences.Silence) -> Silence:
    try:
        conditions = tuple(
            Matcher(one.name, _OPERATORS[one.equal, one.regex], one.value) for one in known.matchers
        )
    except ValueError as error:
        raise AlertmanagerError(f"silence {known.id}: {error}") from error
    return Silence(conditions, known.starts.timestamp(), known.ends.timestamp())


def _notes(result: Result, span: Span, session: requests.Session, url: str) -> list[str]:
    """Return what a reader of the account has to know. PastError where there was nothing to replay."""
    brought, notes = result.brought, []
    if brought.first_ms is None:
        since = server.earliest(session, url, brought.missing[:_SHOWN], span.until)
        there = (
            f"there is some from {moment(since)} UTC on" if since is not None else "nor in the year before"
        )
        raise PastError(
            f"no data from {moment(result.wanted_ms / 1000)} to {moment(span.until)} UTC ({there}); "
            f"the rules read {_named(brought.missing)}"
        )
    kept = server.retention(session, url)
    reach = span.until - result.wanted_ms / 1000
    if kept is not None and kept < reach:
        notes.append(
            f"that Prometheus keeps {format_duration(kept)}, and the rules reach back "
            f"{format_duration(round(reach))}: long windows hold less than they did"
        )
    elif brought.first_ms > result.wanted_ms + 86_400_000:
        notes.append(
            f"there is no data before {moment(brought.first_ms / 1000)} UTC, and the rules reach back to "
            f"{moment(result.wanted_ms / 1000)}: long windows hold less than they would"
        )
    if brought.missing:
        notes.append(f"nothing in all that time: {_named(brought.missing)}")
    return notes


def _age(ours: servers.Server, session: requests.Session, url: str) -> list[str]:
    theirs = server.version(session, url)
    if theirs is None or theirs <= ours.version[:2]:
        return []
    versions = (".".join(map(str, version[:2])) for version in (theirs, ours.version))
    return [
        "that Prometheus is {}, the one that evaluates here {}: where they differ (`le` of whole numbers, "
        "ends of ranges), name a newer one with --prometheus BIN".format(*versions)
    ]


def _named(selectors: Sequence[Selector]) -> str:
    shown = ", ".join(map(str, selectors[:_SHOWN]))
    rest = len(selectors) - _SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown


def _write(
    form: str, names: Sequence[str], accounts: Sequence[Account], comparison: Comparison | None, span: Span
) -> None:
    if form == "json":
        content = {
            "since": span.since,
            "until": span.until,
            "asked_since": span.since if span.asked_since is None else span.asked_since,
            "editions": [
                {"files": name, **asdict(account)} for name, account in zip(names, accounts, strict=True)
            ],
            "comparison": None if comparison is None else asdict(comparison),
        }
        print(json.dumps(content, indent=2))
        return
    table.write_span(sys.stdout, span)
    for name, account in zip(names, accounts, strict=True):
        table.write(sys.stdout, name, account, span)
    if comparison is not None:
        table.write_comparison(sys.stdout, names[1], names[0], comparison, span)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airis-mon page-replay", description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="documents (YAML)")
    add("--since", default="7d", metavar="TIME", help="begin: a duration before the end, or a time such as"
        " 2026-11-19T00:00:00Z (default: %(default)s)")  # fmt: skip
    add("--until", metavar="TIME", help="end: a duration before now, or a time (default: now)")
    add("--against", nargs="+", metavar="FILE", help="another version of the documents, to compare with")
    add("--interval", type=_duration, metavar="DURATION",
        help="time between two evaluations of the rules (default: as there, else 1m)")  # fmt: skip
    add("--prometheus.url", dest="url", type=_url, default="http://127.0.0.1:9090", metavar="URL",
        help="Prometheus that holds the past (default: %(default)s)")  # fmt: skip
    add("--prometheus", type=servers.argument, metavar="BIN",
        help="Prometheus to evaluate with, on this machine (default: PATH, else unpacked)")  # fmt: skip
    add("--html", type=output_file(".html", what="no page"), metavar="FILE",
        help="write an HTML page as well (FILE.html)")  # fmt: skip
    add("--format", choices=("text", "json"), default="text", help="how to report (default: text)")
    access.add_arguments(
        parser, optional_for="whose silences held in the past too (it keeps them for five days)"
    )
    targets.add_arguments(parser)
    return parser


def _times(args: argparse.Namespace, now: float) -> tuple[float, float]:
    until = now if args.until is None else arguments.moment(args.until, now)
    since = arguments.moment(args.since, until)
    if since >= until:
        raise argparse.ArgumentTypeError("--since: has to be before --until; write a duration such as 7d")
    if until > now:
        raise argparse.ArgumentTypeError("--until: lies in the future")
    if until - since > LONGEST:
        raise argparse.ArgumentTypeError(
            f"--since: at most {format_duration(LONGEST)} are replayed; choose the end with --until"
        )
    return since, until


def _duration(text: str) -> float:
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if found < SHORTEST_INTERVAL:
        raise argparse.ArgumentTypeError(f"at least {format_duration(SHORTEST_INTERVAL)}")
    return found


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"`{text}` is no URL; write http://prometheus.example.com:9090")
    return text.rstrip("/")

"""Judge every aligned time of a past that Prometheus has, oldest first, as `run` would have judged it then.

A time that has a value already keeps it, so that this can be run again, and beside `run`. A query that reads
what another one writes comes after that one. Prometheus takes samples that are older than an hour only within
`storage.tsdb.out_of_order_time_window`; where that is too short, nothing is written, and what to set is said.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import closing
from functools import partial

import requests

from airis_mon.analyzer.access import Access
from airis_mon.analyzer.backfill.passes import Backfill, Progress
from airis_mon.analyzer.backfill.receiver import RefusedError, receiver
from airis_mon.analyzer.backfill.written import newest
from airis_mon.analyzer.commands import delivery, flags, identity, limits, spans
from airis_mon.analyzer.config import Query, load
from airis_mon.analyzer.query import HttpQuerier, Querier, QueryError
from airis_mon.analyzer.schedule import Schedule, evaluated_at, moment
from airis_mon.remote_write import HttpWriter
from airis_mon.spec import SpecError

HELP = "judge a past as it would have been judged then, and write that"
_SETTLES = 5.0
"""Seconds until a receiver that is no Prometheus shows what it has taken."""
_TOLD = 5.0
"""Seconds between two lines of progress."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which past, where to read and write, and how history is read."""
    flags.add_config(parser)
    flags.add_servers(parser)
    delivery.add_protocol(parser)
    flags.add_shard(parser)
    for flag, default, meaning in (
        ("--since", None, "first time to judge: `2026-11-01T00:00:00Z`, or how long ago, as `7d`"),
        ("--until", "0s", "last time to judge, likewise (default: now, by Prometheus' clock)"),
    ):
        parser.add_argument(
            flag,
            metavar="TIME",
            type=flags.time,
            default=default,
            required=default is None,
            help=meaning,
        )
    flags.add_schedule(parser)
    limits.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Return 0 where every time was judged and every sample taken, 1 otherwise."""
    try:
        queries = flags.shard(arguments).of(load(arguments.config_file).queries)
        _run(arguments, queries, flags.schedule(arguments))
    except (SpecError, QueryError, RefusedError, OSError, ValueError) as error:
        print(f"airis-mon analyzer backfill: {error}", file=sys.stderr)
        return 1
    return 0


def _run(arguments: argparse.Namespace, queries: tuple[Query, ...], schedule: Schedule) -> None:
    with (
        closing(limits.querier(arguments)) as querier,
        closing(HttpWriter(delivery.protocol(arguments))) as writer,
        _session(identity.writing(arguments)) as session,
    ):
        now = querier.now()
        start, end = (flags.instant(given, now) for given in (arguments.since, arguments.until))
        start, end = spans.checked(start, end, now, schedule.interval)
        end = evaluated_at(end, schedule.interval)
        target = receiver(flags.writing(arguments), session)
        same = target.url == flags.reading(arguments)
        stored = querier if same else _stored(target.url, identity.writing(arguments))
        if stored is None:
            print(f"what {target.url} has already is unknown: all of it is written", file=sys.stderr)
        else:
            target.check(start, lambda: newest(stored, queries, start, int(now)))
        told = -_TOLD
        totals: dict[Query, Progress] = {}
        # Prometheus shows at once what it has taken; others need a moment.
        settle = partial(time.sleep, 0 if target.window is not None else _SETTLES)
        backfill = Backfill(querier, writer, schedule, stored=stored, settle=settle)
        for progress in backfill.run(queries, start, end):
            totals[progress.query] = progress
            if time.monotonic() - told >= _TOLD:
                told = time.monotonic()
                print(
                    f"{progress.done:4.0%}  {progress.query.title} up to {moment(progress.at)}",
                    file=sys.stderr,
                )
        for query, last in totals.items():
            more = f", {last.kept} were there already" if last.kept else ""
            print(f"{query.title}: {last.written} samples written{more}")


def _session(access: Access | None) -> requests.Session:
    return requests.Session() if access is None else access.session()


def _stored(url: str, access: Access | None) -> Querier | None:
    """Return what answers for a receiver, where it answers queries at all."""
    querier = HttpQuerier(url, sessions=partial(_session, access))
    try:
        querier.now()
    except QueryError:
        querier.close()
        return None
    return querier

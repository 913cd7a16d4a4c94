"""Flags of how much one server may answer, and how long that may take."""

from __future__ import annotations

import argparse

from airis_mon.analyzer.commands import flags, identity
from airis_mon.analyzer.query import HttpQuerier, Limits
from airis_mon.spec import format_duration

_DEFAULT = Limits()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `max_series`, `max_answer_bytes`, `query_timeout`."""
    parser.add_argument(
        "--query.max-series",
        dest="max_series",
        metavar="N",
        type=flags.whole(1, 1_000_000),
        default=_DEFAULT.series,
        help="series that one expression may give; with more the query fails, since they are held in memory "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--query.max-bytes",
        dest="max_answer_bytes",
        metavar="N",
        type=flags.whole(1024, 2**33),
        default=_DEFAULT.bytes,
        help="bytes of one answer; with more the query fails (default: %(default)s)",
    )
    parser.add_argument(
        "--query.timeout",
        dest="query_timeout",
        metavar="DURATION",
        type=flags.duration,
        default=_DEFAULT.seconds,
        help="longest that an answer may take to begin, and to go on; then the query fails (default: "
        f"{format_duration(_DEFAULT.seconds)})",
    )


def limits(arguments: argparse.Namespace) -> Limits:
    """Return what the flags say."""
    return Limits(arguments.max_series, arguments.max_answer_bytes, float(arguments.query_timeout))


def querier(arguments: argparse.Namespace) -> HttpQuerier:
    """Return what asks the server that the flags name, as who and within the limits that they say.

    SpecError where the file of who we are cannot be used.
    """
    return HttpQuerier.within(flags.reading(arguments), limits(arguments), identity.reading(arguments))

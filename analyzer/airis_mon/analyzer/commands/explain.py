"""Say why a series was anomalous, or was not, by the service's own judgements; nothing is written back.

The past of the series is read from Prometheus, or from a file of your own (--values), and judged again as
`run` judges it. A page holds values, expectation, band and score, who would have been told, and the reasons
of one moment in words and numbers; without -o these reasons are printed.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

from airis_mon.analyzer.commands import flags, limits, pasts
from airis_mon.analyzer.explanation import table
from airis_mon.analyzer.explanation.account import Account, account, reasoned
from airis_mon.analyzer.explanation.listing import line
from airis_mon.analyzer.explanation.page import page
from airis_mon.analyzer.explanation.reasons import headline, reasons
from airis_mon.analyzer.explanation.selection import chosen, parse, queries, shown
from airis_mon.analyzer.explanation.sources import candidates, recordings
from airis_mon.analyzer.explanation.wording import moment
from airis_mon.analyzer.query import QueryError
from airis_mon.report import output_file, write_output
from airis_mon.spec import SpecError

HELP = "say why a series was anomalous, or was not, in words, as a page, a picture or a table"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which series, when, and what to make of it."""
    parser.add_argument(
        "series",
        metavar="SERIES",
        nargs="?",
        help='what to explain: monitor/signal, or monitor/signal{label="value"}',
    )
    pasts.add_arguments(parser, since="7d")
    parser.add_argument(
        "--at",
        metavar="TIME",
        type=flags.time,
        help="moment to explain, likewise (default: the newest anomaly)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=output_file(".html", ".png", what="no page and no picture"),
        help="write a page (FILE.html), or a picture (FILE.png)",
    )
    parser.add_argument(
        "--csv",
        metavar="FILE",
        type=output_file(".csv", what="no table"),
        help="write every sample with what is said of it (FILE.csv)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Return 0 where the series was found and all was written, 1 otherwise."""
    try:
        pasts.check(arguments, {"--csv": arguments.csv, "--output": arguments.output})
        found = _account(arguments)
        if arguments.csv is not None:
            write_output("--csv", arguments.csv, partial(_table, found))
        if arguments.output is not None:
            write_output("--output", arguments.output, partial(_draw, found))
    except (SpecError, QueryError, OSError, ValueError) as error:
        print(f"airis-mon analyzer explain: {error}", file=sys.stderr)
        return 1
    if arguments.output is None:
        _told(found)
    return 0


def _account(arguments: argparse.Namespace) -> Account:
    if arguments.values is not None:
        past = pasts.of_file(arguments)
        at = _moment(arguments, float(past.recording.timestamps[-1]))
        if at is not None:
            pasts.within(past, at)
    else:
        past, at = _asked(arguments)
    with pasts.progress("judging") as progress:
        found = account(
            past.name,
            past.recording,
            past.query,
            at=at,
            fit_interval=arguments.fit_interval,
            incidents=pasts.incidents(arguments),
            progress=progress,
        )
    return reasoned(found, past.recording, arguments.fit_interval)


def _moment(arguments: argparse.Namespace, now: float) -> int | None:
    """Return the moment to explain, where one was given."""
    return None if arguments.at is None else flags.instant(arguments.at, now)


def _asked(arguments: argparse.Namespace) -> tuple[pasts.Past, int | None]:
    """Return the series of a Prometheus that is meant, and the moment to explain where one was given."""
    if arguments.series is None:
        raise ValueError('which series? write monitor/signal, or monitor/signal{label="value"}')
    selection = parse(arguments.series)
    possible = queries(selection, pasts.configured(arguments))
    with closing(limits.querier(arguments)) as querier:
        now = querier.now()
        at = _moment(arguments, now)
        since, until = pasts.span(arguments, now, at)
        query, labels = chosen(selection, candidates(querier, possible, since, until))
        found = dict(recordings(querier, query, since, until, flags.schedule(arguments)))
        if labels not in found:
            raise ValueError(f"{selection} has no value at the times that are judged")
        return pasts.Past(shown(query.monitor, query.signal, labels), query, found[labels]), at


def _table(found: Account, file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        table.write(out, found.course)


def _draw(found: Account, file: Path) -> None:
    if file.suffix == ".html":
        file.write_text(page(found), encoding="utf-8")
        return
    try:
        from airis_mon.analyzer.explanation import picture
    except ImportError:
        raise ValueError(
            'a picture needs matplotlib: pip install "airis-mon[charts]"; or write a page, FILE.html'
        ) from None
    picture.write(found, file)


def _told(found: Account) -> None:
    why = found.why
    if why is not None:
        print(f"{found.name} at {moment(why.at)} UTC")
        print(headline(why))
        for reason in reasons(why):
            print(f"  {reason.title}: {reason.text}")
    for episode in found.episodes:
        print(f"episode {line(found, episode)}")

"""Run a past through the service's judgements, and say who would have been told; nothing is written back.

Every scored series of the configuration is judged at each aligned time from what lay before it: when it was
anomalous, how far, who is told after each severity's `for`, and how that compares with the budget of pages.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing

from airis_mon.analyzer.commands import flags, limits, pasts
from airis_mon.analyzer.explanation.account import Account, account
from airis_mon.analyzer.explanation.listing import lines, values
from airis_mon.analyzer.explanation.overview import overview
from airis_mon.analyzer.explanation.selection import fits, parse, queries, shown
from airis_mon.analyzer.explanation.sources import SERIES_MAX, SourceError, recordings
from airis_mon.analyzer.explanation.wording import plural
from airis_mon.analyzer.query import QueryError
from airis_mon.report import output_file, write_output
from airis_mon.spec import SpecError

HELP = "say who would have been told in the past, series by series, and what it cost"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which past, and in which form it is told."""
    parser.add_argument(
        "series",
        metavar="SERIES",
        nargs="*",
        help='what to judge: monitor/signal, or monitor/signal{label="value"} (default: all that is scored)',
    )
    pasts.add_arguments(parser, since="14d")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to report (default: text)"
    )
    parser.add_argument(
        "--html",
        metavar="FILE",
        type=output_file(".html", what="no page"),
        help="write a page with charts as well (FILE.html)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Return 0 where all of it was judged, 1 where a query failed or nothing was found."""
    began = time.monotonic()
    failed = False
    found: list[Account] = []
    told = []
    try:
        pasts.check(arguments, {"--html": arguments.html})
        known = pasts.incidents(arguments)
        for past in _pasts(arguments):
            if isinstance(past, str):
                failed = True
                print(f"airis-mon analyzer replay: {past}", file=sys.stderr)
                continue
            if len(found) == SERIES_MAX:
                raise ValueError(f"more than {SERIES_MAX} series; name some of them: monitor/signal")
            with pasts.progress(past.name) as progress:
                start = time.monotonic()
                one = account(
                    past.name,
                    past.recording,
                    past.query,
                    fit_interval=arguments.fit_interval,
                    incidents=known,
                    progress=progress,
                )
                seconds = time.monotonic() - start
            found.append(one)
            if arguments.format == "text":
                print("\n".join(lines(one, seconds)), flush=True)
            else:
                told.append(values(one, seconds))
        if arguments.html is not None:
            text = overview(found)
            write_output("--html", arguments.html, lambda file: file.write_text(text, encoding="utf-8"))
    except (SpecError, QueryError, OSError, ValueError) as error:
        print(f"airis-mon analyzer replay: {error}", file=sys.stderr)
        return 1
    if found and not any(one.numbers for one in found):
        failed = True
        print("airis-mon analyzer replay: none of the values in that time is a number", file=sys.stderr)
    whole = time.monotonic() - began
    if arguments.format == "json":
        print(json.dumps({"series": told, "seconds": round(whole, 3)}, allow_nan=False))
    else:
        print(_total(found, whole))
    return 1 if failed or not found else 0


def _pasts(arguments: argparse.Namespace) -> Iterator[pasts.Past | str]:
    """Yield every series to judge, or why those of a query could not be read."""
    if arguments.values is not None:
        yield pasts.of_file(arguments)
        return
    configured = pasts.configured(arguments)
    selections = [parse(text) for text in arguments.series]
    chosen = [query for query in configured if query.score]
    if selections:
        wanted = {query for selection in selections for query in queries(selection, configured)}
        chosen = [query for query in chosen if query in wanted]
    with closing(limits.querier(arguments)) as querier:
        since, until = pasts.span(arguments, querier.now())
        for query in chosen:
            try:
                for labels, one in recordings(querier, query, since, until, flags.schedule(arguments)):
                    if not selections or any(fits(selection, query, labels) for selection in selections):
                        yield pasts.Past(shown(query.monitor, query.signal, labels), query, one)
            except QueryError as error:
                yield f"{query.title}: {error}"
            except SourceError as error:
                yield str(error)


def _total(found: list[Account], seconds: float) -> str:
    if not found:
        return "no series had a value in that time"
    severities = dict.fromkeys(severity for one in found for severity in one.waits)
    told = [
        plural(sum(len(one.told(severity)) for one in found if severity in one.waits), severity)
        for severity in severities
    ]
    episodes = plural(sum(len(one.episodes) for one in found), "episode")
    over = [
        one
        for one in found
        if any(one.weekly(severity) > one.query.false_pages_per_week for severity in one.waits)
    ]
    silent = sum(not one.numbers for one in found)
    beyond = f"{len(over)} of them beyond their budget" if over else "all within their budgets"
    if silent:
        beyond = "none has a number" if silent == len(found) else f"{beyond}; {silent:,} without a number"
    return f"{len(found):,} series in {seconds:.1f}s: {episodes}, {', '.join(told)}; {beyond}"

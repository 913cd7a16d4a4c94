"""`airis-mon capacity FILE...`: how many replicas each model needs by when, learnt from its own past."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from airis_mon.analyzer.capacity import CapacityError, Target, samples
from airis_mon.analyzer.query import HttpQuerier, QueryError
from airis_mon.cli import arguments, prometheus, publishing
from airis_mon.cli.capacity import report
from airis_mon.cli.capacity.reading import (
    STEP,
    Account,
    Question,
    account,
)
from airis_mon.cli.capacity.signals import Options, SignalError
from airis_mon.cli.documents import load
from airis_mon.cli.progress import Progress
from airis_mon.cli.wording import problems
from airis_mon.spec import SpecError, format_duration

DAY = 86400
LONGEST = 365 * DAY
"""Seconds of history, and of horizon."""
_HORIZON, _HISTORY = 30 * DAY, 28 * DAY


def run(argv: Sequence[str], _cache: Path) -> int:
    """Return 0 when there is a plan for every monitor, 1 where there is none for one, 2 on wrong usage."""
    parser = _parser()
    args = parser.parse_args(argv)
    target = Target(args.target, args.level, args.spare, per_replica=args.per_replica)
    options = Options(args.load, args.utilisation, args.replicas, args.label)
    accounts: list[Account] = []
    refused: list[str] = []
    try:
        monitors = prometheus.chosen(load(args.files).monitors, args.monitors)
        if len(monitors) > 1 and any((args.load, args.utilisation, args.replicas, args.per_replica)):
            parser.error(
                "--load, --utilisation, --replicas, --per-replica are about one monitor: write --monitor"
            )
        with prometheus.session(args) as session:
            querier = HttpQuerier(args.url, timeout=args.timeout, session=session)
            end = int(querier.now()) // STEP * STEP
            question = Question(end, args.history, args.horizon // DAY, target, options)
            with Progress(sys.stderr) as progress:
                for done, monitor in enumerate(monitors):
                    progress.count(done, len(monitors), f"plans made; now {monitor.name}")
                    try:
                        found = account(monitor, querier, question)
                        if args.write:
                            written = samples(monitor.name, monitor.model.name, found.plan, end)
                            publishing.write(publishing.writer(args, session), written)
                        accounts.append(found)
                    except (SignalError, CapacityError) as error:
                        refused.append(f"airis-mon capacity: {monitor.name}: {error}")
    except SpecError as error:
        print(f"{error}\n\n{problems(error)}", file=sys.stderr)
        return 1
    except (QueryError, SignalError, publishing.PublishingError) as error:
        print(f"airis-mon capacity: {error}", file=sys.stderr)
        return 1
    for line in refused:
        print(line, file=sys.stderr)
    if args.format == "json":
        print(json.dumps([report.plain(one, args.gpus) for one in accounts], indent=2))
    else:
        for one in accounts:
            report.write(sys.stdout, one, args.gpus)
    return int(bool(refused))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airis-mon capacity", description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="documents (YAML)")
    prometheus.add_monitor(parser)
    add("--horizon", type=_days, default=_HORIZON, metavar="DURATION",
        help=f"whole days to look ahead (default: {format_duration(_HORIZON)})")  # fmt: skip
    add("--history", type=_days, default=_HISTORY, metavar="DURATION",
        help=f"whole days to learn from (default: {format_duration(_HISTORY)})")  # fmt: skip
    add("--target-utilisation", dest="target", type=arguments.share, default=0.8, metavar="SHARE",
        help="mean utilisation in the busiest hour that is not to be exceeded; of a latency, share of what "
        "its objective allows (default: %(default)s)")  # fmt: skip
    add("--level", type=_level, default=0.95, metavar="SHARE",
        help="share of days that the upper number is enough for (default: %(default)s)")  # fmt: skip
    add("--spare", type=arguments.count(0), default=0, metavar="N",
        help="replicas beyond what the load needs (default: %(default)s)")  # fmt: skip
    add("--gpus-per-replica", dest="gpus", type=arguments.count(1), default=1, metavar="N",
        help="GPUs of a replica, to count these too (default: %(default)s)")  # fmt: skip
    add("--load", default="", metavar="SIGNAL|PROMQL",
        help="what comes in: a signal of the contract, or PromQL that gives one series (default: the one "
        "that utilisation follows most closely)")  # fmt: skip
    add("--utilisation", default="", metavar="SIGNAL|PROMQL",
        help="average utilisation of a replica, 1 being all of it (default: by the contract, else by the "
        "first objective on a latency)")  # fmt: skip
    add(
        "--replicas",
        default="",
        metavar="PROMQL",
        help="how many replicas run (default: instances of the model)",
    )
    add("--replica-label", dest="label", type=_label, default="instance", metavar="LABEL",
        help="label that tells replicas apart (default: %(default)s)")  # fmt: skip
    add("--per-replica", type=_positive, metavar="LOAD",
        help="load that a replica carries at the target, by a load test: nothing is learnt")  # fmt: skip
    publishing.add_arguments(parser, "replicas that run and that are needed, by `horizon`,")
    add("--format", choices=("table", "json"), default="table", help="how to report (default: table)")
    prometheus.add_arguments(parser)
    return parser


def _days(text: str) -> int:
    found = arguments.duration(text)
    if found % DAY or found > LONGEST:
        raise argparse.ArgumentTypeError(
            f"`{text}`: whole days are needed, from 1d to {format_duration(LONGEST)}"
        )
    return int(found)


def _label(text: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", text):
        raise argparse.ArgumentTypeError(f"`{text}` is no label; write one such as instance or pod")
    return text


def _level(text: str) -> float:
    return arguments.between(text, 0.5, 0.999, "such as 0.95")


def _positive(text: str) -> float:
    return arguments.between(text, 0.0, 1e12, "such as 25")

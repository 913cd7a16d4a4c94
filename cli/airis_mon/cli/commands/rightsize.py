"""`airis-mon rightsize FILE...`: what a model's containers should request, by what they have used."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from airis_mon.analyzer.query import Querier, QueryError
from airis_mon.analyzer.rightsizing import EvidenceError, Settings, advise
from airis_mon.cli import arguments, prometheus
from airis_mon.cli.documents import load
from airis_mon.cli.progress import Progress
from airis_mon.cli.rightsizing import cluster, report
from airis_mon.cli.rightsizing.cluster import STEP, ClusterError, Found, Workload
from airis_mon.cli.wording import problems
from airis_mon.spec import Monitor, SpecError, format_duration

_HISTORY = 14 * 86400
_LONGEST = 90 * 86400


def run(argv: Sequence[str], _cache: Path) -> int:
    """Return 0 when there is advice for every workload, 1 where there is none for one, 2 on wrong usage."""
    parser = _parser()
    args = parser.parse_args(argv)
    if (args.namespace is None) != (args.workload is None):
        parser.error("--namespace and --workload belong together")
    accounts: list[report.Account] = []
    refused: list[str] = []
    try:
        monitors = prometheus.chosen(load(args.files).monitors, args.monitors)
        if args.workload is not None and len(monitors) > 1:
            parser.error("--workload is about one monitor: name it with --monitor")
        with prometheus.querier(args) as querier:
            end = int(querier.now()) // STEP * STEP
            with Progress(sys.stderr) as progress:
                for done, monitor in enumerate(monitors):
                    progress.count(done, len(monitors), f"monitors looked at; now {monitor.name}")
                    try:
                        accounts += _accounts(monitor, args, querier, end)
                    except ClusterError as error:
                        refused.append(f"airis-mon rightsize: {monitor.name}: {error}")
    except SpecError as error:
        print(f"{error}\n\n{problems(error)}", file=sys.stderr)
        return 1
    except QueryError as error:
        print(f"airis-mon rightsize: {error}", file=sys.stderr)
        return 1
    for line in refused:
        print(line, file=sys.stderr)
    _write(args.format, accounts)
    return int(bool(refused) or any(all(one.advice is None for one in account.sized) for account in accounts))


def _accounts(monitor: Monitor, args: argparse.Namespace, querier: Querier, end: int) -> list[report.Account]:
    begin = end - args.history + STEP
    if args.workload is not None:
        of: Sequence[Workload] = [Workload(args.namespace, args.kind, args.workload)]
    else:
        of = cluster.workloads(monitor, querier, begin, end)
    found = [cluster.found(workload, querier, begin, end) for workload in of]
    settings = Settings(args.quantile, args.margin)
    return [report.Account(monitor.name, one, tuple(_sized(one, settings))) for one in found]


def _sized(found: Found, settings: Settings) -> list[report.Sized]:
    made = []
    for one in found.containers:
        try:
            advice = advise(one.usage, one.present, one.killed, settings)
        except EvidenceError as error:
            made.append(report.Sized(one.name, one.present, None, f"nothing is advised: {error}"))
        else:
            made.append(report.Sized(one.name, one.present, advice))
    return made


def _write(form: str, accounts: Sequence[report.Account]) -> None:
    if form == "json":
        print(json.dumps([report.plain(one) for one in accounts], indent=2))
    elif form == "patch":
        patches = [text for one in accounts if (text := report.patch(one))]
        print("---\n".join(patches), end="")
        for one in accounts:
            for note in report.notes(one):
                print(f"note: {one.monitor}: {note}.", file=sys.stderr)
    else:
        for one in accounts:
            report.write(sys.stdout, one)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airis-mon rightsize", description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="documents (YAML)")
    prometheus.add_monitor(parser)
    add("--history", type=_history, default=_HISTORY, metavar="DURATION",
        help=f"past to learn from (default: {format_duration(_HISTORY)})")  # fmt: skip
    add("--namespace", type=_name, metavar="NAME",
        help="namespace of the workload (default: as the labels of the model's series say)")  # fmt: skip
    add("--workload", type=_name, metavar="NAME", help="name of the workload, likewise")
    add("--kind", choices=("Deployment", "StatefulSet"), default="Deployment",
        help="kind of --workload (default: %(default)s)")  # fmt: skip
    add("--quantile", type=_quantile, default=0.95, metavar="SHARE",
        help="share of the time that the request for CPU is enough for, and of days that the one for memory "
        "is (default: %(default)s)")  # fmt: skip
    add("--margin", type=_margin, default=0.15, metavar="SHARE",
        help="part that is added to what was used (default: %(default)s)")  # fmt: skip
    add("--format", choices=("table", "json", "patch"), default="table",
        help="how to report; a patch is for `kubectl patch --patch-file`, and nothing is applied here "
        "(default: table)")  # fmt: skip
    prometheus.add_arguments(parser)
    return parser


def _quantile(text: str) -> float:
    return arguments.between(text, 0.0, 1.0, "such as 0.95")


def _margin(text: str) -> float:
    return arguments.between(text, 0.0, 1.0, "such as 0.15")


def _history(text: str) -> int:
    found = arguments.duration(text)
    if not 3600 <= found <= _LONGEST:
        raise argparse.ArgumentTypeError(f"`{text}`: from 1h to {format_duration(_LONGEST)}")
    return int(found) // STEP * STEP


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", text):
        raise argparse.ArgumentTypeError(f"`{text}` is no name of Kubernetes; write one such as chat")
    return text

"""`airis-mon check FILE...`: every problem of every file, and nothing else."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from airis_mon.alertmanager import compile as alertmanager
from airis_mon.cli import costs, extras, live, secrets, targets
from airis_mon.cli.build import build
from airis_mon.cli.documents import load
from airis_mon.cli.wording import plural, problems
from airis_mon.spec import Bundle, Problem, SpecError

_KINDS = {
    "ModelMonitor": ("monitor", "monitors"),
    "Profile": ("profile", "profiles"),
    "Receiver": ("receiver", "receivers"),
    "EscalationPolicy": ("escalation policy", "escalation policies"),
    "Team": ("team", "teams"),
    "TimeInterval": ("time interval", "time intervals"),
    "Maintenance": ("maintenance", "maintenances"),
}
_ALWAYS = ("ModelMonitor", "Receiver", "EscalationPolicy")


def run(argv: Sequence[str], cache: Path) -> int:
    """Return 0 when every document compiles, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="airis-mon check", description=__doc__, allow_abbrev=False)
    parser.add_argument("files", nargs="+", metavar="FILE", help="documents (YAML)")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to report (default: text)"
    )
    parser.add_argument("--cost", action="store_true", help="say what the rules of each monitor will cost")
    parser.add_argument(
        "--secrets",
        action="store_true",
        help="warn of secret files of receivers that Alertmanager could not read on this machine",
    )
    targets.add_arguments(parser)
    costs.add_arguments(parser)
    live.add_arguments(parser)
    args = parser.parse_args(argv)
    warnings: list[Problem] = []
    try:
        seen = live.inspection(args)
        target = targets.target(args)
        bundle = load(args.files, tell=warnings.append, known=seen.known, target=target)
        build(bundle, target)
        warnings += alertmanager.warnings(bundle)
        warnings += extras.warnings(bundle)
        warnings += seen.warnings(bundle, target.ruler)
        account = costs.account(bundle, target, costs.limits(args, seen), cache)
        warnings += account.warnings
        if args.secrets:
            warnings += secrets.warnings(bundle, target.alertmanager)
    except SpecError as error:
        if args.format == "json":
            print(json.dumps([_plain(problem) for problem in error.problems], indent=2))
        else:
            print(f"{error}\n\n{problems(error)}", file=sys.stderr)
        return 1
    if args.format == "json":
        print(json.dumps([_plain(warning) for warning in warnings], indent=2))
        return 0
    for warning in warnings:
        print(f"{warning}\n", file=sys.stderr)
    if args.cost:
        print(account.table())
    told = plural(len(warnings), "warning") if warnings else "no problems"
    print(f"{_summary(bundle)}: {told}")
    return 0


def _summary(bundle: Bundle) -> str:
    """Return how many documents there are of each kind; that nobody is told is worth a nought."""
    counted = [
        plural(bundle.kinds.get(kind, 0), one, many)
        for kind, (one, many) in _KINDS.items()
        if kind in _ALWAYS or kind in bundle.kinds
    ]
    return ", ".join(counted)


def _plain(problem: Problem) -> dict[str, object]:
    place = problem.location
    return {
        "severity": problem.severity,
        "message": problem.message,
        "file": place and place.file,
        "line": place and place.line,
        "column": place and place.column,
        "path": problem.written,
        "hint": problem.hint,
    }

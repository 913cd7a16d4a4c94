"""`airis-mon canary FILE --baseline MATCHERS --candidate MATCHERS`: promote or roll back."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from airis_mon.analyzer.comparison import Comparison, SideError, Span, compare, samples, unknown
from airis_mon.analyzer.query import HttpQuerier, Querier, QueryError
from airis_mon.analyzer.versions import (
    SINCE,
    Margin,
    Measure,
    Side,
    UncomparableError,
    measures,
    shortest,
    side,
    usual_step,
)
from airis_mon.cli import arguments, comparisons, prometheus, publishing
from airis_mon.cli.documents import load
from airis_mon.cli.expressed import expressed
from airis_mon.cli.progress import Progress
from airis_mon.cli.wording import printable, problems
from airis_mon.exporters.contracts import matchers
from airis_mon.spec import USUAL_ALPHA, Monitor, SpecError, format_duration, parse_duration

PROMOTE, FAILED, WORSE, UNDECIDED = 0, 1, 3, 4
"""Exit codes; 2 is wrong usage."""
CODES = {"better": PROMOTE, "same": PROMOTE, "worse": WORSE, "undecided": UNDECIDED}
"""Exit code of each verdict."""
_STEPS_MAX = 3000
"""Steps of one comparison, where nobody says how long a step is: two days of minutes."""
_STEPS_ALLOWED = 20_000


class _CanaryError(Exception):
    """What keeps versions from being compared, in words."""


def run(argv: Sequence[str], _cache: Path) -> int:
    """Return 0 to promote, 3 to roll back, 4 where it is open, 1 where nothing could be compared."""
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        monitor = _monitor(args)
        chosen = _measures(monitor, args)
        sides = _sides(monitor, args)
        alpha = args.alpha or (USUAL_ALPHA if monitor.canary is None else monitor.canary.alpha)
        left = [one.name for one in monitor.objectives if one.name not in {two.name for two in chosen}]
        if left and not args.metrics:
            print(f"not compared, as they count no operations: {', '.join(left)}",
                  file=sys.stderr)  # fmt: skip
        with prometheus.session(args) as session, Progress(sys.stderr) as progress:
            querier = HttpQuerier(args.url, timeout=args.timeout, session=session)
            named = monitor.name, monitor.model.name
            writer = publishing.writer(args, session)

            def look() -> Comparison:
                span = _span(args, monitor, querier)
                try:
                    seen = compare(querier, chosen, sides, span, alpha=alpha, warm_up=math.ceil(args.warm_up))
                except SideError:
                    if args.write:  # so that whoever waits for a verdict knows that somebody looks
                        publishing.write(writer, samples(*named, sides, unknown(chosen, span)))
                    raise
                if args.write:
                    publishing.write(writer, samples(*named, sides, seen))
                return seen

            found = _watched(args, look, progress)
    except SpecError as error:
        print(f"{error}\n\n{problems(error)}", file=sys.stderr)
        return FAILED
    except (QueryError, SideError, UncomparableError, publishing.PublishingError, _CanaryError) as error:
        print(f"airis-mon canary: {printable(str(error))}", file=sys.stderr)
        return FAILED
    if args.format == "json":
        print(json.dumps(comparisons.plain(monitor, found, alpha), indent=2))
    else:
        comparisons.write(sys.stdout, monitor, found, alpha)
    return CODES[found.verdict]


def _watched(args: argparse.Namespace, look: Callable[[], Comparison], progress: Progress) -> Comparison:
    """Return the comparison: now, or with --watch as soon as it is decided or its time is over."""
    end = time.monotonic() + args.patience
    told = ""
    while True:
        waiting: Exception | None = None
        found: Comparison | None = None
        try:
            found = look()
        except (QueryError, SideError) as error:
            # A version that is being rolled out has no series yet, and a server may be restarted.
            waiting = error
        left = end - time.monotonic()
        if found is not None and (not args.watch or found.verdict != "undecided" or left <= 0):
            return found
        if waiting is not None and (not args.watch or left <= 0):
            raise waiting
        text = str(waiting) if found is None else comparisons.summary(found)
        if text != told:
            progress.notify(printable(text))
            told = text
        time.sleep(max(0.0, min(args.interval, left)))


def _sides(monitor: Monitor, args: argparse.Namespace) -> tuple[Side, Side]:
    given = [args.baseline, args.candidate]
    if monitor.canary is not None:
        written = (monitor.canary.baseline, monitor.canary.candidate)
        given = [one or side(matchers(labels)[1:-1]) for one, labels in zip(given, written, strict=True)]
    missing = [name for name, one in zip(("--baseline", "--candidate"), given, strict=True) if one is None]
    if missing:
        raise _CanaryError(
            f"{' and '.join(missing)}: say which series are whose, such as {missing[0]} 'version=\"1\"', "
            f"or write `canary` into {monitor.name}"
        )
    return given[0], given[1]


def _since(args: argparse.Namespace, step: int) -> float:
    since: float = args.since or min(float(SINCE), _STEPS_ALLOWED * step)
    if args.warm_up >= since:
        raise _CanaryError(
            f"--warm-up: nothing is left of the {format_duration(since)} that are looked at; write less than "
            "that, or a longer --since"
        )
    return since


def _span(args: argparse.Namespace, monitor: Monitor, querier: Querier) -> Span:
    step = _step(args, monitor)
    since = _since(args, step)
    now = int(querier.now()) // step * step
    return Span(now - math.ceil(since / step) * step, now, step)


def _step(args: argparse.Namespace, monitor: Monitor) -> int:
    since: float = args.since or SINCE
    if args.step is None:
        return max(usual_step(monitor), math.ceil(since / _STEPS_MAX / 60) * 60)
    asked: float = args.step
    step = math.ceil(asked)
    if step < (least := shortest(monitor)):
        raise _CanaryError(
            f"--step: the series of {monitor.name} are read each "
            f"{format_duration(monitor.source.scrape_interval)}; write {format_duration(least)} or more"
        )
    if args.since is not None and since / step > _STEPS_ALLOWED:
        raise _CanaryError(f"--step: more than {_STEPS_ALLOWED} steps; write a longer one, or less --since")
    return step


def _monitor(args: argparse.Namespace) -> Monitor:
    found = prometheus.chosen(load(args.files).monitors, args.monitors)
    if not args.monitors and not (args.baseline and args.candidate):
        # Those that say whose series are compared, as long as the flags do not.
        found = [one for one in found if one.canary is not None] or found
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise _CanaryError(f"{len(found)} monitors; choose one with --monitor: {names}")
    return found[0]


def _measures(monitor: Monitor, args: argparse.Namespace) -> tuple[Measure, ...]:
    found = measures(monitor, args.metrics, expressed(monitor))
    names = [one.name for one in found]
    for name, _ in args.margins:
        if name is not None and name not in names:
            raise _CanaryError(f"--margin: {name} is not compared; write one of {', '.join(names)}")
    given = dict(args.margins)
    if monitor.canary is not None and monitor.canary.margin is not None:
        written = Margin(monitor.canary.margin)
        found = tuple(replace(one, margin=written) if one.shares else one for one in found)
    return tuple(
        replace(one, margin=_margin(one, text))
        if (text := given.get(one.name, given.get(None))) is not None
        else one
        for one in found
    )


def _margin(measure: Measure, text: str) -> Margin:
    if text.endswith("%"):
        # Of shares, percent are what a share is written in; of anything else, a part of the baseline's.
        return Margin(float(text[:-1]) / 100, relative=not measure.shares)
    if measure.unit == "seconds":
        try:
            return Margin(parse_duration(text))
        except ValueError as error:
            raise _CanaryError(
                f"--margin {measure.name}={text}: write a duration, or a percentage"
            ) from error
    try:
        value = float(text)
    except ValueError as error:
        raise _CanaryError(f"--margin {measure.name}={text}: write a percentage such as 0.5%") from error
    if measure.shares and value >= 1:
        raise _CanaryError(f"--margin {measure.name}={text}: that is a share; write {text}% if so meant")
    return Margin(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airis-mon canary",
        description="Compare two versions of a model that run beside each other, by the objectives of its "
        "document. The intervals hold whenever somebody looks, and however often. Exit codes: 0 promote "
        "(all is decided, nothing is worse), 3 worse (roll back), 4 undecided, 1 nothing could be compared.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="documents (YAML)")
    add("--baseline", type=_side, metavar="MATCHERS",
        help="series of the version that is there, such as 'version=\"1\"' (default: `canary` of the "
        "document)")  # fmt: skip
    add("--candidate", type=_side, metavar="MATCHERS",
        help="series of the version that may replace it, such as 'version=\"2\"' (default: as "
        "above)")  # fmt: skip
    add("--metric", dest="metrics", action="append", default=[], metavar="NAME",
        help="objective, or mean such as request_duration_mean; may be repeated (default: all "
        "objectives)")  # fmt: skip
    add("--margin", dest="margins", action="append", default=[], type=_margin_text, metavar="[NAME=]VALUE",
        help="what it may be worse by: 0.5%% of operations, 20ms or 5%% of a mean; may be repeated (default: "
        "as the document says, else what the objective allows to fail; 5%% of a mean)")  # fmt: skip
    add("--alpha", type=_alpha, metavar="SHARE",
        help="probability of any wrong verdict, all metrics together (default: as the document says, "
        "else 5%%)")  # fmt: skip
    add("--since", type=arguments.duration, metavar="DURATION",
        help="how far back to look for the candidate's first traffic (default: 1d)")  # fmt: skip
    add("--step", type=arguments.duration, metavar="DURATION",
        help="time whose operations are taken together (default: 1m, longer where --since is more than "
        "2d)")  # fmt: skip
    add("--warm-up", type=arguments.duration, default=0.0, metavar="DURATION",
        help="leave out so much of the candidate's first traffic (default: nothing)")  # fmt: skip
    add("--watch", action="store_true", help="look again until it is decided")
    add("--interval", type=arguments.duration, default=30.0, metavar="DURATION",
        help="time between two looks of --watch (default: 30s)")  # fmt: skip
    add("--timeout", dest="patience", type=arguments.duration, default=3600.0, metavar="DURATION",
        help="how long --watch looks at most (default: 1h)")  # fmt: skip
    publishing.add_arguments(parser, "verdicts and intervals of each look")
    add("--format", choices=("table", "json"), default="table", help="how to report (default: table)")
    prometheus.add_monitor(parser)
    prometheus.add_arguments(parser)
    return parser


def _side(text: str) -> Side:
    try:
        return side(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("; ".join(map(str, error.args))) from error


def _margin_text(text: str) -> tuple[str | None, str]:
    name, equals, value = text.rpartition("=")
    number = value.strip().removesuffix("%")
    try:
        sound = math.isfinite(float(number)) and float(number) >= 0
    except ValueError:
        try:
            sound = parse_duration(value) >= 0
        except ValueError:
            sound = False
    if not sound or (equals and not name):
        raise argparse.ArgumentTypeError(f"`{text[:60]}` is no margin; write 0.5%, 20ms or NAME=0.5%")
    return (name or None), value.strip()


def _alpha(text: str) -> float:
    try:
        found = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        found = math.nan
    if not 1e-6 <= found <= 0.5:
        raise argparse.ArgumentTypeError(
            f"`{text[:20]}` is no such probability; write one such as 5% or 0.01"
        )
    return found

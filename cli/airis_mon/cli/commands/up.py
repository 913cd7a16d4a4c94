"""`airis-mon up [FILE...]`: the whole loop on this machine, until Ctrl-C.

Without FILE nothing is monitored: a plain Prometheus, Alertmanager and sidecar to send to. No analyzer is
started where the documents leave nothing for it, as with `engine: rules`.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from airis_mon.analyzer import compile as analyzer
from airis_mon.cli import arguments, folder, lock, targets
from airis_mon.cli.build import build
from airis_mon.cli.documents import load
from airis_mon.cli.interrupts import noted
from airis_mon.cli.progress import Progress
from airis_mon.cli.proofs import ProofError, prove
from airis_mon.cli.wording import plural, problems
from airis_mon.spec import Artefact, Bundle, SpecError
from airis_mon.stack import (
    AddressTakenError,
    MissingServerError,
    Plan,
    ProcessError,
    ScrapeTarget,
    Stack,
    ports,
    servers,
    start,
)
from airis_mon.stack.launch import NAMES
from airis_mon.stack.plan import RETENTION

_BEYOND = 3 * 86_400.0
"""Seconds that are kept beyond the longest window: blocks go as a whole, and a rule may run late."""


def run(argv: Sequence[str], cache: Path) -> int:
    """Return 0 when it was asked to end, 1 when something did not start or ended by itself.

    130 when it was asked to end before it was ready: nobody may take that for a stack that ran.
    """
    args = _parser().parse_args(argv)
    ready = False
    try:
        with noted() as tick, ExitStack() as ending:
            bundle = load(args.files)
            artefacts = build(bundle, targets.target(args))
            data = args.data or Path(
                ending.enter_context(
                    tempfile.TemporaryDirectory(prefix="airis-mon-", ignore_cleanup_errors=True)
                )
            )
            # First in, last out: held until the last server has ended.
            ending.enter_context(lock.held(data, "airis-mon up"))
            with Progress(sys.stderr) as progress:
                _prepare(args, cache, data / "artefacts", artefacts, progress, tick)
                plan = _plan(args, cache, data, bundle)
                if not plan.analyzer:
                    progress.notify(
                        "rules do all of it: nothing is left for the analyzer, and none is started"
                    )
                stack = ending.enter_context(start(plan, progress.notify, tick))
            _announce(stack, args, data)
            ready = True
            stack.wait(tick)
    except KeyboardInterrupt:
        print("ended" if ready else "ended before it was ready", file=sys.stderr)
        return 0 if ready else 130
    except lock.InUseError as error:
        print(error, file=sys.stderr)
    except SpecError as error:
        print(f"{error}\n\n{problems(error)}; nothing was started", file=sys.stderr)
    except ProofError as error:
        print(
            f"{error}\n\n{plural(len(error.failures), 'proof')} failed; nothing was started", file=sys.stderr
        )
    except (MissingServerError, AddressTakenError, ProcessError, folder.FolderError) as error:
        print(f"{error}\nEverything that was started has been ended.", file=sys.stderr)
    except OSError as error:
        print(f"airis-mon up: {error}\nEverything that was started has been ended.", file=sys.stderr)
    return 1


def _prepare(
    args: argparse.Namespace,
    cache: Path,
    target: Path,
    artefacts: Sequence[Artefact],
    progress: Progress,
    tick: Callable[[], None],
) -> None:
    """Prove the artefacts and put them where the servers will read them."""

    def count(done: int, total: int, artefact: str) -> None:
        tick()
        progress.count(done, total, artefact)

    tools = {}
    for name, server in (("promtool", args.prometheus), ("amtool", args.alertmanager)):
        beside = servers.located(server).parent / name if server is not None else None
        given = beside if beside is not None and beside.exists() else None
        with contextlib.suppress(MissingServerError):
            tools[name] = servers.find(name, given=given, cache=cache, notify=progress.notify)
        tick()  # Ctrl-C ends a download too, and that is no missing server
    with folder.staged(target, artefacts) as stage:
        if len(tools) == 2:
            progress.notify("proving rules and routes")
            prove(stage, promtool=tools["promtool"], amtool=tools["amtool"], progress=count)
        else:
            # Servers in containers need no tools on this machine; `build` insists on them.
            progress.done("not proven: promtool and amtool are not here (`airis-mon doctor`)")
        folder.install(stage, target, artefacts)


def _plan(args: argparse.Namespace, cache: Path, data: Path, bundle: Bundle) -> Plan:
    plan = Plan(
        artefacts=data / "artefacts",
        data=data,
        scrape=tuple(args.scrape),
        scrape_interval=args.scrape_interval,
        evaluation_interval=args.evaluation_interval,
        # Without documents it is a stack to try things out on, with all of its parts.
        analyzer=analyzer.watched(bundle) or not args.files,
        analyzer_interval=args.analyzer_interval,
        analyzer_step=args.analyzer_step,
        retention=retention(bundle),
        prometheus=args.prometheus,
        alertmanager=args.alertmanager,
        cache=cache,
    )
    return dataclasses.replace(
        plan, **{f"{name}_address": getattr(args, f"{name}_address") for name in NAMES}
    )


def retention(bundle: Bundle) -> float:
    """Return the seconds that Prometheus has to keep, so that no document looks back further than that."""
    windows = [objective.window for monitor in bundle.monitors for objective in monitor.objectives]
    for monitor in bundle.monitors:
        windows += map(monitor.history, monitor.anomalies)
        windows += map(monitor.history, monitor.forecasts)
        windows += map(monitor.history, monitor.thresholds)
    return max(RETENTION, max(windows, default=0.0) + _BEYOND)


def _announce(stack: Stack, args: argparse.Namespace, data: Path) -> None:
    urls = dataclasses.asdict(stack.urls)
    if args.json:
        print(json.dumps(urls), flush=True)
        return
    for name, url in urls.items():
        if url is not None:
            print(f"{NAMES[name]:14}{url}")
    print(f"{'data':14}{data}{'' if args.data else ' (removed at the end; --data DIR keeps it)'}")
    print("Ctrl-C ends all of it.", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airis-mon up",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("files", nargs="*", metavar="FILE", help="documents (YAML)")
    add("--json", action="store_true", help="print the URLs as one JSON line, and nothing else, on stdout")
    add("--prometheus", type=servers.argument, metavar="BIN",
        help="Prometheus to run (default: PATH, else unpacked)")  # fmt: skip
    add("--alertmanager", type=servers.argument, metavar="BIN",
        help="Alertmanager to run (default: likewise)")  # fmt: skip
    add("--data", type=folder.argument, metavar="DIR",
        help="keep all data here (default: a folder that is removed)")  # fmt: skip
    add("--scrape", action="append", default=[], type=_target, metavar="JOB=HOST:PORT",
        help="an application to read /metrics from; may be repeated")  # fmt: skip
    for name, title in NAMES.items():
        add(f"--{name}.listen-address", dest=f"{name}_address", default="127.0.0.1:0", type=_address,
            metavar="HOST:PORT", help=f"where the {title} listens (default: a free port)")  # fmt: skip
    for flag, default, what in (
        ("scrape-interval", 5.0, "how often Prometheus reads /metrics"),
        ("evaluation-interval", 5.0, "how often rules are evaluated"),
        ("analyzer-interval", 60.0, "how often the analyzer runs"),
        ("analyzer-step", 60.0, "resolution of what the analyzer reads"),
    ):
        add(f"--{flag}", type=arguments.duration, default=default, metavar="DURATION",
            help=f"{what} (default: {default:g}s)")  # fmt: skip
    targets.add_arguments(parser)
    return parser


def _target(text: str) -> ScrapeTarget:
    job, equals, address = text.partition("=")
    if not job or not equals:
        raise argparse.ArgumentTypeError(
            f"`{text}` is no target; write JOB=HOST:PORT, such as chat=127.0.0.1:8000"
        )
    return ScrapeTarget(job, _address(address))


def _address(text: str) -> str:
    try:
        return ports.join(*ports.split(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error

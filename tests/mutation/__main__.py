"""Break rules and routes in every known way: `make mutate ARGS="[--every N] [--only TEXT]"`.

There are ten thousand mutants; one in ten is tried unless told otherwise (`--every 1`): a quarter of an hour.

A mutant survives where all proofs that concern it pass. The last line is one JSON object: `mutants`, how
many were tried, and `survived`, how many no proof noticed; the exit code is 1 where there is any. Before
anything is broken, the proofs of what is whole have to hold: a proof that always fails notices everything.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from airis_mon.cli.build import build
from airis_mon.cli.documents import load
from airis_mon.cli.folder import staged
from airis_mon.cli.proofs import prove
from airis_mon.cli.targets import Target
from airis_mon.rules.compile import Ruler, prover
from airis_mon.spec import Bundle
from airis_mon.stack import servers
from airis_mon.stack.servers import Server
from tests.mutation import routes, rules

DOCUMENTS = Path(__file__).with_name("documents.yaml")


def bundle(promtool: tuple[int, ...]) -> Bundle:
    """Return the documents whose rules and routes are broken: small, and with one of each kind.

    What that version of promtool cannot prove is left out.
    """
    found = load([DOCUMENTS])
    provable = tuple(monitor for monitor in found.monitors if prover([monitor]) <= promtool[:2])
    for left in {monitor.name for monitor in found.monitors} - {monitor.name for monitor in provable}:
        print(f"{left}: left out, promtool is too old to prove it", file=sys.stderr)
    return replace(found, monitors=provable)


def trials(
    whole: Bundle, promtool: Server, amtool: Server, folder: Path
) -> list[tuple[str, Callable[[], bool]]]:
    """Return what every mutant is, and how to find out whether it survives."""
    found: list[tuple[str, Callable[[], bool]]] = [
        (mutant.what, partial(mutant.survives, promtool, folder))
        for monitor in whole.monitors
        for mutant in rules.mutants(monitor)
    ]
    found += [
        (mutant.what, partial(mutant.survives, promtool, amtool, folder)) for mutant in routes.mutants(whole)
    ]
    return found


def main() -> int:
    """Run all, or every so many."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--every", type=int, default=10, metavar="N", help="try one of N mutants (10)")
    parser.add_argument(
        "--promtool",
        type=Path,
        metavar="BIN",
        help="promtool to prove with; native histograms need 3.0 (PATH, Debian)",
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="try mutants that this is part of")
    arguments = parser.parse_args()
    cache = servers.default_cache(os.environ)
    promtool, amtool = (
        servers.find(name, given=given, cache=cache, notify=lambda text: print(text, file=sys.stderr))
        for name, given in (("promtool", arguments.promtool), ("amtool", None))
    )
    whole = bundle(promtool.version)
    target = Target(ruler=Ruler(prover(whole.monitors)))
    with tempfile.TemporaryDirectory(prefix="airis-mon-mutants-") as name, ThreadPoolExecutor(2) as pool:
        folder = Path(name)
        with staged(folder / "whole", build(whole, target)) as stage:
            prove(stage, promtool=promtool, amtool=amtool)
        chosen = [trial for trial in trials(whole, promtool, amtool, folder) if arguments.only in trial[0]][
            :: arguments.every
        ]
        survived = []
        for done, ((what, _), alive) in enumerate(
            zip(chosen, pool.map(lambda trial: trial[1](), chosen), strict=True), 1
        ):
            if alive:
                survived.append(what)
                print(f"survived: {what}", file=sys.stderr, flush=True)
            if done % 50 == 0:
                print(f"{done}/{len(chosen)}", file=sys.stderr, flush=True)
    print(json.dumps({"mutants": len(chosen), "survived": len(survived)}))
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())

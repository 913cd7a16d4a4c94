"""`airis-mon build FILE... -o DIR`: derive every file, prove all of them, then replace the old ones."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from airis_mon.cli import folder, targets
from airis_mon.cli.build import build
from airis_mon.cli.documents import load
from airis_mon.cli.interrupts import interruptible
from airis_mon.cli.progress import Progress
from airis_mon.cli.proofs import Proof, ProofError, prove
from airis_mon.cli.wording import plural, problems
from airis_mon.spec import SpecError
from airis_mon.stack import MissingServerError, servers


def run(argv: Sequence[str], cache: Path) -> int:
    """Return 0 when the folder holds what the documents say, 1 when it was left as it was."""
    args = _parser().parse_args(argv)
    try:
        with interruptible(), Progress(sys.stderr) as progress:
            done = _build(args, cache, progress)
        print(done)
        return 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except SpecError as error:
        print(f"{error}\n\n{problems(error)}; {args.output} is as it was", file=sys.stderr)
    except ProofError as error:
        print(
            f"{error}\n\n{plural(len(error.failures), 'proof')} failed; {args.output} is as it was",
            file=sys.stderr,
        )
    except (MissingServerError, folder.FolderError) as error:
        print(error, file=sys.stderr)
    return 1


def _build(args: argparse.Namespace, cache: Path, progress: Progress) -> str:
    """Return what was done to the output folder, in words."""
    artefacts = build(load(args.files), targets.target(args))
    promtool = servers.find("promtool", given=args.promtool, cache=cache, notify=progress.notify)
    amtool = servers.find("amtool", given=args.amtool, cache=cache, notify=progress.notify)
    start = time.monotonic()
    progress.notify(f"proving {plural(len(artefacts), 'file')} with {_tool(promtool)} and {_tool(amtool)}")
    with folder.staged(args.output, artefacts) as stage:
        proofs = prove(stage, promtool=promtool, amtool=amtool, progress=progress.count)
        seconds = time.monotonic() - start
        changes = folder.install(stage, args.output, artefacts)
    progress.done(f"proved with {_tool(promtool)} and {_tool(amtool)} in {seconds:.1f} s:\n{summary(proofs)}")
    return (
        f"{args.output}: {plural(len(changes.written), 'file')} written, {len(changes.unchanged)} unchanged, "
        f"{len(changes.removed)} removed"
    )


def summary(proofs: Sequence[Proof]) -> str:
    """Return a line per kind of proof: how many, and how long they took together."""
    numbers = Counter(proof.what for proof in proofs)
    return "\n".join(
        f"  {number:4d} x {what:12} {sum(proof.seconds for proof in proofs if proof.what == what):6.1f} s"
        for what, number in sorted(numbers.items())
    )


def _tool(server: servers.Server) -> str:
    return f"{server.name} {'.'.join(map(str, server.version))}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airis-mon build", description=__doc__, allow_abbrev=False)
    parser.add_argument("files", nargs="+", metavar="FILE", help="documents (YAML)")
    parser.add_argument("-o", "--output", required=True, type=folder.argument, metavar="DIR",
        help="folder to write to")  # fmt: skip
    parser.add_argument(
        "--promtool", type=servers.argument, metavar="BIN", help="promtool to prove the rules with"
    )
    parser.add_argument(
        "--amtool", type=servers.argument, metavar="BIN", help="amtool to prove the routes with"
    )
    targets.add_arguments(parser)
    return parser

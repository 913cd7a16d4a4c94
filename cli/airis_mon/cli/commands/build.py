"""`airis-mon build FILE... -o DIR`: derive every file, prove all of them, then replace the old ones."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from airis_mon.alertmanager import compile as alertmanager
from airis_mon.cli import costs, extras, folder, live, source, targets
from airis_mon.cli.build import derive
from airis_mon.cli.documents import load
from airis_mon.cli.interrupts import interruptible
from airis_mon.cli.progress import Progress
from airis_mon.cli.proofs import Memory, Proof, ProofError, prove
from airis_mon.cli.wording import plural, problems
from airis_mon.rules import compile as rules
from airis_mon.spec import Problem, SpecError
from airis_mon.stack import MissingServerError, servers

NAMED = 20
"""Proofs that ran and are told by name."""


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
    folder.check(args.output)
    warnings: list[Problem] = []
    seen, target = live.inspection(args), targets.target(args)
    bundle = load(args.files, tell=warnings.append, known=seen.known, target=target)
    promtool = servers.find("promtool", given=args.promtool, cache=cache, notify=progress.notify)
    check_prover(promtool, rules.prover(bundle.monitors))
    amtool = servers.find("amtool", given=args.amtool, cache=cache, notify=progress.notify)
    start = time.monotonic()
    derived = derive(
        bundle,
        target,
        generator=f"{source.digest()} {promtool} {amtool}",
        before={} if args.again else folder.derivations(args.output),
    )
    artefacts = derived.artefacts
    warnings += alertmanager.warnings(bundle)
    warnings += extras.warnings(bundle)
    warnings += seen.warnings(bundle, target.ruler, progress.count)
    account = costs.account(bundle, target, costs.limits(args, seen), cache)
    for warning in (*warnings, *account.warnings):
        progress.done(f"{warning}\n")
    progress.done(account.table(costs.SHOWN))
    memory = Memory(None if args.again else cache / "proofs")
    progress.notify(f"proving {plural(len(artefacts), 'file')} with {_tool(promtool)} and {_tool(amtool)}")
    with folder.staged(args.output, artefacts) as stage:
        proofs = prove(stage, promtool=promtool, amtool=amtool, memory=memory, progress=progress.count)
        seconds = time.monotonic() - start
        changes = folder.install(stage, args.output, artefacts, derived.documents)
    memory.forget()
    progress.done(f"proved with {_tool(promtool)} and {_tool(amtool)} in {seconds:.1f} s:\n{summary(proofs)}")
    return (
        f"{args.output}: {plural(len(changes.written), 'file')} written, {len(changes.unchanged)} unchanged, "
        f"{len(changes.removed)} removed"
    )


def check_prover(promtool: servers.Server, needed: tuple[int, int]) -> None:
    """Raise MissingServerError where promtool is too old to write down what has to be proven."""
    if promtool.version[:2] < needed:
        oldest = ".".join(map(str, needed))
        reason = f"{_tool(promtool)} cannot test native histograms, and nothing is emitted unproven"
        advice = (
            f"name one of {oldest} or newer with --promtool BIN,"
            " or leave `native` out of latencies and `native_histograms` out of sources"
        )
        raise MissingServerError(f"{reason}\nWhat helps: {advice}", [reason], advice)


def summary(proofs: Sequence[Proof]) -> str:
    """Return a line per kind of proof: how many, how long they took together, which were known."""
    lines = []
    for what in sorted({proof.what for proof in proofs}):
        of_kind = [proof for proof in proofs if proof.what == what]
        ran = [proof for proof in of_kind if not proof.known]
        known = f", {len(of_kind) - len(ran)} known already" if len(ran) < len(of_kind) else ""
        lines.append(f"  {len(ran):5d} x {what:12} {sum(proof.seconds for proof in ran):6.1f} s{known}")
        if what == "test rules":
            lines += [f"          {proof.artefact}  {proof.seconds:.1f} s" for proof in ran[:NAMED]]
            lines += [f"          and {len(ran) - NAMED} more"] if len(ran) > NAMED else []
    return "\n".join(lines)


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
    parser.add_argument(
        "--again", action="store_true", help="derive and prove everything, whatever earlier builds did"
    )
    targets.add_arguments(parser)
    costs.add_arguments(parser)
    live.add_arguments(parser)
    return parser

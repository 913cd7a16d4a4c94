"""`airis-mon apply FILE... -o DIR`: derive, prove, replace DIR at once, have servers read it, or put it back.

DIR is a link to a release below DIR.releases. A server that does not take the new files is told to read the
old ones again, and nothing has changed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from filecmp import cmp
from pathlib import Path

import requests
import yaml

from airis_mon.alertmanager import compile as alertmanager
from airis_mon.analyzer.access import Access, access
from airis_mon.cli import costs, folder, live, lock, targets
from airis_mon.cli.build import build
from airis_mon.cli.commands.build import check_prover, summary
from airis_mon.cli.documents import load
from airis_mon.cli.interrupts import interruptible
from airis_mon.cli.live.client import checked_url
from airis_mon.cli.progress import Progress
from airis_mon.cli.proofs import Memory, ProofError, prove
from airis_mon.cli.proofs.routes import CONFIG
from airis_mon.cli.releases import Releases
from airis_mon.cli.reloading import ReloadError, Server
from airis_mon.cli.wording import plural, problems
from airis_mon.rules import compile as rules
from airis_mon.spec import Artefact, Problem, SpecError
from airis_mon.stack import MissingServerError, servers


def run(argv: Sequence[str], cache: Path) -> int:
    """Return 0 when the servers work by what the documents say, 1 when everything is as it was."""
    args = _parser().parse_args(argv)
    try:
        with interruptible(), Progress(sys.stderr) as progress:
            print(_apply(args, cache, progress))
        return 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except SpecError as error:
        print(f"{error}\n\n{problems(error)}; {args.output} is as it was", file=sys.stderr)
    except ProofError as error:
        failed = plural(len(error.failures), "proof")
        print(f"{error}\n\n{failed} failed; {args.output} is as it was", file=sys.stderr)
    except (MissingServerError, folder.FolderError, lock.InUseError, ReloadError) as error:
        print(error, file=sys.stderr)
    return 1


def _apply(args: argparse.Namespace, cache: Path, progress: Progress) -> str:
    warnings: list[Problem] = []
    seen, target = live.inspection(args), targets.target(args)
    bundle = load(args.files, tell=warnings.append, known=seen.known, target=target)
    session = (Access() if args.access is None else access(args.access)).session()
    releases = Releases(args.output)
    releases.current()  # what can be no link is told at once
    promtool = servers.find("promtool", given=args.promtool, cache=cache, notify=progress.notify)
    check_prover(promtool, rules.prover(bundle.monitors))
    amtool = servers.find("amtool", given=args.amtool, cache=cache, notify=progress.notify)
    artefacts = build(bundle, target)
    warnings += alertmanager.warnings(bundle)
    warnings += seen.warnings(bundle, target.ruler, progress.count)
    account = costs.account(bundle, target, costs.limits(args, seen), cache)
    for warning in (*warnings, *account.warnings):
        progress.done(f"{warning}\n")
    told = [Server("Prometheus", url) for url in args.prometheus]
    told += [Server("Alertmanager", url) for url in args.alertmanager]
    progress.notify(f"proving {plural(len(artefacts), 'file')}")
    with releases.held():
        before = releases.current()
        with releases.staged(artefacts) as stage:
            memory = Memory(cache / "proofs")
            proofs = prove(stage, promtool=promtool, amtool=amtool, memory=memory, progress=progress.count)
            progress.done(f"proved:\n{summary(proofs)}")
            same = before is not None and _same(before, stage, artefacts)
            release = before if same else releases.keep(stage)
        _switch(releases, before, release, told, _Expected(artefacts, args.output, session), progress)
        releases.forget(before, release)
    files = "as it was" if same else f"{plural(len(artefacts), 'file')} in place"
    heard = ", ".join(f"{server.kind} at {server.url}" for server in told)
    return f"{args.output}: {files}{f'; read by {heard}' if heard else ''}"


def _switch(
    releases: Releases,
    before: Path | None,
    release: Path | None,
    told: Sequence[Server],
    expected: _Expected,
    progress: Progress,
) -> None:
    """Let a release hold and have it read; where a server does not take it, put back the one before."""
    session = expected.session
    if release != before:
        releases.switch(release)
    done: list[Server] = []
    try:
        for server in told:
            progress.notify(f"telling {server.kind} at {server.url}")
            done.append(server)
            server.reload(session)
        for server in told:
            expected.check(server)
    except BaseException as error:
        if release == before:
            raise
        releases.switch(before)
        releases.forget(before)
        lost = []
        for server in done if before is not None else ():
            try:
                server.reload(session)
            except ReloadError as again:
                if str(again) != str(error):
                    lost.append(str(again))
        if isinstance(error, ReloadError):
            text = f"{error}\n\n{releases.link} is as it was"
            raise ReloadError("\n".join([text, *lost])) from error
        raise


class _Expected:
    """What servers have to work by once they have read their files."""

    def __init__(self, artefacts: Sequence[Artefact], output: Path, session: requests.Session) -> None:
        self.session = session
        self._output = output
        self._groups = [
            group
            for artefact in artefacts
            if artefact.path.startswith("rules/") and artefact.path.count("/") == 1
            for group in yaml.load(artefact.text, Loader=_LOADER)["groups"]  # noqa: S506  a safe one
        ]
        (routes,) = (artefact for artefact in artefacts if artefact.path == CONFIG)
        self._config = yaml.load(routes.text, Loader=_LOADER)  # noqa: S506  a safe one

    def check(self, server: Server) -> None:
        """Raise ReloadError where a server works by something else."""
        if server.kind == "Prometheus":
            server.check_rules(self.session, self._groups, self._output)
        else:
            server.check_routes(self.session, self._config, self._output)


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _same(release: Path, stage: Path, artefacts: Sequence[Artefact]) -> bool:
    paths = {artefact.path for artefact in artefacts}
    there = {path.relative_to(release).as_posix() for path in release.rglob("*") if path.is_file()}
    return paths == there and all(cmp(release / path, stage / path, shallow=False) for path in paths)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airis-mon apply", description=__doc__, allow_abbrev=False)
    parser.add_argument("files", nargs="+", metavar="FILE", help="documents (YAML)")
    parser.add_argument("-o", "--output", required=True, type=folder.argument, metavar="DIR",
        help="link to what holds; the servers read their files below it")  # fmt: skip
    parser.add_argument("--prometheus", type=_url, action="append", default=[], metavar="URL",
        help="Prometheus to tell; may be given several times")  # fmt: skip
    parser.add_argument("--alertmanager", type=_url, action="append", default=[], metavar="URL",
        help="Alertmanager to tell; may be given several times")  # fmt: skip
    parser.add_argument("--http.config.file", dest="access", type=Path, metavar="FILE",
        help="who we are to them, in the format of promtool's --http.config.file")  # fmt: skip
    parser.add_argument("--promtool", type=servers.argument, metavar="BIN", help="promtool to prove with")
    parser.add_argument("--amtool", type=servers.argument, metavar="BIN", help="amtool to prove with")
    targets.add_arguments(parser)
    costs.add_arguments(parser)
    live.add_arguments(parser)
    return parser


def _url(text: str) -> str:
    try:
        return checked_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error

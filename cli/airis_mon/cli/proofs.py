"""Nothing is emitted unproven: promtool and amtool have the last word on what was derived."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from airis_mon.stack.servers import Server

_NOT_RUN = (126, 127)
"""How `env` says that a program cannot be started."""
_DEADLINE = 300.0
"""Seconds for one run of a tool."""
_SHOWN = 40
"""Lines of a tool's complaint that an error shows; the first failure is told first."""
_WIDEST = 1_000
"""Characters of one of those lines."""


@dataclass(frozen=True)
class Proof:
    """One thing that a tool has confirmed."""

    artefact: str
    """Path below the folder."""
    what: str
    """`check rules`, `test rules`, `check-config` or `routes test`."""
    seconds: float


@dataclass(frozen=True)
class Failure:
    """One thing that a tool has refuted."""

    artefact: str
    command: str
    output: str

    def __str__(self) -> str:
        """Artefact, command, and what the tool said, indented."""
        said = "\n".join(f"    {line}" for line in self.output.splitlines()) or "    (it said nothing)"
        return f"{self.artefact}: `{self.command}` failed:\n{said}"


class ProofError(Exception):
    """Artefacts that a tool refuted, all of them."""

    def __init__(self, failures: tuple[Failure, ...]) -> None:
        self.failures = failures
        super().__init__("\n".join(map(str, failures)))


@dataclass(frozen=True)
class _Claim:
    artefact: str
    what: str
    tool: Server
    arguments: tuple[str, ...]


def prove(
    folder: Path,
    *,
    promtool: Server,
    amtool: Server,
    progress: Callable[[int, int, str], None] = lambda _done, _total, _artefact: None,
    workers: int = 2,
) -> tuple[Proof, ...]:
    """Run every proof of what `build` wrote to `folder` and return them, sorted.

    `progress` hears of each finished one: how many of how many, and of which artefact. Raises ProofError with
    every failure, not the first.
    """
    claims = [*_rules(folder, promtool), *_routes(folder, amtool)]
    proofs: list[Proof] = []
    failures: list[Failure] = []
    # promtool leaves its databases behind when it is interrupted, so they lie where they are swept up.
    scratch = tempfile.TemporaryDirectory(prefix="airis-mon-proofs-", ignore_cleanup_errors=True)
    with scratch as temporary, ThreadPoolExecutor(workers) as pool:
        pending = [pool.submit(_run, folder, claim, temporary) for claim in claims]
        try:
            for done, future in enumerate(as_completed(pending), 1):
                result = future.result()
                if isinstance(result, Proof):
                    proofs.append(result)
                else:
                    failures.append(result)
                progress(done, len(claims), result.artefact)
        except BaseException:  # Ctrl-C: what runs may end, what waits never begins
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if failures:
        raise ProofError(tuple(sorted(failures, key=lambda failure: (failure.artefact, failure.command))))
    return tuple(sorted(proofs, key=lambda proof: (proof.artefact, proof.what)))


def _rules(folder: Path, promtool: Server) -> list[_Claim]:
    claims = []
    for path in sorted((folder / "rules").glob("*.rules.yaml")):
        name = path.relative_to(folder).as_posix()
        claims.append(
            _Claim(name, "check rules", promtool, ("check", "rules", "--lint=all", "--lint-fatal", name))
        )
    for path in sorted((folder / "rules" / "proofs").glob("*.test.yaml")):
        name = path.relative_to(folder).as_posix()
        claims.append(_Claim(name, "test rules", promtool, ("test", "rules", name)))
    return claims


def _routes(folder: Path, amtool: Server) -> list[_Claim]:
    config, cases = "alertmanager/alertmanager.yaml", "alertmanager/routes.test.yaml"
    claims = []
    if (folder / config).exists():
        claims.append(_Claim(config, "check-config", amtool, ("check-config", config)))
    if (folder / cases).exists():
        content: Mapping[str, Any] = yaml.safe_load((folder / cases).read_text(encoding="utf-8")) or {}
        for case in content.get("cases") or ():
            labels = [f"{label}={_quoted(str(value))}" for label, value in case["labels"].items()]
            receivers = f"--verify.receivers={','.join(case['receivers'])}"
            arguments = ("config", "routes", "test", f"--config.file={config}", receivers, *labels)
            claims.append(_Claim(cases, "routes test", amtool, arguments))
    return claims


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _run(folder: Path, claim: _Claim, temporary: str) -> Proof | Failure:
    start = time.monotonic()
    command = " ".join((claim.tool.name or claim.tool.path.name, *claim.arguments))
    try:
        done = subprocess.run(
            ["env", f"TMPDIR={temporary}", str(claim.tool.path), *claim.arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_DEADLINE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Failure(claim.artefact, command, f"it did not end within {_DEADLINE:.0f} s")
    if done.returncode in _NOT_RUN:
        return Failure(
            claim.artefact, command, f"{claim.tool.path} does not run: {_head(done.stdout.strip())}"
        )
    if done.returncode != 0:
        return Failure(claim.artefact, command, _head(done.stdout.strip()))
    return Proof(claim.artefact, claim.what, time.monotonic() - start)


def _head(output: str) -> str:
    lines = output.splitlines()
    more = [f"[... {len(lines) - _SHOWN} more lines]"] if len(lines) > _SHOWN else []
    return "\n".join([*(line[:_WIDEST] for line in lines[:_SHOWN]), *more])

"""One run of a tool, and what came of it."""

from __future__ import annotations

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from airis_mon.stack.servers import Server

_NOT_RUN = (126, 127)
"""How `env` says that a program cannot be started."""
_DEADLINE = 300.0
"""Seconds for one run of a tool."""
GARBAGE = "GOGC=400"
"""The tools live for seconds: they may hold more memory, and spend a sixth less on collecting it."""
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
    known: bool = False
    """Whether the same was proven before: by an earlier build, or for another monitor of this one."""


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
class Run:
    """A tool to be called."""

    artefacts: tuple[str, ...]
    """What it proves."""
    what: str
    tool: Server
    arguments: tuple[str, ...]
    """`{}` in one of them stands for a file that holds `input`."""
    keys: tuple[str, ...] = ()
    """By what the verdict on each artefact is remembered; empty where it is not."""
    known: bool = False
    """Whether it is remembered, and need not be run."""
    parts: tuple[Run, ...] = ()
    """Runs to ask instead where this one fails: they tell better what is wrong."""
    input: str | None = None

    def proofs(self, seconds: float = 0.0, *, known: bool = True) -> list[Proof]:
        """Return what is proven when it has ended well."""
        return [Proof(name, self.what, seconds / len(self.artefacts), known) for name in self.artefacts]


def execute(run: Run, folder: Path, scratch: str) -> list[Proof | Failure]:
    """Call the tool in a folder; what it leaves behind lies in `scratch`."""
    start = time.monotonic()
    if run.input is None:
        failure = _called(run, run.arguments, folder, scratch)
    else:
        with tempfile.NamedTemporaryFile("w", dir=scratch, suffix=".yaml", encoding="utf-8") as file:
            file.write(run.input)
            file.flush()
            arguments = tuple(argument.replace("{}", file.name) for argument in run.arguments)
            failure = _called(run, arguments, folder, scratch)
    if failure is None:
        return [*run.proofs(time.monotonic() - start, known=False)]
    if not run.parts:
        return [failure]
    found = [result for part in run.parts for result in execute(part, folder, scratch)]
    # Where each part by itself is well, what failed is that they are together.
    return found if any(isinstance(result, Failure) for result in found) else [failure]


def _called(run: Run, arguments: tuple[str, ...], folder: Path, scratch: str) -> Failure | None:
    command = " ".join((run.tool.name or run.tool.path.name, *arguments))
    artefact = run.artefacts[0]
    try:
        done = subprocess.run(
            ["env", f"TMPDIR={scratch}", GARBAGE, str(run.tool.path), *arguments],
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
        return Failure(artefact, command, f"it did not end within {_DEADLINE:.0f} s")
    if done.returncode in _NOT_RUN:
        return Failure(artefact, command, f"{run.tool.path} does not run: {_head(done.stdout.strip())}")
    if done.returncode != 0:
        return Failure(artefact, command, _head(done.stdout.strip()))
    return None


def _head(output: str) -> str:
    lines = output.splitlines()
    more = [f"[... {len(lines) - _SHOWN} more lines]"] if len(lines) > _SHOWN else []
    return "\n".join([*(line[:_WIDEST] for line in lines[:_SHOWN]), *more])

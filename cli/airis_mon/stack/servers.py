"""Where the real programs are: prometheus, promtool, alertmanager, amtool.

An explicit path wins, then PATH, then Debian's packages in the user's cache. (Docker Compose, which stands
between the last two, runs servers and not tools: see :mod:`airis_mon.stack.compose`.)
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from airis_mon.stack import debian

_VERSION = r"\b{name},? version v?(\d+)\.(\d+)\.(\d+)"
_SHOWN = 200
"""Characters that an error shows of what a program said."""
_VERSION_DEADLINE = 30.0
"""Seconds for `--version`: a cold binary of 100 MB on a slow disk takes a few."""


@dataclass(frozen=True)
class Program:
    """One of the programs that AIRIS-MON runs, and does not bring."""

    name: str
    binaries: tuple[str, ...]
    """Names on PATH, the most telling first."""
    package: str
    """Debian's package."""


PROGRAMS: Mapping[str, Program] = {
    program.name: program
    for program in (
        Program("prometheus", ("prometheus",), "prometheus"),
        Program("promtool", ("promtool",), "prometheus"),
        Program("alertmanager", ("prometheus-alertmanager", "alertmanager"), "prometheus-alertmanager"),
        Program("amtool", ("amtool",), "prometheus-alertmanager"),
    )
}


@dataclass(frozen=True)
class Server:
    """A program that was found, and that runs."""

    path: Path
    cwd: Path | None
    """Folder that it has to be started in, where that matters."""
    version: tuple[int, ...]
    name: str = ""
    origin: str = ""
    """How it was found: `given`, `PATH` or `Debian package`."""

    def __str__(self) -> str:
        """Name, version, place."""
        return f"{self.name} {'.'.join(map(str, self.version))} ({self.origin}: {self.path})"


class MissingServerError(Exception):
    """A program is nowhere; the text says what was tried and what to type."""

    def __init__(self, text: str, reasons: Sequence[str], advice: str) -> None:
        super().__init__(text)
        self.reasons = tuple(reasons)
        """What was tried, and why it was not that."""
        self.advice = advice
        """What to type."""


def default_cache(environ: Mapping[str, str]) -> Path:
    """Return AIRIS-MON's folder in the user's cache, as the XDG base directory specification has it."""
    root = environ.get("XDG_CACHE_HOME", "")
    # The specification: a relative path is to be ignored.
    return (Path(root) if root.startswith("/") else Path.home() / ".cache") / "airis-mon"


def argument(text: str) -> Path:
    """Return the program that a command line names: absolute where it has a slash, else a bare name."""
    return Path(text).expanduser().absolute() if "/" in text else Path(text)


def located(given: Path, search_path: str | None = None) -> Path:
    """Return the file that is meant by `given`: a bare name is looked up in PATH first."""
    bare = os.sep not in str(given)
    found = shutil.which(str(given), path=search_path) if bare and given.name else None
    return (given if found is None else Path(found)).expanduser().absolute()


def find(
    name: str,
    *,
    given: Path | None = None,
    cache: Path | None = None,
    search_path: str | None = None,
    unpack: bool = True,
    fetch: bool = True,
    notify: Callable[[str], None] = lambda _: None,
) -> Server:
    """Return the program `name`, a key of PROGRAMS.

    `given` is an explicit path, or a name on PATH, and the only one tried. `search_path` is spelled as PATH,
    which it replaces. `cache` is where packages are unpacked (default: below the home folder), unless
    `unpack` is false; without `fetch` only what is unpacked already counts. Raises MissingServerError.
    """
    program = PROGRAMS[name]
    if given is not None:
        return _given(program, given, search_path)
    tried: list[str] = []
    for binary in program.binaries:
        path = shutil.which(binary, path=search_path)
        if path is None:
            tried.append(f"PATH has no {binary}")
            continue
        try:
            return Server(Path(path), None, version(Path(path), name), name, "PATH")
        except ProgramError as error:
            tried.append(str(error))
    if unpack:
        try:
            return _debian(program, (cache or default_cache({})).absolute(), fetch, notify)
        except (debian.UnpackError, ProgramError) as error:
            tried.append(f"Debian's package {program.package}: {error}")
    advice = _advice(program)
    lines = [f"{name} is not to be found:", *(f"  - {reason}" for reason in tried)]
    raise MissingServerError("\n".join([*lines, f"What helps: {advice}"]), tried, advice)


class ProgramError(Exception):
    """A file that does not run, or is another program."""


class _SlowError(ProgramError):
    """A program that did not answer in time, which says nothing about the file."""


def version(path: Path, name: str, cwd: Path | None = None) -> tuple[int, ...]:
    """Run `path --version` and return (major, minor, patch); ProgramError where it is not program `name`."""
    try:
        done = subprocess.run(
            [str(path), "--version"],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # kingpin's older releases answer there
            text=True,
            errors="replace",
            timeout=_VERSION_DEADLINE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _SlowError(f"{path} --version did not end within {_VERSION_DEADLINE:.0f} s") from error
    except OSError as error:
        raise ProgramError(f"{path} does not run: {error.strerror or error}") from error
    if done.returncode != 0:
        said = (done.stdout.strip().splitlines() or ["nothing"])[0][:_SHOWN]
        raise ProgramError(f"{path} --version ended with exit code {done.returncode} and said: {said}")
    match = re.search(_VERSION.format(name=name), done.stdout)
    if match is None:
        raise ProgramError(f"{path} is no {name}")
    return tuple(int(part) for part in match.groups())


def _given(program: Program, given: Path, search_path: str | None) -> Server:
    path = located(given, search_path)
    try:
        if os.sep not in str(given) and not path.exists():
            raise ProgramError(f"PATH has no {given}, and there is no file {path}")
        return Server(path, None, version(path, program.name), program.name, "given")
    except ProgramError as error:
        reason = f"{program.name}: {error}"
        raise MissingServerError(reason, [reason], _advice(program)) from error


def _debian(program: Program, cache: Path, fetch: bool, notify: Callable[[str], None]) -> Server:
    root = debian.unpacked(program.package, cache)
    if root is None:
        if not fetch:
            raise debian.UnpackError("it is not unpacked yet")
        return _unpacked(program, debian.folder(program.package, cache, notify))
    try:
        return _unpacked(program, root)
    except _SlowError:
        raise
    except ProgramError as error:
        if not fetch:
            raise
        try:
            return _unpacked(program, debian.renewed(program.package, cache, root, notify))
        except debian.UnpackError as failure:
            raise ProgramError(f"{error}; remove {root} and try again ({failure})") from failure


def _unpacked(program: Program, root: Path) -> Server:
    path = next(
        (root / "usr/bin" / name for name in program.binaries if (root / "usr/bin" / name).exists()), None
    )
    if path is None:
        raise ProgramError(f"{root}/usr/bin has no {program.binaries[0]}")
    cwd = root if program.name == "alertmanager" else None
    return Server(path, cwd, version(path, program.name, cwd), program.name, "Debian package")


def _advice(program: Program) -> str:
    """Return what to type on this machine."""
    if debian.possible():
        return f"apt-get install {program.package}, or name the file with --{program.name} BIN"
    file = f"name the file with --{program.name} BIN (https://prometheus.io/download/)"
    # Docker Compose runs servers and not tools.
    return f"{file}, or install Docker" if program.name in ("prometheus", "alertmanager") else file

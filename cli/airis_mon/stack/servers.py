"""Where the real programs are: prometheus, promtool, alertmanager, amtool.

An explicit path wins, then PATH, then Debian's packages in the user's cache. (Docker Compose, which stands
between the last two, runs servers and not tools: see :mod:`airis_mon.stack.compose`.)
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from airis_mon.stack import debian

_VERSION = re.compile(r"version v?(\d+)\.(\d+)\.(\d+)")
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


def default_cache(environ: Mapping[str, str]) -> Path:
    """Return AIRIS-MON's folder in the user's cache, as the XDG base directory specification has it."""
    root = environ.get("XDG_CACHE_HOME", "")
    # The specification: a relative path is to be ignored.
    return (Path(root) if root.startswith("/") else Path.home() / ".cache") / "airis-mon"


def find(
    name: str,
    *,
    given: Path | None = None,
    cache: Path | None = None,
    search_path: str | None = None,
    unpack: bool = True,
    notify: Callable[[str], None] = lambda _: None,
) -> Server:
    """Return the program `name`, a key of PROGRAMS.

    `given` is an explicit path and the only one tried. `search_path` is spelled as PATH, which it replaces.
    `cache` is where packages are unpacked (default: below the home folder), unless `unpack` is false. Raises
    MissingServerError.
    """
    program = PROGRAMS[name]
    if given is not None:
        return _given(program, given)
    tried: list[str] = []
    for binary in program.binaries:
        path = shutil.which(binary, path=search_path)
        if path is None:
            tried.append(f"PATH has no {binary}")
            continue
        try:
            return Server(Path(path), None, version(Path(path)), name, "PATH")
        except ProgramError as error:
            tried.append(str(error))
    if unpack:
        try:
            return _debian(program, cache or default_cache({}), notify)
        except (debian.UnpackError, ProgramError) as error:
            tried.append(f"Debian's package {program.package}: {error}")
    raise MissingServerError(_missing(program, tried))


class ProgramError(Exception):
    """A file that does not run, or does not say its version."""


def version(path: Path, cwd: Path | None = None) -> tuple[int, ...]:
    """Run `path --version` and return (major, minor, patch); ProgramError where that does not work."""
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
        raise ProgramError(f"{path} --version did not end within {_VERSION_DEADLINE:.0f} s") from error
    except OSError as error:
        raise ProgramError(f"{path} does not run: {error.strerror or error}") from error
    match = _VERSION.search(done.stdout)
    if done.returncode != 0 or match is None:
        raise ProgramError(f"{path} --version says `{done.stdout.strip()[:200]}`, which is no version")
    return tuple(int(part) for part in match.groups())


def _given(program: Program, path: Path) -> Server:
    path = Path(path).expanduser().absolute()
    try:
        return Server(path, None, version(path), program.name, "given")
    except ProgramError as error:
        raise MissingServerError(f"{program.name}: {error}") from error


def _debian(program: Program, cache: Path, notify: Callable[[str], None]) -> Server:
    root = debian.folder(program.package, cache.absolute(), notify)
    path = next(
        (root / "usr/bin" / name for name in program.binaries if (root / "usr/bin" / name).exists()), None
    )
    if path is None:
        raise ProgramError(f"{root}/usr/bin has no {program.binaries[0]}; remove {root} and try again")
    cwd = root if program.name == "alertmanager" else None
    return Server(path, cwd, version(path, cwd), program.name, "Debian package")


def _missing(program: Program, tried: list[str]) -> str:
    lines = [f"{program.name} is not to be found:", *(f"  - {reason}" for reason in tried)]
    lines.append(f"Install it (apt-get install {program.package}), or say where it is: --{program.name} BIN")
    return "\n".join(lines)

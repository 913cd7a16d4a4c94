"""`airis-mon doctor`: what is here, what is missing, and what to type."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from airis_mon.stack import AddressTakenError, MissingServerError, compose, debian, ports, servers

EXTRAS: Mapping[str, Mapping[str, str]] = {
    "cli": {
        "yaml": "PyYAML",
        "promql_parser": "promql-parser",
        "grafana_foundation_sdk": "grafana-foundation-sdk",
        "requests": "requests",
        "rich": "rich",
    },
    "sidecar": {
        "aiohttp": "aiohttp",
        "bcrypt": "bcrypt",
        "cramjam": "cramjam",
        "msgspec": "msgspec",
        "re2": "google-re2",
        "opentelemetry.proto": "opentelemetry-proto",
        "uvloop": "uvloop",
    },
    "postgresql": {"psycopg": "psycopg"},
    "analyzer": {"cramjam": "cramjam", "numpy": "numpy", "google.protobuf": "protobuf"},
    "charts": {"matplotlib": "matplotlib"},
    "statsmodels": {"statsmodels": "statsmodels", "threadpoolctl": "threadpoolctl"},
    "demo": {"aiosmtpd": "aiosmtpd", "sklearn": "scikit-learn"},
}
"""Extra -> module -> distribution, as in pyproject.toml."""
OPTIONAL = {"charts", "demo", "postgresql", "statsmodels"}

_GOOD, _MISSING, _OPTIONAL = "ok", "MISSING", "-"


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    state: str
    what: str
    detail: str
    advice: str | None = None
    """What to type; None where nothing has to be done."""


def run(argv: Sequence[str], cache: Path) -> int:
    """Print the findings; return 1 when something that is needed is missing."""
    parser = argparse.ArgumentParser(prog="airis-mon doctor", description=__doc__, allow_abbrev=False)
    for name in servers.PROGRAMS:
        parser.add_argument(f"--{name}", type=servers.argument, metavar="BIN", help=f"{name} to look at")
    args = parser.parse_args(argv)
    missing = 0
    for finding in _findings({name: getattr(args, name) for name in servers.PROGRAMS}, cache):
        missing += finding.state == _MISSING
        print(f"{finding.state:8} {finding.what:14} {finding.detail}")
        if finding.advice is not None:
            print(f"{'':24}-> {finding.advice}")
    print(f"\n{missing} missing" if missing else "\neverything that is needed is here")
    return 1 if missing else 0


def _findings(given: Mapping[str, Path | None], cache: Path) -> Iterator[Finding]:
    yield Finding(_GOOD, "python", f"{platform.python_version()} ({sys.executable})")
    for extra in EXTRAS:
        yield _extra(extra)
    for name in servers.PROGRAMS:
        yield _program(name, given[name], cache)
    if compose.available():
        yield Finding(_GOOD, "docker", "Docker Compose, and a daemon that runs")
    else:
        yield Finding(
            _OPTIONAL, "docker", "no Docker Compose with a daemon (optional: servers in containers)"
        )
    for name, purpose in (("go", "builds other versions of the servers"), ("helm", "installs the chart")):
        path = shutil.which(name)
        yield Finding(
            _OPTIONAL if path is None else _GOOD, name, path or f"not on PATH (optional: {purpose})"
        )
    try:
        yield Finding(_GOOD, "ports", f"free ones on 127.0.0.1, such as {ports.free_port()}")
    except AddressTakenError as error:
        yield Finding(_MISSING, "ports", str(error), "let this user listen on 127.0.0.1")


def _extra(extra: str) -> Finding:
    absent = [name for module, name in EXTRAS[extra].items() if not _importable(module)]
    if not absent:
        found = ", ".join(f"{name} {_version(name)}" for name in EXTRAS[extra].values())
        return Finding(_GOOD, f"[{extra}]", found)
    state = _OPTIONAL if extra in OPTIONAL else _MISSING
    return Finding(state, f"[{extra}]", f"without {', '.join(absent)}", f'pip install "airis-mon[{extra}]"')


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the parent of a dotted name
        return False


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "?"


def _program(name: str, given: Path | None, cache: Path) -> Finding:
    program = servers.PROGRAMS[name]
    try:
        # Whatever is unpacked already is found; nothing is downloaded for the asking.
        found = servers.find(name, given=given, cache=cache, fetch=False)
    except MissingServerError as error:
        if given is None and debian.possible():
            damaged = debian.unpacked(program.package, cache)
            state = "not here yet" if damaged is None else f"damaged in {damaged}"
            detail = f"{state}; Debian's {program.package} is unpacked when next needed, without root"
            return Finding(_GOOD, name, detail)
        return Finding(_MISSING, name, "; ".join(error.reasons), error.advice)
    return Finding(_GOOD, name, f"{'.'.join(map(str, found.version))} ({found.origin}: {found.path})")

"""The Prometheus that a command reads the past from: its options, and who we are to it.

It needs numpy, with the analyzer, so that no command may import it that does without.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from airis_mon.analyzer.access import Access, access
from airis_mon.analyzer.query import HttpQuerier
from airis_mon.cli.arguments import duration
from airis_mon.cli.live.client import checked_url
from airis_mon.spec import Monitor, Problem, SpecError, did_you_mean, format_duration

_TIMEOUT = 60.0
"""Seconds for one answer: weeks of a quantile take a while."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options from which `querier` is made."""
    add = parser.add_argument
    add("--prometheus.url", dest="url", type=url, default="http://127.0.0.1:9090", metavar="URL",
        help="Prometheus that holds the past (default: %(default)s)")  # fmt: skip
    add("--prometheus.http-config", dest="access", type=Path, metavar="FILE",
        help="who we are to it, as in promtool's --http.config.file")  # fmt: skip
    add("--prometheus.timeout", dest="timeout", type=duration, default=_TIMEOUT, metavar="DURATION",
        help=f"how long one answer may take (default: {format_duration(_TIMEOUT)})")  # fmt: skip


def add_monitor(parser: argparse.ArgumentParser) -> None:
    """Add the option from which `chosen` is told its names."""
    parser.add_argument("--monitor", dest="monitors", action="append", default=[], metavar="NAME",
        help="this ModelMonitor only; several times")  # fmt: skip


def chosen(monitors: Sequence[Monitor], names: Sequence[str]) -> list[Monitor]:
    """Return the monitors of those names, all without names; SpecError where one is not there."""
    known = {monitor.name: monitor for monitor in monitors}
    missing = [name for name in names if name not in known]
    if missing:
        raise SpecError(
            [
                Problem(f"there is no ModelMonitor `{name}` in these files", hint=did_you_mean(name, known))
                for name in missing
            ]
        )
    if not known:
        raise SpecError([Problem("there is no ModelMonitor in these files")])
    return [known[name] for name in names] if names else list(known.values())


@contextmanager
def session(arguments: argparse.Namespace) -> Iterator[requests.Session]:
    """Yield what knows who we are; SpecError where the file of that cannot be used."""
    who = Access() if arguments.access is None else access(arguments.access)
    with who.session() as found:
        yield found


@contextmanager
def querier(arguments: argparse.Namespace) -> Iterator[HttpQuerier]:
    """Yield what asks that Prometheus; SpecError where the file of who we are cannot be used."""
    with session(arguments) as known:
        yield HttpQuerier(arguments.url, timeout=arguments.timeout, session=known)


def url(text: str) -> str:
    """Return an argument that is the root of a server, or a route of it."""
    try:
        return checked_url(text)
    except ValueError as error:
        # It speaks of the option of `--live`.
        text = str(error).replace("--live.http-config", "--prometheus.http-config")
        raise argparse.ArgumentTypeError(text) from error

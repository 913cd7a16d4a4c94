"""How a command reads a Prometheus: options, and what comes of them."""

from __future__ import annotations

import argparse
from pathlib import Path

import requests

from airis_mon.analyzer.query import HttpQuerier
from airis_mon.cli.live.access import Access, access
from airis_mon.cli.live.client import checked_url
from airis_mon.spec import format_duration, parse_duration

_TIMEOUT = 30.0
"""Seconds for one answer: a day of raw samples may be large."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options from which `querier` is made."""
    add = parser.add_argument
    add("--prometheus.url", dest="url", type=_url, default="http://127.0.0.1:9090", metavar="URL",
        help="Prometheus that has the series (default: %(default)s)")  # fmt: skip
    add("--prometheus.http-config", dest="http_config", type=Path, metavar="FILE",
        help="who we are to it, as in promtool's --http.config.file")  # fmt: skip
    add("--prometheus.timeout", dest="query_timeout", type=duration, default=_TIMEOUT, metavar="DURATION",
        help=f"how long one answer may take (default: {format_duration(_TIMEOUT)})")  # fmt: skip


def querier(arguments: argparse.Namespace) -> HttpQuerier:
    """Return what asks the server that the options name; SpecError where a file of them cannot be used."""
    who = Access() if arguments.http_config is None else access(arguments.http_config)
    session = requests.Session()
    session.trust_env = False  # no password out of a .netrc that nobody thought of
    session.headers.update(who.headers)
    session.auth, session.verify, session.cert = who.user, who.verify, who.certificate
    return HttpQuerier(arguments.url, timeout=arguments.query_timeout, session=session)


def duration(text: str) -> float:
    """Return the seconds that an option says, more than none."""
    try:
        found = parse_duration(text)
    except ValueError as error:  # what is wrong, and what to write
        raise argparse.ArgumentTypeError("; ".join(map(str, error.args))) from error
    if found <= 0:
        raise argparse.ArgumentTypeError(f"`{text}` is not longer than nothing")
    return found


def _url(text: str) -> str:
    try:
        return checked_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            str(error).replace("--live.http-config", "--prometheus.http-config")
        ) from error

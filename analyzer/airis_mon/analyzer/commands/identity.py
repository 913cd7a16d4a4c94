"""Flags of who we are to the servers that are read from and written to: a tenant, a token, a certificate.

A server that is read from and written to is told the same by both; another one hears nothing that is not its.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from pathlib import Path

from airis_mon.analyzer.access import Access, access
from airis_mon.http import same_server
from airis_mon.remote_write import RESERVED
from airis_mon.spec import Problem, SpecError

_HEADER = re.compile(r"(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(?P<value>[\x20-\x7e]*)\Z")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add who we are to the server that is read from: `prometheus_access`, `prometheus_headers`."""
    _add(parser, "--prometheus", "to it")
    _add_header(parser, "--prometheus", "with each question")


def add_writing(parser: argparse.ArgumentParser) -> None:
    """Add who we are to the server that is written to: `remote_write_access`, `remote_write_headers`."""
    same = "; where that is the server of --prometheus.url, what is said there is said here too"
    _add(parser, "--remote-write", f"to --remote-write.url{same}")
    _add_header(parser, "--remote-write", "with each write")


def reading(arguments: argparse.Namespace) -> Access | None:
    """Return who we are to the server that is read from, None for nobody in particular.

    SpecError where the file cannot be used.
    """
    return _told(arguments.prometheus_access, arguments.prometheus_headers)


def writing(arguments: argparse.Namespace) -> Access | None:
    """Return who we are to the server that is written to; SpecError where the file cannot be used."""
    file, headers = arguments.remote_write_access, arguments.remote_write_headers
    url = arguments.remote_write_url
    if url is None or same_server(url, arguments.prometheus_url):
        file = file or arguments.prometheus_access
        headers = [*arguments.prometheus_headers, *headers]
    return _told(file, headers)


def _add(parser: argparse.ArgumentParser, server: str, whom: str) -> None:
    parser.add_argument(
        f"{server}.http-config",
        dest=f"{_dest(server)}_access",
        metavar="FILE",
        type=Path,
        help="who we are, as in promtool's --http.config.file: name and password, token, certificates, "
        f"headers, each secret in a file of its own; {whom}",
    )


def _add_header(parser: argparse.ArgumentParser, server: str, when: str) -> None:
    parser.add_argument(
        f"{server}.header",
        dest=f"{_dest(server)}_headers",
        metavar="'NAME: VALUE'",
        type=_header,
        action="append",
        default=[],
        help=f"header to send {when}, such as 'X-Scope-OrgID: chat' (may be given several times); a secret "
        f"belongs into the file of {server}.http-config",
    )


def _dest(server: str) -> str:
    return server.removeprefix("--").replace("-", "_")


def _told(file: Path | None, headers: list[tuple[str, str]]) -> Access | None:
    if file is None and not headers:
        return None
    who = Access() if file is None else access(file)
    for name in who.headers:
        if name.lower() in RESERVED:
            raise SpecError([Problem(f"{file}: header {name} is the protocol's own; leave it out")])
    given = {name.lower() for name, _ in headers}
    kept = {name: value for name, value in who.headers.items() if name.lower() not in given}
    return replace(who, headers={**kept, **dict(headers)})


def _header(text: str) -> tuple[str, str]:
    found = _HEADER.match(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"`{text}` is no header; write 'NAME: VALUE'")
    if found["name"].lower() in RESERVED:
        raise argparse.ArgumentTypeError(f"`{found['name']}` is the protocol's own; leave it out")
    return found["name"], found["value"].strip()

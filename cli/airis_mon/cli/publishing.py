"""What a command found out, written to Prometheus as series where `--write` asks for it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import requests

from airis_mon.cli import prometheus
from airis_mon.http import same_server
from airis_mon.remote_write import Delivery, HttpWriter, Sample, Writer


class PublishingError(Exception):
    """What was found out could not be written; the text says why."""


def add_arguments(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the options that say whether and where `what` is written."""
    add = parser.add_argument
    add("--write", action="store_true", help=f"write {what} to Prometheus as series")
    add("--remote-write.url", dest="write_url", type=prometheus.url, metavar="URL",
        help="where to write (default: /api/v1/write of --prometheus.url)")  # fmt: skip


def writer(arguments: argparse.Namespace, session: requests.Session) -> Writer:
    """Return what writes where the options say."""
    url = arguments.write_url or f"{arguments.url.rstrip('/')}/api/v1/write"
    # Who we are to one server is nothing that another one has to hear.
    known = session if same_server(url, arguments.url) else None
    return HttpWriter(Delivery(url, session=known))


def write(to: Writer, samples: Sequence[Sample]) -> None:
    """Write samples; PublishingError where one is not taken."""
    result = to.write(samples)
    if result.dropped or result.errors:
        raise PublishingError(f"--write: {'; '.join(result.errors) or 'not all samples were taken'}")

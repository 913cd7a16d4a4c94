"""What the derived files have to fit: the oldest Alertmanager that reads them, the Grafana they link to."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass

from airis_mon.alertmanager import compile as alertmanager
from airis_mon.spec import Bundle


@dataclass(frozen=True)
class Target:
    """Where the derived files go."""

    alertmanager: tuple[int, int] = alertmanager.OLDEST
    """Oldest version that has to accept them."""
    grafana_url: str | None = None
    """Root of the Grafana that messages link to; without it they carry no such link."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options from which `target` is read."""
    oldest = ".".join(map(str, alertmanager.OLDEST))
    parser.add_argument(
        "--alertmanager-version", type=_version, default=alertmanager.OLDEST, metavar="MAJOR.MINOR",
        help=f"oldest Alertmanager that has to accept the routes (default: {oldest})",
    )  # fmt: skip
    parser.add_argument(
        "--grafana-url", type=_url, metavar="URL", help="root of the Grafana that messages link to"
    )


def target(arguments: argparse.Namespace) -> Target:
    """Return what the options say."""
    return Target(arguments.alertmanager_version, arguments.grafana_url)


def _version(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"v?(\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"`{text}` is no version; write one such as 0.27")
    found = int(match[1]), int(match[2])
    if found < alertmanager.OLDEST:
        oldest = ".".join(map(str, alertmanager.OLDEST))
        raise argparse.ArgumentTypeError(f"`{text}` is too old; {oldest} is the oldest that is supported")
    return found


def _url(text: str) -> str:
    try:
        alertmanager.artefacts(Bundle(), grafana_url=text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text

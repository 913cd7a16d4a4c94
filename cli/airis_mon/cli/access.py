"""How a command reaches a running Alertmanager, and says who asks: options, and the files they name."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from urllib.parse import urlsplit

import requests

from airis_mon.cli.silences import Silences

_SECRET_MAX = 8192


class AccessError(Exception):
    """A file with a name and password, or a token, that is none."""


def add_arguments(parser: argparse.ArgumentParser, *, optional_for: str | None = None) -> None:
    """Add the options from which `silences` is made; `optional_for` says what for, where none is needed."""
    purpose = f", {optional_for}" if optional_for is not None else ""
    parser.add_argument(
        "--alertmanager.url", dest="urls", type=_url, action="append", required=not purpose, metavar="URL",
        help=f"root of Alertmanager{purpose}; given several times, the first of a cluster's that answers",
    )  # fmt: skip
    who = parser.add_mutually_exclusive_group()
    who.add_argument(
        "--alertmanager.basic-auth-file", dest="basic", type=Path, metavar="FILE",
        help="file whose one line is user:password",
    )  # fmt: skip
    who.add_argument(
        "--alertmanager.bearer-file", dest="bearer", type=Path, metavar="FILE",
        help="file whose one line is a token, sent as `Authorization: Bearer`",
    )  # fmt: skip


def silences(arguments: argparse.Namespace) -> Silences:
    """Return what the options lead to; AccessError where a file cannot be used."""
    session = requests.Session()
    # Neither ~/.netrc nor a name in the URL says who asks, only what was given.
    session.auth = _unauthenticated
    if arguments.basic is not None:
        user, colon, password = _line(arguments.basic).partition(":")
        if not colon or not user:
            raise AccessError(f"{arguments.basic} does not hold user:password")
        session.auth = (user, password)
    elif arguments.bearer is not None:
        session.headers["Authorization"] = f"Bearer {_line(arguments.bearer)}"
    return Silences(arguments.urls, session=session)


def _unauthenticated(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_SECRET_MAX + 1)
    except OSError as error:
        raise AccessError(f"cannot read {path}: {error.strerror}") from error
    try:
        text = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        text = "\n"
    if len(content) > _SECRET_MAX or not text or not text.isprintable():
        raise AccessError(f"{path} does not hold one line of text of at most {_SECRET_MAX} bytes")
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if not re.fullmatch(r"https?://[^\s?#]+", text) or not parts.hostname:
        raise argparse.ArgumentTypeError(f"`{text}` is no URL; write one such as http://127.0.0.1:9093")
    if parts.username is not None:
        raise argparse.ArgumentTypeError(
            "user and password do not belong in a URL, which everybody on this machine can read; "
            "write --alertmanager.basic-auth-file FILE"
        )
    return text

"""Flags that several actions share, and what they mean."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from airis_mon.analyzer.commands import identity
from airis_mon.analyzer.methods.cells import DAY, Cells
from airis_mon.analyzer.schedule import FIT_INTERVAL, INTERVAL, STEP, Schedule
from airis_mon.analyzer.shards import COUNT_MAX, Shard
from airis_mon.analyzer.storage import TTL
from airis_mon.spec import format_duration, parse_duration

_WORKERS_MAX = 64


def add_config(parser: argparse.ArgumentParser, more: str = "", *, required: bool = True) -> None:
    """Add where the queries are: `config_file`."""
    parser.add_argument(
        "--config.file",
        dest="config_file",
        metavar="FILE",
        type=Path,
        required=required,
        help=f"analyzer.yaml as `airis-mon build` writes it{more}",
    )


def add_servers(parser: argparse.ArgumentParser) -> None:
    """Add where series are read and written, and who we are there: `prometheus_url`, `remote_write_url`."""
    add_server(parser)
    parser.add_argument(
        "--remote-write.url",
        dest="remote_write_url",
        metavar="URL",
        type=_url,
        help="where to write (default: /api/v1/write of --prometheus.url)",
    )


def add_server(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add where series are read: `prometheus_url`; and who we are there."""
    parser.add_argument(
        "--prometheus.url",
        dest="prometheus_url",
        metavar="URL",
        type=_url,
        required=required,
        help="root of the Prometheus-compatible server to read from",
    )
    identity.add_reading(parser)


def reading(arguments: argparse.Namespace) -> str:
    """Return the root of the server to read from."""
    return str(arguments.prometheus_url).rstrip("/")


def writing(arguments: argparse.Namespace) -> str:
    """Return where to write."""
    return str(arguments.remote_write_url or f"{reading(arguments)}/api/v1/write")


def add_schedule(parser: argparse.ArgumentParser) -> None:
    """Add how often what is done: `interval`, `step`, `fit_interval`."""
    for flag, dest, read, default, meaning in (
        ("--interval", "interval", _seconds, INTERVAL, "time between two evaluations"),
        ("--step", "step", _step, STEP, "distance of the points of history that are learnt from"),
        ("--fit.interval", "fit_interval", _seconds, FIT_INTERVAL, "time between two fits of a model"),
    ):
        parser.add_argument(
            flag,
            dest=dest,
            metavar="DURATION",
            type=read,
            default=default,
            help=f"{meaning} (default: {format_duration(default)})",
        )


def schedule(arguments: argparse.Namespace) -> Schedule:
    """Return the schedule that the flags say."""
    return Schedule(arguments.interval, arguments.step, arguments.fit_interval)


def add_storage(parser: argparse.ArgumentParser) -> None:
    """Add where what was learnt is kept: `storage_path`, `storage_ttl`."""
    parser.add_argument(
        "--storage.path",
        dest="storage_path",
        metavar="FOLDER",
        type=Path,
        help="keep what was learnt there: a restart need not learn it anew (default: nowhere)",
    )
    parser.add_argument(
        "--storage.ttl",
        dest="storage_ttl",
        metavar="DURATION",
        type=_seconds,
        default=TTL,
        help=f"what was kept is not used when it is older (default: {format_duration(TTL)})",
    )


FOLDER = "name a folder that may be written to; one that is not there is made"
"""What a flag of a folder wants."""


class PathError(Exception):
    """A path that cannot be used as a flag wants; the text says which, why, and what to write."""


@contextmanager
def usable(flag: str, path: Path, wanted: str) -> Iterator[None]:
    """Let PathError say which flag is meant where a path cannot be used; `wanted` is what to name instead."""
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise PathError(f"{flag}: `{path}` is no folder, or lies in none: {wanted}") from error
    except OSError as error:
        raise PathError(f"{flag}: `{path}` cannot be used: {error.strerror or error}; {wanted}") from error


def add_shard(parser: argparse.ArgumentParser) -> None:
    """Add which share of all queries is this process': `shard_index`, `shard_count`."""
    parser.add_argument(
        "--shard.index",
        dest="shard_index",
        metavar="I",
        type=whole(0, COUNT_MAX - 1),
        help="which of --shard.count shares of all queries is judged, counted from 0; each query is in one, "
        "with all its series",
    )
    parser.add_argument(
        "--shard.count",
        dest="shard_count",
        metavar="N",
        type=whole(1, COUNT_MAX),
        help="how many analyzers share all queries (default: this one has all of them)",
    )


class ShardError(ValueError):
    """Flags that say no share of the queries; the text says what to write."""


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add how many processes share what this one is given: `workers`."""
    parser.add_argument(
        "--workers",
        dest="workers",
        metavar="N",
        type=whole(1, _WORKERS_MAX),
        default=1,
        help="processes of this machine among which the queries are divided; each has its own part of the "
        "queue's bytes, and asks --query.concurrency questions at once (default: %(default)s)",
    )


def shards(arguments: argparse.Namespace) -> tuple[Shard, ...]:
    """Return the share of each worker; ShardError."""
    try:
        return shard(arguments).split(arguments.workers)
    except ValueError as error:
        raise ShardError(str(error)) from error


def shard(arguments: argparse.Namespace) -> Shard:
    """Return the share that the flags say; ValueError, with what to write, where they say none."""
    index, count = arguments.shard_index, arguments.shard_count
    if (index is None) != (count is None):
        given, missing = ("index", "count") if count is None else ("count", "index")
        raise ValueError(f"--shard.{given} needs --shard.{missing}, such as --shard.index 0 --shard.count 2")
    return Shard() if index is None else Shard(index, count)


def add_concurrency(parser: argparse.ArgumentParser) -> None:
    """Add how many questions are asked at once: `query_concurrency`."""
    parser.add_argument(
        "--query.concurrency",
        dest="query_concurrency",
        metavar="N",
        type=whole(1, 64),
        default=4,
        help="queries whose newest values are asked for at once (default: %(default)s)",
    )


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number within limits."""

    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and least <= int(text[:19]) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"`{text}` is no whole number from {least} to {most}")

    return read


def add_log(parser: argparse.ArgumentParser) -> None:
    """Add what is logged: `log_level`."""
    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help="least severe log line to write (default: %(default)s)",
    )


def time(text: str) -> datetime | float:
    """Return a moment, or how many seconds ago: what a flag says of when."""
    try:
        return parse_duration(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"`{text}` is no time; write `2026-11-01T00:00:00Z`, or how long ago, such as `7d`"
        )
    return found


def instant(given: datetime | float, now: float) -> int:
    """Return a moment in seconds since the epoch."""
    return int(given.timestamp()) if isinstance(given, datetime) else int(now - given)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"`{text}` is no URL; write http://HOST:PORT, or https://...")
    return text


def duration(text: str) -> int:
    """Return whole seconds, from a second to some months."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("; ".join(map(str, error.args))) from error
    if seconds != int(seconds) or not 1 <= seconds <= 90 * DAY:
        raise argparse.ArgumentTypeError(f"`{text}`: whole seconds are needed, from 1s to 90d")
    return int(seconds)


def _seconds(text: str) -> int:
    try:
        seconds = parse_duration(text)
    except ValueError as error:  # what is wrong, and what to write
        raise argparse.ArgumentTypeError("; ".join(map(str, error.args))) from error
    if seconds != int(seconds) or not 1 <= seconds <= DAY:
        raise argparse.ArgumentTypeError(f"`{text}`: whole seconds are needed, from 1s to 1d")
    return int(seconds)


def _step(text: str) -> int:
    seconds = _seconds(text)
    try:
        Cells.of(seconds)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return seconds

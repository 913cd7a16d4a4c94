"""What to type to judge what this process missed: its own flags, as `backfill` has them."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator

from airis_mon.analyzer.query import Limits
from airis_mon.analyzer.schedule import FIT_INTERVAL, INTERVAL, STEP
from airis_mon.http import shown
from airis_mon.spec import format_duration

_LIMITS = Limits()
_DURATIONS = (
    ("--interval", "interval", INTERVAL),
    ("--step", "step", STEP),
    ("--fit.interval", "fit_interval", FIT_INTERVAL),
    ("--query.timeout", "query_timeout", _LIMITS.seconds),
)
_OTHERS = (
    ("--config.file", "config_file", None),
    ("--prometheus.http-config", "prometheus_access", None),
    ("--remote-write.http-config", "remote_write_access", None),
    ("--remote-write.version", "remote_write_version", "auto"),
    ("--shard.index", "shard_index", None),
    ("--shard.count", "shard_count", None),
    ("--query.max-series", "max_series", _LIMITS.series),
    ("--query.max-bytes", "max_answer_bytes", _LIMITS.bytes),
)


def backfill(arguments: argparse.Namespace) -> str:
    """Return the command without --since and --until, for a shell.

    A log is read by more people than a command line: names and passwords of a URL, and values of headers, are
    left out.
    """
    return shlex.join(["airis-mon", "analyzer", "backfill", *_flags(arguments)])


def _flags(arguments: argparse.Namespace) -> Iterator[str]:
    for flag, name, usual in _OTHERS:
        if (value := getattr(arguments, name)) != usual:
            yield from (flag, str(value))
    for flag, name in (("--prometheus.url", "prometheus_url"), ("--remote-write.url", "remote_write_url")):
        if (url := getattr(arguments, name)) is not None:
            yield from (flag, shown(url))
    for flag, name in (
        ("--prometheus.header", "prometheus_headers"),
        ("--remote-write.header", "remote_write_headers"),
    ):
        for header, _ in getattr(arguments, name):
            yield from (flag, f"{header}: ...")
    for flag, name, usual_seconds in _DURATIONS:
        if (seconds := getattr(arguments, name)) != usual_seconds:
            yield from (flag, format_duration(seconds))

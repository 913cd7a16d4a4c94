"""The flags of `airis-mon sidecar`."""

from __future__ import annotations

import argparse
from pathlib import Path

from airis_mon.sidecar.events.keeper import Retention
from airis_mon.sidecar.limits import Limits
from airis_mon.web import add_listen_address

DEFAULT_ADDRESS = "127.0.0.1:9466"


def parser() -> argparse.ArgumentParser:
    """Return the parser; what it parses is named as `service.main` reads it."""
    made = argparse.ArgumentParser(
        prog="airis-mon sidecar",
        description="Take metrics, events, operations of models and logs over HTTP (POST /v1/metrics, "
        "/v1/events, /v1/operations, /v1/logs), OTLP metrics and logs, and Prometheus remote write (POST "
        "/api/v1/write), and expose them on /metrics; GET /v1/events returns events. "
        "With --storage.path an answer of 200 means that what was sent is on disk, and counts once, "
        "whatever happens to this process; without it 202 means that it counts until the process ends.",
    )
    add_listen_address(made, DEFAULT_ADDRESS)
    made.add_argument(
        "--log.level",
        dest="log_level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help="least severe log line to write (default: %(default)s)",
    )
    made.add_argument(
        "--config.file",
        dest="config_file",
        metavar="FILE",
        type=Path,
        help="patterns, masking and tailed files of logs (YAML); read again on SIGHUP and POST /-/reload",
    )
    made.add_argument(
        "--storage.path",
        dest="storage_path",
        metavar="FOLDER",
        type=Path,
        help="folder of the journal, made where it is not there; without it nothing survives a restart",
    )
    kept = Retention()
    made.add_argument(
        "--events.store",
        dest="events_store",
        metavar="STORE",
        help="where events are kept: sqlite:FILE, or postgresql://USER@HOST/DATABASE with the password in "
        "the file that PGPASSFILE names (default: events.sqlite beside the journal, or memory)",
    )
    made.add_argument(
        "--events.retention",
        dest="events_retention",
        metavar="SECONDS",
        type=_seconds,
        default=kept.seconds,
        help="how long an event is kept; 0 keeps it for ever (default: %(default)d, 30 days)",
    )
    made.add_argument(
        "--events.limit",
        dest="events_limit",
        metavar="N",
        type=_positive,
        default=kept.events,
        help="events that are kept; of more the oldest go (default: %(default)s)",
    )
    defaults = Limits()
    made.add_argument(
        "--series.ttl",
        dest="ttl",
        metavar="SECONDS",
        type=_seconds,
        default=defaults.ttl_seconds,
        help="remove a series for which nothing came for so long; 0 keeps it for ever (default: %(default)g)",
    )
    for flag, name, meaning in (
        ("--limit.body-bytes", "body_bytes", "bytes of one request's body"),
        ("--limit.items", "items", "items of one request"),
        ("--limit.metrics", "metrics", "metric names"),
        ("--limit.series", "series", "label sets over all metrics"),
        ("--limit.series-per-metric", "series_per_metric", "label sets of one metric"),
    ):
        made.add_argument(
            flag,
            dest=name,
            metavar="N",
            type=_positive,
            default=getattr(defaults, name),
            help=f"largest number of {meaning} (default: %(default)s)",
        )
    return made


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 10**12):
        raise argparse.ArgumentTypeError(f"`{text}` is no whole number from 1 to 10^12")
    return int(text)


def _seconds(text: str) -> float:
    if not (text.isascii() and text.isdigit() and int(text) <= 10**9):
        raise argparse.ArgumentTypeError(f"`{text}` is no whole number of seconds from 0 to 10^9")
    return float(text)

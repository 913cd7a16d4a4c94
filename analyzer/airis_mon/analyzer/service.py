"""The process: `airis-mon analyzer`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from airis_mon.analyzer.config import Configuration, decode
from airis_mon.analyzer.cycle import Cycle, Schedule
from airis_mon.analyzer.methods.cells import DAY, Cells
from airis_mon.analyzer.metrics import Metrics
from airis_mon.analyzer.query import HttpQuerier
from airis_mon.analyzer.rounds import Rounds
from airis_mon.analyzer.schedule import FIT_INTERVAL, INTERVAL, STEP
from airis_mon.remote_write import HttpWriter
from airis_mon.spec import SpecError, format_duration, parse_duration
from airis_mon.web import (
    Address,
    ConnectionLimits,
    add_listen_address,
    application,
    configure_logs,
    reload_on_hangup,
    serve,
    stop_on_signals,
)

NAME = "airis-analyzer"
DEFAULT_ADDRESS = "127.0.0.1:9467"
Reload = Callable[[], Awaitable[None]]
_GRACE = 3.0
"""Seconds that a cycle in flight is given to end."""


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    config_file: Path
    prometheus_url: str
    remote_write_url: str
    listen_address: Address
    web_config: Path | None
    connections: ConnectionLimits
    schedule: Schedule


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM or SIGINT, then return 0; 1 for a bad configuration or an address that is taken."""
    arguments = _parser().parse_args(argv)
    log = configure_logs(NAME, arguments.log_level)
    prometheus = arguments.prometheus_url.rstrip("/")
    options = Options(
        config_file=arguments.config_file,
        prometheus_url=prometheus,
        remote_write_url=arguments.remote_write_url or f"{prometheus}/api/v1/write",
        listen_address=arguments.listen_address,
        web_config=arguments.web_config,
        connections=ConnectionLimits(connections=arguments.max_connections),
        schedule=Schedule(arguments.interval, arguments.step, arguments.fit_interval),
    )
    try:
        asyncio.run(_run(options, load(options.config_file), log))
    except (SpecError, OSError) as error:
        log.error(str(error))
        return 1
    return 0


def load(file: Path) -> Configuration:
    """Return the configuration in a file; SpecError with located problems, OSError if it cannot be read."""
    return decode(file.read_text(encoding="utf-8", errors="replace"), str(file))


async def _run(options: Options, configuration: Configuration, log: logging.Logger) -> None:
    stop = stop_on_signals()
    stopping = threading.Event()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    metrics = Metrics(registry)
    metrics.configured(len(configuration.queries))
    querier = HttpQuerier(options.prometheus_url)
    writer = HttpWriter(options.remote_write_url, sleep=stopping.wait)
    cycle = Cycle(querier, writer, options.schedule, stopped=stopping.is_set)
    rounds = Rounds(cycle, options.schedule, configuration, metrics, log)
    reload = _reload(options.config_file, rounds, metrics)
    app = application(
        name=NAME,
        description="Reads series from Prometheus, forecasts and scores them, and writes the result back.",
        registry=registry,
        ready=rounds.ran.is_set,
        reload=reload,
    )
    reload_on_hangup(app)
    # A thread of its own that the process does not wait for: a request that hangs must not hold up the end.
    worker = threading.Thread(target=rounds.run, args=(stopping,), name="cycles", daemon=True)
    worker.start()
    try:
        await serve(
            app,
            options.listen_address,
            stop=stop,
            log=log,
            config=options.web_config,
            limits=options.connections,
        )
    finally:
        stopping.set()
        await asyncio.to_thread(worker.join, _GRACE)


def _reload(file: Path, rounds: Rounds, metrics: Metrics) -> Reload:
    async def reload() -> None:
        try:
            configuration = await asyncio.to_thread(load, file)
        except (SpecError, OSError):
            metrics.reloaded(ok=False)
            raise
        rounds.configuration = configuration
        metrics.configured(len(configuration.queries))
        metrics.reloaded(ok=True)

    return reload


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airis-mon analyzer",
        description="Read series from Prometheus, expect, score and forecast them, and write the result back "
        "by remote write (Prometheus takes it with --web.enable-remote-write-receiver).",
    )
    parser.add_argument(
        "--config.file",
        dest="config_file",
        metavar="FILE",
        type=Path,
        required=True,
        help="analyzer.yaml as `airis-mon build` writes it; read again on SIGHUP and POST /-/reload",
    )
    parser.add_argument(
        "--prometheus.url",
        dest="prometheus_url",
        metavar="URL",
        type=_url,
        required=True,
        help="root of the Prometheus-compatible server to read from",
    )
    parser.add_argument(
        "--remote-write.url",
        dest="remote_write_url",
        metavar="URL",
        type=_url,
        help="where to write (default: /api/v1/write of --prometheus.url)",
    )
    add_listen_address(parser, DEFAULT_ADDRESS)
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
    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help="least severe log line to write (default: %(default)s)",
    )
    return parser


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"`{text}` is no URL; write http://HOST:PORT, or https://...")
    return text


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

"""Judge every query at each aligned time, and write what was found, until told to stop.

What is written goes by remote write; Prometheus takes it with --web.enable-remote-write-receiver.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from airis_mon.analyzer.commands import delivery, flags
from airis_mon.analyzer.config import Configuration, load
from airis_mon.analyzer.cycle import Cycle, Schedule
from airis_mon.analyzer.metrics import Metrics
from airis_mon.analyzer.patience import Patience
from airis_mon.analyzer.query import HttpQuerier
from airis_mon.analyzer.rounds import Rounds
from airis_mon.analyzer.shards import Shard
from airis_mon.analyzer.storage import Result, Storage
from airis_mon.analyzer.writing import Destination
from airis_mon.journal import JournalError
from airis_mon.spec import SpecError
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

HELP = "judge and write, at each aligned time, until told to stop"
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
    destination: Destination
    listen_address: Address
    web_config: Path | None
    connections: ConnectionLimits
    schedule: Schedule
    storage_path: Path | None
    storage_ttl: int
    concurrency: int
    shard: Shard


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the process."""
    flags.add_config(parser, "; read again on SIGHUP and POST /-/reload")
    flags.add_servers(parser)
    delivery.add_arguments(parser)
    add_listen_address(parser, DEFAULT_ADDRESS)
    flags.add_schedule(parser)
    flags.add_storage(parser)
    flags.add_concurrency(parser)
    flags.add_shard(parser)
    flags.add_log(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT, then return 0; 1 for a bad configuration or an address that is taken."""
    log = configure_logs(NAME, arguments.log_level)
    try:
        shard = flags.shard(arguments)
    except ValueError as error:
        log.error(str(error))
        return 1
    options = Options(
        config_file=arguments.config_file,
        prometheus_url=flags.reading(arguments),
        destination=delivery.destination(arguments),
        listen_address=arguments.listen_address,
        web_config=arguments.web_config,
        connections=ConnectionLimits(connections=arguments.max_connections),
        schedule=flags.schedule(arguments),
        storage_path=arguments.storage_path,
        storage_ttl=arguments.storage_ttl,
        concurrency=arguments.query_concurrency,
        shard=shard,
    )
    try:
        asyncio.run(_run(options, _load(options), log))
    except (SpecError, OSError, JournalError, flags.PathError) as error:
        log.error(str(error))
        return 1
    return 0


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
    ends = ExitStack()
    storage = _storage(options, metrics, log)
    delivery.check(options.destination)
    writer = options.destination.opened(stopping, metrics, ends, _dead_letters(log))
    cycle = Cycle(
        querier,
        writer,
        options.schedule,
        stopped=stopping.is_set,
        storage=storage,
        patience=Patience.of(options.schedule.interval),
        concurrency=options.concurrency,
    )
    rounds = Rounds(cycle, options.schedule, configuration, metrics, log)
    reload = _reload(options, rounds, metrics)
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
        # What is still queued is given a moment, and stays on disk after it.
        await asyncio.to_thread(ends.close)


def _storage(options: Options, metrics: Metrics, log: logging.Logger) -> Storage | None:
    if options.storage_path is None:
        return None

    def told(result: Result, text: str) -> None:
        metrics.kept(result)
        level = logging.WARNING if result in ("damaged", "unsaved") else logging.DEBUG
        log.log(level, "state", extra={"result": result, "detail": text})

    with flags.usable("--storage.path", options.storage_path, flags.FOLDER):
        return Storage(options.storage_path, told, ttl=options.storage_ttl)


def _dead_letters(log: logging.Logger) -> Callable[[str], None]:
    def turned(error: str) -> None:
        if error:
            log.warning("dead letters are lost", extra={"error": error})
        else:
            log.warning("dead letters are written again")

    return turned


def _load(options: Options) -> Configuration:
    """Return what the file says of this share of all queries."""
    return Configuration(options.shard.of(load(options.config_file).queries))


def _reload(options: Options, rounds: Rounds, metrics: Metrics) -> Reload:
    async def reload() -> None:
        try:
            configuration = await asyncio.to_thread(_load, options)
        except (SpecError, OSError):
            metrics.reloaded(ok=False)
            raise
        rounds.configuration = configuration
        metrics.configured(len(configuration.queries))
        metrics.reloaded(ok=True)

    return reload

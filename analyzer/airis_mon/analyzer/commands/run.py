"""Judge every query at each aligned time, and write what was found, until told to stop.

What is written goes by remote write; Prometheus takes it with --web.enable-remote-write-receiver.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry

from airis_mon.analyzer.commands import advice, delivery, flags, identity, limits
from airis_mon.analyzer.config import Configuration, load
from airis_mon.analyzer.engine import Engine, Settings
from airis_mon.analyzer.metrics import Reloads
from airis_mon.analyzer.shards import Shard
from airis_mon.analyzer.storage import Storage
from airis_mon.analyzer.workers.crew import Crew
from airis_mon.analyzer.workers.supervisor import StartError
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
Failed = Callable[[Exception], None]


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    config_file: Path
    listen_address: Address
    web_config: Path | None
    connections: ConnectionLimits
    settings: Settings
    shards: tuple[Shard, ...]
    """One for each worker."""
    log_level: str


class Judges(Protocol):
    """One process that judges, or several."""

    @property
    def ready(self) -> bool:
        """Whether a first cycle has ended."""

    def start(self, failed: Failed) -> None:
        """Begin; `failed` hears what makes it impossible to."""

    async def configure(self, configuration: Configuration) -> None:
        """Judge what of this belongs here."""

    async def stop(self) -> None:
        """End within seconds."""


class Alone:
    """Judges in this process."""

    def __init__(
        self, options: Options, configuration: Configuration, registry: CollectorRegistry, log: logging.Logger
    ) -> None:
        """Prepare; raises what an Engine does."""
        (self._shard,) = options.shards
        settings = replace(options.settings, shard=self._shard)
        self._engine = Engine(settings, self._shard.share(configuration), registry, log)

    @property
    def ready(self) -> bool:
        """Whether a first cycle has ended."""
        return self._engine.ready

    def start(self, _failed: Failed) -> None:
        """Begin."""
        self._engine.start()

    async def configure(self, configuration: Configuration) -> None:
        """Judge what of this belongs here."""
        self._engine.configure(await asyncio.to_thread(self._shard.share, configuration))

    async def stop(self) -> None:
        """End, the cycle in flight and the queue within seconds."""
        await asyncio.to_thread(self._engine.close)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the process."""
    flags.add_config(parser, "; read again on SIGHUP and POST /-/reload")
    flags.add_servers(parser)
    delivery.add_arguments(parser)
    add_listen_address(parser, DEFAULT_ADDRESS)
    flags.add_schedule(parser)
    flags.add_storage(parser)
    flags.add_concurrency(parser)
    limits.add_arguments(parser)
    flags.add_workers(parser)
    flags.add_shard(parser)
    flags.add_log(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT, then return 0; 1 for a bad configuration or an address that is taken."""
    log = configure_logs(NAME, arguments.log_level)
    try:
        asyncio.run(_run(_options(arguments), log))
    except (SpecError, OSError, JournalError, flags.PathError, flags.ShardError, StartError) as error:
        log.error(str(error))
        return 1
    return 0


def _options(arguments: argparse.Namespace) -> Options:
    return Options(
        config_file=arguments.config_file,
        listen_address=arguments.listen_address,
        web_config=arguments.web_config,
        connections=ConnectionLimits(connections=arguments.max_connections),
        settings=Settings(
            prometheus_url=flags.reading(arguments),
            destination=delivery.destination(arguments),
            schedule=flags.schedule(arguments),
            storage_path=arguments.storage_path,
            storage_ttl=arguments.storage_ttl,
            concurrency=arguments.query_concurrency,
            limits=limits.limits(arguments),
            access=identity.reading(arguments),
            backfill=advice.backfill(arguments),
        ),
        shards=flags.shards(arguments),
        log_level=arguments.log_level,
    )


async def _run(options: Options, log: logging.Logger) -> None:
    configuration = load(options.config_file)
    _check(options)
    stop = stop_on_signals()
    registry = CollectorRegistry(support_collectors_without_names=True)
    reloads = Reloads(registry)
    failures: list[Exception] = []

    def failed(error: Exception) -> None:
        failures.append(error)
        stop.set()

    alone = len(options.shards) == 1
    judges: Judges = (
        Alone(options, configuration, registry, log)
        if alone
        else Crew(options.settings, options.shards, configuration, registry, log, options.log_level)
    )
    app = application(
        name=NAME,
        description="Reads series from Prometheus, forecasts and scores them, and writes the result back.",
        registry=registry,
        ready=lambda: judges.ready,
        reload=_reload(options, judges, reloads),
    )
    reload_on_hangup(app)
    try:
        await serve(
            app,
            options.listen_address,
            stop=stop,
            log=log,
            config=options.web_config,
            limits=options.connections,
            begin=lambda: judges.start(failed),
        )
    finally:
        await judges.stop()
    if failures:
        raise failures[0]


def _check(options: Options) -> None:
    """Refuse paths that cannot be used, by the flag that named them, before anything is started."""
    settings = options.settings
    if settings.storage_path is not None:
        with flags.usable("--storage.path", settings.storage_path, flags.FOLDER):
            Storage(settings.storage_path, lambda _result, _text: None)
    delivery.check(settings.destination)


def _reload(options: Options, judges: Judges, reloads: Reloads) -> Callable[[], Awaitable[None]]:
    async def reload() -> None:
        with reloads.attempt():
            await judges.configure(await asyncio.to_thread(load, options.config_file))

    return reload

"""The process: `airis-mon sidecar`."""

from __future__ import annotations

import asyncio
import errno
import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import uvloop
from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from airis_mon.journal import Journal, MemoryJournal
from airis_mon.sidecar.admission import ADMISSION, Admission
from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.command_line import parser
from airis_mon.sidecar.decoding import Decoding
from airis_mon.sidecar.events.choice import event_store
from airis_mon.sidecar.events.keeper import Keeper, Retention
from airis_mon.sidecar.events.routes import EventRoutes
from airis_mon.sidecar.events.store import EventStore
from airis_mon.sidecar.exposition import Exposition
from airis_mon.sidecar.intake import Intake
from airis_mon.sidecar.items import Event, Metric, OperationItem
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.logs.capture import Capture
from airis_mon.sidecar.logs.configuration import Configuration
from airis_mon.sidecar.logs.lifetime import Logs, loaded
from airis_mon.sidecar.logs.routes import LogRoute
from airis_mon.sidecar.logs.tailing import Tailing
from airis_mon.sidecar.observation import (
    EVENT,
    METRIC,
    OPERATION,
    OTLP_LOG,
    OTLP_POINT,
    REMOTE_WRITE,
    Observation,
)
from airis_mon.sidecar.operations import OperationTranslation
from airis_mon.sidecar.otlp import routes as otlp
from airis_mon.sidecar.otlp.routes import Export
from airis_mon.sidecar.otlp.translation import MetricTranslation
from airis_mon.sidecar.recovery import Life, gate
from airis_mon.sidecar.remote_write.routes import Receiver
from airis_mon.sidecar.remote_write.translation import SampleTranslation
from airis_mon.sidecar.routes import Route
from airis_mon.sidecar.translation import Change, Translation, counted
from airis_mon.spec import SpecError
from airis_mon.web import (
    Address,
    ConnectionLimits,
    ListenError,
    application,
    configure_logs,
    reload_on_hangup,
    serve,
    stop_on_signals,
)

NAME = "airis-sidecar"
_NO_FOLDER = frozenset({errno.EEXIST, errno.ENOTDIR})
_SWITCH_SECONDS = 0.0001


LIFE: web.AppKey[Life] = web.AppKey("life", Life)
AGGREGATES: web.AppKey[Aggregates] = web.AppKey("aggregates", Aggregates)


def sidecar(
    *,
    registry: CollectorRegistry,
    limits: Limits | None = None,
    journal: Journal | MemoryJournal | None = None,
    now: Callable[[], float] = time.time,
    store: EventStore | None = None,
    storage: Path | None = None,
    retention: Retention | None = None,
    config_file: Path | None = None,
    config: Configuration | None = None,
) -> web.Application:
    """Return the application; what it says of itself is registered in `registry`.

    `now` is the wall clock, seconds since 1970. Without a journal what is accepted lives in memory alone.
    `storage` is the journal's folder, from which a store that was away is brought up to date.
    `config` is what `config_file` said at the start; the file is read anew on each reload.
    """
    limits = limits or Limits()
    journal = journal or MemoryJournal()
    aggregates = Aggregates(limits)
    observation = Observation(registry, aggregates, limits, journal)
    translation = Translation(now, limits.ahead_seconds)
    store = store or event_store(None, None)
    keeper = Keeper(store, journal, storage, retention or Retention(), registry, now)
    life = Life(journal, aggregates, observation, limits, now, keeper)
    capture = Capture(translation.moment, translation)
    admission = Admission(limits.memory_bytes, limits.waiting)
    intake = Intake(aggregates, journal, observation, now, keeper.offer, admission)
    tailing = Tailing(capture, intake, aggregates, registry, now)
    logs = Logs(capture, tailing, lambda: life.ready, config_file, config or Configuration())
    app = application(
        name=NAME,
        description="Takes metrics and events of AI applications over HTTP and exposes them to Prometheus.",
        registry=registry,
        ready=lambda: life.ready,
        body_limit=limits.body_bytes,
        exposition=Exposition(aggregates),
        reload=None if config_file is None else logs.reload,
    )
    app[LIFE] = life
    app[ADMISSION] = admission
    app[AGGREGATES] = aggregates
    app.on_startup.extend((life.begin, logs.begin))
    app.on_cleanup.extend((logs.end, life.end))
    app.middlewares.append(gate(life))

    def metric(item: Metric) -> tuple[Change, None]:
        return translation.metric(item), None

    def event(item: Event) -> tuple[Change, Event]:
        translation.event(item)
        return counted(item), capture.masking.event(item)

    points = Export(otlp.metrics(limits, MetricTranslation(translation.moment), OTLP_POINT), intake, limits)
    metrics = Route(
        METRIC,
        Decoding(Metric, limits.items),
        metric,
        intake,
        limits,
        durable=journal.durable,
        guest=points,
    )
    events = Route(EVENT, Decoding(Event, limits.items), event, intake, limits, durable=journal.durable)
    operations = Route(
        OPERATION,
        Decoding(OperationItem, limits.items),
        OperationTranslation(translation.moment).changes,
        intake,
        limits,
        durable=journal.durable,
    )
    app.router.add_post("/v1/metrics", metrics.post)
    app.router.add_post("/v1/operations", operations.post)
    app.router.add_post("/v1/events", events.post)
    exported = Export(otlp.logs(limits, capture, now, OTLP_LOG), intake, limits)
    records = LogRoute(capture, intake, limits, now, durable=journal.durable, guest=exported)
    app.router.add_post("/v1/logs", records.post)
    kept = EventRoutes(keeper, limits)
    app.router.add_get("/v1/events", kept.get)
    app.router.add_get("/grafana/", kept.grafana)
    app.router.add_post("/grafana/annotations", kept.annotations)
    written = Receiver(REMOTE_WRITE, SampleTranslation(aggregates, translation.moment), intake, limits)
    app.router.add_post("/api/v1/write", written.post)
    app.router.add_post("/otlp/v1/metrics", points.post)
    app.router.add_post("/otlp/v1/logs", exported.post)
    return app


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM or SIGINT, then return 0; 1 where address or storage cannot be used."""
    arguments = parser().parse_args(argv)
    # The journal's thread waits for the interpreter after each system call, five milliseconds by default.
    sys.setswitchinterval(_SWITCH_SECONDS)
    log = configure_logs(NAME, arguments.log_level)
    limits = Limits(
        body_bytes=arguments.body_bytes,
        items=arguments.items,
        series=arguments.series,
        series_per_metric=arguments.series_per_metric,
        metrics=arguments.metrics,
        ttl_seconds=arguments.ttl,
    )
    if arguments.storage_path is None:
        log.warning("nothing is kept on disk: a restart begins at zero; --storage.path=FOLDER keeps it")
        journal: Journal | MemoryJournal = MemoryJournal()
    else:
        journal = Journal(arguments.storage_path)
    try:
        store = event_store(arguments.events_store, arguments.storage_path)
    except OSError as error:  # of the folder: a store is opened later
        why = "it is no folder, or lies in none" if error.errno in _NO_FOLDER else error.strerror or error
        log.error(
            f"--storage.path: `{arguments.storage_path}` cannot be used: {why}; name a folder that may be "
            "written to; one that is not there is made"
        )
        return 1
    except (ValueError, ModuleNotFoundError) as error:
        advice = '; pip install "airis-mon[postgresql]"' if isinstance(error, ModuleNotFoundError) else ""
        log.error(f"--events.store: {error}{advice}")
        return 1
    try:
        config = None if arguments.config_file is None else loaded(arguments.config_file)
    except (SpecError, OSError) as error:
        log.error(f"--config.file: {error}")
        return 1
    retention = Retention(seconds=arguments.events_retention, events=arguments.events_limit)

    def made(registry: CollectorRegistry) -> web.Application:
        return sidecar(
            registry=registry,
            limits=limits,
            journal=journal,
            store=store,
            storage=arguments.storage_path,
            retention=retention,
            config_file=arguments.config_file,
            config=config,
        )

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            connections = ConnectionLimits(connections=arguments.max_connections)
            return runner.run(_run(made, arguments.listen_address, log, arguments.web_config, connections))
    except ListenError as error:
        log.error(str(error))
        return 1


async def _run(
    made: Callable[[CollectorRegistry], web.Application],
    address: Address,
    log: logging.Logger,
    web_config: Path | None,
    connections: ConnectionLimits,
) -> int:
    stop = stop_on_signals()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    app = made(registry)
    reload_on_hangup(app)

    async def stop_on_failure() -> None:
        await app[LIFE].failed.wait()
        stop.set()

    watch = asyncio.create_task(stop_on_failure())
    try:
        await serve(app, address, stop=stop, log=log, config=web_config, limits=connections)
    finally:
        watch.cancel()
    return 0 if app[LIFE].failure is None else 1

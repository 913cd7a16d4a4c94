"""The process: `airis-mon sidecar`."""

from __future__ import annotations

import argparse
import asyncio
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
    add_listen_address,
    application,
    configure_logs,
    reload_on_hangup,
    serve,
    stop_on_signals,
)

NAME = "airis-sidecar"
_SWITCH_SECONDS = 0.0001
DEFAULT_ADDRESS = "127.0.0.1:9466"


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
    arguments = _parser().parse_args(argv)
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
    except (ValueError, ModuleNotFoundError, OSError) as error:
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airis-mon sidecar",
        description="Take metrics, events and operations of models over HTTP (POST /v1/metrics, /v1/events, "
        "/v1/operations), OTLP metrics and Prometheus remote write (POST /api/v1/write), and expose them on "
        "/metrics. With --storage.path an answer of 200 means that what was sent is on disk, and counts "
        "once, whatever happens to this process; without it 202 means that it counts until the process ends.",
    )
    add_listen_address(parser, DEFAULT_ADDRESS)
    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help="least severe log line to write (default: %(default)s)",
    )
    parser.add_argument(
        "--config.file",
        dest="config_file",
        metavar="FILE",
        type=Path,
        help="patterns, masking and tailed files of logs (YAML); read again on SIGHUP and POST /-/reload",
    )
    parser.add_argument(
        "--storage.path",
        dest="storage_path",
        metavar="FOLDER",
        type=Path,
        help="folder of the journal, made where it is not there; without it nothing survives a restart",
    )
    kept = Retention()
    parser.add_argument(
        "--events.store",
        dest="events_store",
        metavar="STORE",
        help="where events are kept: sqlite:FILE, or postgresql://USER@HOST/DATABASE with the password in "
        "the file that PGPASSFILE names (default: events.sqlite beside the journal, or memory)",
    )
    parser.add_argument(
        "--events.retention",
        dest="events_retention",
        metavar="SECONDS",
        type=_seconds,
        default=kept.seconds,
        help="how long an event is kept; 0 keeps it for ever (default: %(default)g)",
    )
    parser.add_argument(
        "--events.limit",
        dest="events_limit",
        metavar="N",
        type=_positive,
        default=kept.events,
        help="events that are kept; of more the oldest go (default: %(default)s)",
    )
    defaults = Limits()
    parser.add_argument(
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
        parser.add_argument(
            flag,
            dest=name,
            metavar="N",
            type=_positive,
            default=getattr(defaults, name),
            help=f"largest number of {meaning} (default: %(default)s)",
        )
    return parser


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 10**12):
        raise argparse.ArgumentTypeError(f"`{text}` is no whole number from 1 to 10^12")
    return int(text)


def _seconds(text: str) -> float:
    if not (text.isascii() and text.isdigit() and int(text) <= 10**9):
        raise argparse.ArgumentTypeError(f"`{text}` is no whole number of seconds from 0 to 10^9")
    return float(text)

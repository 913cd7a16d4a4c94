"""The process: `airis-mon sidecar`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.decoding import Decoding
from airis_mon.sidecar.intake import Intake
from airis_mon.sidecar.items import Event, Metric
from airis_mon.sidecar.journal import Batch, Journal, MemoryJournal
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.observation import EVENT, METRIC, Observation
from airis_mon.sidecar.routes import Route
from airis_mon.sidecar.translation import Translation
from airis_mon.web import (
    Address,
    ListenError,
    add_listen_address,
    application,
    configure_logs,
    serve,
    stop_on_signals,
)

NAME = "airis-sidecar"
DEFAULT_ADDRESS = "127.0.0.1:9466"


def sidecar(
    *,
    registry: CollectorRegistry,
    limits: Limits | None = None,
    journal: Journal | None = None,
    now: Callable[[], float] = time.time,
) -> web.Application:
    """Return the application; its series are registered in `registry`.

    `now` is the wall clock, seconds since 1970. Without a journal what is accepted lives in memory alone.
    """
    limits = limits or Limits()
    journal = journal or MemoryJournal()
    aggregates = Aggregates(limits)
    registry.register(aggregates)
    observation = Observation(registry, aggregates, limits, durable=journal.durable)
    translation = Translation(now, limits.ahead_seconds)
    app = application(
        name=NAME,
        description="Takes metrics and events of AI applications over HTTP and exposes them to Prometheus.",
        registry=registry,
        ready=lambda: True,
        body_limit=limits.body_bytes,
    )
    metrics = Intake(
        METRIC,
        Decoding(Metric, limits.items),
        translation.metric,
        lambda items: Batch(metrics=tuple(items)),
        aggregates,
        journal,
        observation,
    )
    events = Intake(
        EVENT,
        Decoding(Event, limits.items),
        translation.event,
        lambda items: Batch(events=tuple(items)),
        aggregates,
        journal,
        observation,
    )
    durable = journal.durable
    app.router.add_post("/v1/metrics", Route(metrics, limits, durable=durable).post)
    app.router.add_post("/v1/events", Route(events, limits, durable=durable).post)
    return app


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM or SIGINT, then return 0; 1 where the address cannot be listened on."""
    arguments = _parser().parse_args(argv)
    log = configure_logs(NAME, arguments.log_level)
    limits = Limits(
        body_bytes=arguments.body_bytes,
        items=arguments.items,
        series=arguments.series,
        series_per_metric=arguments.series_per_metric,
        metrics=arguments.metrics,
    )
    try:
        asyncio.run(_run(arguments.listen_address, limits, log))
    except ListenError as error:
        log.error(str(error))
        return 1
    return 0


async def _run(address: Address, limits: Limits, log: logging.Logger) -> None:
    stop = stop_on_signals()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    await serve(sidecar(registry=registry, limits=limits), address, stop=stop, log=log)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airis-mon sidecar",
        description="Take metrics and events over HTTP (POST /v1/metrics, /v1/events) and expose them on "
        "/metrics. What is accepted is kept in memory: it is counted until the process ends.",
    )
    add_listen_address(parser, DEFAULT_ADDRESS)
    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help="least severe log line to write (default: %(default)s)",
    )
    defaults = Limits()
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

"""What a worker's process does: it runs an engine, tells of itself, and hears what to do."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import FrameType

from prometheus_client import CollectorRegistry

from airis_mon.analyzer.engine import Engine, Settings
from airis_mon.analyzer.workers.messages import Report, Work
from airis_mon.journal import JournalError
from airis_mon.web import configure_logs

REPORTS = 1.0
"""Seconds between two reports."""
_SHARE = 0.02
"""Of a processor, for telling: ten thousand queries have as many series of their own."""


@dataclass(frozen=True)
class Origin:
    """Who a worker is."""

    name: str
    """Of the log."""
    index: int
    """From 0."""
    log_level: str


def work(origin: Origin, settings: Settings, connection: Connection) -> None:
    """Work until SIGTERM, or until the supervisor is gone; to be called in a process of its own."""
    # Those of a terminal go to the supervisor as well, who says what is to be done about them.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _ended)
    log = _log(origin)
    registry = CollectorRegistry()
    try:
        told: Work = connection.recv()
        engine = Engine(settings, told.share, registry, log, held=told.held)
    except EOFError:
        return
    except (OSError, JournalError) as error:
        log.error(str(error))
        sys.exit(1)
    try:
        engine.start()
        _serve(engine, told, registry, connection)
    except (EOFError, OSError):
        # Nobody is there to start this one anew, or to end it. What is queued is on disk.
        log.error("the process that started this worker is gone: it ends")
        logging.shutdown()
        os._exit(1)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        engine.close()


def _serve(engine: Engine, told: Work, registry: CollectorRegistry, connection: Connection) -> None:
    due, before = 0.0, False
    while True:
        families, ready = None, engine.ready
        now, began = time.monotonic(), time.thread_time()
        # Who says that it is ready shows what it has done for that.
        if now >= due or ready != before:
            families = tuple(registry.collect())
        connection.send(Report(told.number, ready, families))
        before = ready
        if families is not None:
            pause = max(REPORTS, (time.thread_time() - began) / _SHARE)
            due = now + pause - REPORTS / 2
        if connection.poll(REPORTS):
            work: Work = connection.recv()
            if work.number < told.number:
                continue  # overtaken by what was said later
            told = work
            engine.configure(told.share)
            if not told.held:
                engine.release()
            due = 0.0


def _ended(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _log(origin: Origin) -> logging.Logger:
    """Return the log, each line of which says which worker wrote it."""
    log = configure_logs(origin.name, origin.log_level)

    def signed(record: logging.LogRecord) -> bool:
        record.worker = origin.index
        return True

    for handler in logging.getLogger().handlers:
        handler.addFilter(signed)
    return log

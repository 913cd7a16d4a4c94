"""An application served for real, on a loopback port that the system picks."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web

from airis_mon.web import Address, ConnectionLimits, serve
from airis_mon.web.configuration import load

DEADLINE = 20.0


class _Listening(logging.Handler):
    """Waits for the log line that says which port it has become."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: queue.Queue[str | BaseException] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == "listening":
            self.addresses.put(vars(record)["address"])


@contextmanager
def serving(
    app: web.Application,
    address: str = "127.0.0.1:0",
    grace: float = 10.0,
    config: Path | None = None,
    limits: ConnectionLimits | None = None,
) -> Iterator[str]:
    """Serve until the block ends; yields the URL without a slash at its end."""
    log = logging.getLogger("tests.serving")
    log.setLevel(logging.INFO)
    listening = _Listening()
    secure = config is not None and load(config).tls is not None
    log.addHandler(listening)
    stopping: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        stop = asyncio.Event()
        stopping.append((asyncio.get_running_loop(), stop))
        await serve(
            app, Address.parse(address), stop=stop, log=log, grace=grace, config=config, limits=limits
        )

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            listening.addresses.put(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        started = listening.addresses.get(timeout=DEADLINE)
        if isinstance(started, BaseException):
            raise started
        yield f"{'https' if secure else 'http'}://{started}"
    finally:
        log.removeHandler(listening)
        if thread.is_alive() and stopping:
            loop, stop = stopping[0]
            loop.call_soon_threadsafe(stop.set)
        thread.join(DEADLINE)
        assert not thread.is_alive(), "the server did not end"

"""Listening, and ending."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from airis_mon.web.addresses import LISTEN_FLAG, Address
from airis_mon.web.application import ACCESS, GUARDS
from airis_mon.web.configuration import WebConfigError
from airis_mon.web.drain import IN_FLIGHT
from airis_mon.web.guards import ConnectionLimits, Guard
from airis_mon.web.handshakes import SecureListener


class ListenError(OSError):
    """An address that cannot be listened on; the text names it and the flag that chooses another."""


class AddressInUseError(ListenError):
    """Another process listens there already."""


async def serve(
    app: web.Application,
    address: Address,
    *,
    stop: asyncio.Event,
    log: logging.Logger,
    config: Path | None = None,
    limits: ConnectionLimits | None = None,
    grace: float = 10.0,
    begin: Callable[[], None] | None = None,
) -> None:
    """Serve `app` until `stop` is set, then let the requests in flight end within `grace` seconds.

    `begin` is called once connections are accepted: what a process whose port is taken must not have begun.

    `config` is a file in exporter-toolkit's format: TLS, client certificates, basic auth, headers. Logs
    `listening` with the real address as soon as connections are accepted (port 0 is resolved), and `stopped`
    at the end. Raises AddressInUseError where the port is taken, ListenError where the address or `config`
    cannot be used for another reason.
    """
    access, guards = app[ACCESS], app[GUARDS]
    guards.limits = limits or ConnectionLimits()
    if config is not None:
        try:
            access.open(config)
        except (WebConfigError, OSError) as error:
            said = str(error) if isinstance(error, WebConfigError) else f"{config}: {error.strerror}"
            raise ListenError(f"the web configuration cannot be used: {said}") from error
    # Own middleware logs and counts requests; aiohttp's access log would say everything twice.
    # Bodies stay as they came: what a process decompresses, it has to bound itself.
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=1.0,
        auto_decompress=False,
        keepalive_timeout=guards.limits.idle_seconds,
    )
    await runner.setup()
    try:
        assert runner.server is not None
        server, secure = await _listening(runner.server, app, address)
        guards.watch()
        host, port = server.sockets[0].getsockname()[:2]
        log.info(
            "listening", extra={"address": str(Address(host, port)), "tls": access.config.tls is not None}
        )
        if begin is not None:
            begin()
        await stop.wait()
        log.info("stopping", extra={"grace_seconds": grace})
        server.close()
        if secure is not None:
            await secure.close()
        await app[IN_FLIGHT].drain(grace)
    finally:
        guards.unwatch()
        await runner.cleanup()
    log.info("stopped")


async def _listening(
    handlers: web.Server, app: web.Application, address: Address
) -> tuple[asyncio.Server, SecureListener | None]:
    access, guards = app[ACCESS], app[GUARDS]
    secured = access.tls is not None

    def allowed() -> tuple[str, ...]:
        tls = access.config.tls
        return () if tls is None else tls.client_allowed_sans

    def connection() -> Guard:
        return Guard(guards, handlers, secured, allowed)

    try:
        server = await asyncio.get_running_loop().create_server(
            connection, address.host or None, address.port, backlog=1_024, start_serving=not secured
        )
        if not secured:
            return server, None
        secure = SecureListener(server, guards, lambda: access.tls, connection)
        secure.start()
    except OSError as error:
        raise _listen_error(address, error) from error
    return server, secure


def _listen_error(address: Address, error: OSError) -> ListenError:
    advice = f"choose another address with {LISTEN_FLAG}=HOST:PORT (port 0 picks a free one)"
    if error.errno == errno.EADDRINUSE:
        return AddressInUseError(
            f"cannot listen on {address}: the port is taken by another process; {advice}"
        )
    reason = error.strerror or str(error)
    return ListenError(f"cannot listen on {address}: {reason}; {advice}")


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set; to be called inside the running loop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop

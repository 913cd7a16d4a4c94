"""Listening, and ending."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import ssl

from aiohttp import web

from airis_mon.web.addresses import LISTEN_FLAG, Address
from airis_mon.web.drain import IN_FLIGHT


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
    tls: ssl.SSLContext | None = None,
    grace: float = 10.0,
) -> None:
    """Serve `app` until `stop` is set, then let the requests in flight end within `grace` seconds.

    Logs `listening` with the real address as soon as connections are accepted (port 0 is resolved), and
    `stopped` at the end. Raises AddressInUseError where the port is taken, ListenError where the address
    cannot be used for another reason.
    """
    # Own middleware logs and counts requests; aiohttp's access log would say everything twice.
    # Bodies stay as they came: what a process decompresses, it has to bound itself.
    runner = web.AppRunner(
        app, access_log=None, handle_signals=False, shutdown_timeout=1.0, auto_decompress=False
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, address.host or None, address.port, ssl_context=tls)
        try:
            await site.start()
        except OSError as error:
            raise _listen_error(address, error) from error
        host, port = runner.addresses[0][:2]
        log.info("listening", extra={"address": str(Address(host, port)), "tls": tls is not None})
        await stop.wait()
        log.info("stopping", extra={"grace_seconds": grace})
        await site.stop()
        in_flight = app.get(IN_FLIGHT)
        if in_flight is not None:
            await in_flight.drain(grace)
    finally:
        await runner.cleanup()
    log.info("stopped")


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

"""Connections with TLS: accepted here, as each shakes hands with the certificate of its moment.

asyncio's own server takes one context for good. Here the context is asked for anew with every connection, so
that a certificate is changed without a new listener; and connections count from their first packet, long
before they have shown that they know what TLS is.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Callable, Coroutine

from airis_mon.web.guards import Guard, Guards

_LOG = logging.getLogger(__name__)
_BACKLOG = 1_024
_EXHAUSTED_SECONDS = 0.5
"""Until the next attempt where the system has no room for another connection."""


class SecureListener:
    """Accepts on the sockets of a server that does not serve itself."""

    def __init__(
        self,
        server: asyncio.Server,
        guards: Guards,
        context: Callable[[], ssl.SSLContext | None],
        guard: Callable[[], Guard],
    ) -> None:
        self._server = server
        self._guards = guards
        self._context = context
        self._guard = guard
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: list[socket.socket] = []

    def start(self) -> None:
        """Accept connections from now on; OSError where the address is taken."""
        for bound in self._server.sockets:
            listening = socket.socket(fileno=os.dup(bound.fileno()))
            self._listening.append(listening)
            listening.setblocking(False)
            listening.listen(_BACKLOG)
        for listening in self._listening:
            self._spawn(self._accept(listening))

    async def close(self) -> None:
        """Accept no more, and give up handshakes; connections that are secured go on."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for listening in self._listening:
            listening.close()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError as error:
                _LOG.warning("cannot accept connections", extra={"reason": str(error)})
                await asyncio.sleep(_EXHAUSTED_SECONDS)
                continue
            if self._guards.full:
                self._guards.ended("limit")
                connection.close()
            else:
                self._guards.handshakes += 1
                self._spawn(self._secure(connection))

    async def _secure(self, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._guard,
                connection,
                ssl=self._context(),
                ssl_handshake_timeout=self._guards.limits.header_seconds,
            )
        except OSError as error:  # TLS' own errors and a handshake that takes too long among them
            self._guards.ended("tls")
            connection.close()
            _LOG.debug("TLS handshake failed", extra={"reason": str(error)})
        finally:
            self._guards.handshakes -= 1

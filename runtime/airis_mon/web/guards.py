"""What a connection may take: how many there are, and how long each may keep a listener waiting.

aiohttp reads and writes; this stands between it and the transport, and knows three things of a connection:
whether a request is in hand, since when its headers are incomplete, and since when nobody reads its answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from prometheus_client import CollectorRegistry, Counter, Gauge

from airis_mon.web.tls import admitted

_LOG = logging.getLogger(__name__)
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)
FOREVER = float("inf")
_REASONS = ("limit", "headers", "reader", "tls")


@dataclass(frozen=True)
class ConnectionLimits:
    """What the connections of one listener may take."""

    connections: int = 1_024
    """Open at the same time; one more is answered 503 and closed."""
    header_seconds: float = 10.0
    """From a request's first byte, or the connection's begin, to the end of its headers; TLS included."""
    write_seconds: float = 30.0
    """How long an answer may wait for its reader to read on."""
    idle_seconds: float = 75.0
    """Between two requests of a connection; more than Prometheus' scrape interval of a minute."""
    look_seconds: float = 0.5
    """Between two looks at the connections."""


class Guards:
    """All connections of a process."""

    def __init__(self, prefix: str, registry: CollectorRegistry) -> None:
        self.limits = ConnectionLimits()
        self.open: dict[asyncio.BaseTransport, Guard] = {}
        self.handshakes = 0
        """Connections that are not secured yet."""
        self._handle: asyncio.TimerHandle | None = None
        Gauge(f"{prefix}_http_connections", "Open connections.", registry=registry).set_function(
            lambda: len(self.open)
        )
        ended = Counter(
            f"{prefix}_http_connections_refused_total",
            "Connections refused or cut off by the listener, by reason.",
            ["reason"],
            registry=registry,
        )
        self._ended = {reason: ended.labels(reason) for reason in _REASONS}

    @property
    def full(self) -> bool:
        """Say whether there are as many connections as there may be, those that shake hands among them."""
        return len(self.open) + self.handshakes >= self.limits.connections

    def ended(self, reason: str) -> None:
        """Count a connection that was ended: `limit`, `headers`, `reader` or `tls`."""
        self._ended[reason].inc()

    def watch(self) -> None:
        """Look at the connections from now on."""
        now = asyncio.get_running_loop().time()
        for guard in list(self.open.values()):
            guard.look(now)
        self._handle = asyncio.get_running_loop().call_later(self.limits.look_seconds, self.watch)

    def unwatch(self) -> None:
        """Look no more."""
        if self._handle is not None:
            self._handle.cancel()

    def busy(self, transport: asyncio.BaseTransport | None) -> None:
        """Note that a request of a connection is in hand: its headers are complete."""
        guard = self.open.get(transport) if transport is not None else None
        if guard is not None:
            guard.in_hand, guard.waiting_since = True, FOREVER

    def idle(self, transport: asyncio.BaseTransport | None) -> None:
        """Note that a request of a connection has its answer; what comes next begins another one."""
        guard = self.open.get(transport) if transport is not None else None
        if guard is not None:
            guard.in_hand = False


class Guard(asyncio.Protocol):
    """One connection: hands on what comes, and knows how long it is waited for."""

    def __init__(
        self,
        guards: Guards,
        make: Callable[[], asyncio.Protocol],
        secured: bool,
        allowed: Callable[[], tuple[str, ...]],
    ) -> None:
        """Take `secured` for whether it comes from a handshake, and the names of clients, empty for all."""
        self._guards = guards
        self._make = make
        self._secured = secured
        self._allowed = allowed
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None
        self.waiting_since = FOREVER
        """Since when the headers of a request are incomplete."""
        self.in_hand = False
        """Whether a request is being answered."""
        self._paused_since = FOREVER
        self._closing_since = FOREVER

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, unless there are too many, or its certificate has none of the names."""
        self._transport = cast("asyncio.Transport", transport)
        if not self._secured and self._guards.full:
            self._guards.ended("limit")
            self._transport.write(_BUSY)
            self._transport.close()
            return
        if self._secured and not admitted(transport.get_extra_info("peercert"), self._allowed()):
            self._guards.ended("tls")
            self._transport.abort()
            return
        self.waiting_since = asyncio.get_running_loop().time()
        self._guards.open[transport] = self
        self._inner = self._make()
        self._inner.connection_made(self._transport)

    def look(self, now: float) -> None:
        """End the connection where one of its times is over."""
        limits = self._guards.limits
        if now - self.waiting_since > limits.header_seconds:
            self._end("headers")
        elif now - self._paused_since > limits.write_seconds:
            self._end("reader")
        elif self._transport is not None and self._transport.is_closing():
            # It goes on writing what is left, for as long as the other end pleases.
            self._closing_since = min(self._closing_since, now)
            if now - self._closing_since > limits.write_seconds:
                self._end("reader")

    def _end(self, reason: str) -> None:
        self._guards.ended(reason)
        self.waiting_since = self._paused_since = self._closing_since = FOREVER
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Hand on."""
        if self._inner is None:
            return
        if not self.in_hand and self.waiting_since == FOREVER:
            self.waiting_since = asyncio.get_running_loop().time()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Hand on."""
        return None if self._inner is None else self._inner.eof_received()

    def pause_writing(self) -> None:
        """Note since when the other end does not read."""
        self._paused_since = asyncio.get_running_loop().time()
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Hand on."""
        self._paused_since = FOREVER
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        """Let go."""
        if self._transport is not None:
            self._guards.open.pop(self._transport, None)
        if self._inner is not None:
            self._inner.connection_lost(error)

"""Requests in flight, and how a process that ends lets them finish."""

from __future__ import annotations

import asyncio

from aiohttp import web


class InFlight:
    """Counts requests from their headers to their answer.

    aiohttp's own shutdown reads no more of a body that is still arriving; its sender would wait for nothing
    and then be told nothing. So a process first drains, and only then shuts down.
    """

    def __init__(self) -> None:
        self.count = 0
        self.draining = False
        """Answers then close their connections, so that no new request comes in on them."""
        self._idle = asyncio.Event()
        self._idle.set()

    def enter(self) -> None:
        """Count a request that begins."""
        self.count += 1
        self._idle.clear()

    def leave(self) -> None:
        """Count off a request that has its answer."""
        self.count -= 1
        if self.count == 0:
            self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Wait until no request is in flight, at most that long."""
        self.draining = True
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return


IN_FLIGHT: web.AppKey[InFlight] = web.AppKey("in_flight", InFlight)

"""Live traffic: clients that send what the trace says, when it says so."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

import aiohttp

from airis_mon.demo.arrivals import Arrivals
from airis_mon.demo.background import Background
from airis_mon.demo.digits import Classifier, drifted
from airis_mon.traces import Operation

MOST_AT_ONCE = 200
"""Requests in flight per service; what arrives beyond is dropped and counted, as users give up."""
PATIENCE = 60.0
"""Seconds that a client waits for an answer."""


class Clients:
    """The users of both services."""

    def __init__(self, classifier: Classifier, seed: int) -> None:
        self._images = classifier.held_out
        self._drifted = drifted(self._images, seed)
        self._chance = random.Random(seed)  # noqa: S311  a simulation
        self.drift = False
        """Whether the images that are sent come from the failing scanner."""
        self.sent = 0
        self.failed = 0
        self.dropped = 0

    async def run(
        self, chat: tuple[str, Arrivals], digits: tuple[str, Arrivals], stop: asyncio.Event
    ) -> None:
        """Send to both services, given by base URL and trace, until `stop` and the last answer."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=connector, trust_env=False) as session,
            asyncio.TaskGroup() as group,
        ):

            async def ask(request: Operation) -> None:
                await self._chat(session, chat[0], request)

            async def read(_request: Operation) -> None:
                await self._digit(session, digits[0])

            group.create_task(self._follow(chat[1], ask, stop))
            group.create_task(self._follow(digits[1], read, stop))

    async def _follow(
        self, arrivals: Arrivals, send: Callable[[Operation], Awaitable[None]], stop: asyncio.Event
    ) -> None:
        """Send each request of a trace when it is due; what was due before now is nobody's any more."""
        for _ in arrivals.until(time.time()):
            pass
        async with asyncio.TaskGroup() as group:
            running: set[asyncio.Task[None]] = set()
            while not stop.is_set():
                request = arrivals.take()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), max(0.0, request.at - time.time()))
                    return
                if len(running) >= MOST_AT_ONCE:
                    self.dropped += 1
                    continue
                task = group.create_task(self._counted(send(request)))
                running.add(task)
                task.add_done_callback(running.discard)

    async def _counted(self, sending: Awaitable[None]) -> None:
        self.sent += 1
        try:
            await sending
        except (aiohttp.ClientError, TimeoutError):
            self.failed += 1

    async def _chat(self, session: aiohttp.ClientSession, url: str, request: Operation) -> None:
        # Four characters are a token to the service.
        body = {
            "messages": [{"role": "user", "content": "why " * request.input_tokens}],
            "max_tokens": request.output_tokens,
            "stream": True,
        }
        async with session.post(f"{url}/v1/chat/completions", json=body) as response:
            response.raise_for_status()
            async for _ in response.content:
                pass

    async def _digit(self, session: aiohttp.ClientSession, url: str) -> None:
        images = self._drifted if self.drift else self._images
        pixels = images[self._chance.randrange(len(images))].tolist()
        async with session.post(f"{url}/predict", json={"pixels": pixels}) as response:
            response.raise_for_status()
            await response.read()


class LiveLoad:
    """The clients' traffic, which can be stopped and begun again from another thread."""

    def __init__(
        self,
        background: Background,
        clients: Clients,
        chat: tuple[str, Arrivals],
        digits: tuple[str, Arrivals],
    ) -> None:
        self.clients = clients
        self._background = background
        self._chat, self._digits = chat, digits
        self._stop = asyncio.Event()
        self._running: Future[None] | None = None

    def begin(self) -> None:
        """Send from now on."""
        self._stop = asyncio.Event()
        self._running = self._background.spawn(self.clients.run(self._chat, self._digits, self._stop))

    def check(self) -> None:
        """Raise what ended the traffic, if anything did."""
        if self._running is not None and self._running.done():
            self._running.result()

    def stop(self) -> None:
        """Send no more, and wait for the last answers."""
        if self._running is not None:
            self._background.run(_set(self._stop))
            self._running.result()
            self._running = None


async def _set(event: asyncio.Event) -> None:
    event.set()

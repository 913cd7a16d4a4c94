"""`POST /-/reload` and SIGHUP: new configuration on request, the old one where the new is bad."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge

_LOG = logging.getLogger(__name__)


RELOAD = web.AppKey["Reload"]("reload")


def reload_on_hangup(app: web.Application) -> None:
    """Reload on SIGHUP as on `POST /-/reload`; to be called in the running loop of the main thread."""
    running: set[asyncio.Task[Exception | None]] = set()

    def start() -> None:
        # The loop keeps no task alive; this set does, until it is done.
        task = asyncio.ensure_future(app[RELOAD].attempt())
        running.add(task)
        task.add_done_callback(running.discard)

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, start)


class Reload:
    """The attempt, its route, and the two gauges that say how the last one went."""

    def __init__(
        self,
        prefix: str,
        registry: CollectorRegistry,
        reload: Callable[[], Awaitable[None]] | None,
        wall_clock: Callable[[], float],
    ) -> None:
        self._reload = reload
        self._wall_clock = wall_clock
        self._one_at_a_time = asyncio.Lock()
        if reload is None:
            return
        self._successful = Gauge(
            f"{prefix}_config_last_reload_successful",
            "Whether the last attempt to load the configuration was successful.",
            registry=registry,
        )
        self._success_time = Gauge(
            f"{prefix}_config_last_reload_success_timestamp_seconds",
            "Time of the last successful load of the configuration.",
            registry=registry,
        )
        # The process came up, hence the configuration that it was started with is good.
        self._succeeded()

    def _succeeded(self) -> None:
        self._successful.set(1)
        self._success_time.set(self._wall_clock())

    async def attempt(self) -> Exception | None:
        """Reload; return what is wrong with the new configuration, whereupon the old one stays."""
        assert self._reload is not None
        async with self._one_at_a_time:
            try:
                await self._reload()
            except Exception as error:
                self._successful.set(0)
                # What is wrong with a file is no fault of ours; where it may be, a traceback helps.
                _LOG.error(
                    "reload failed, the old configuration stays", extra={"error": str(error) or repr(error)}
                )
                _LOG.debug("reload failed here", exc_info=True)
                return error
            self._succeeded()
        _LOG.info("reloaded")
        return None

    async def handle(self, request: web.Request) -> web.Response:
        """Reload, and answer 200; 500 with the reason where the new configuration is bad."""
        if self._reload is None:
            return web.Response(status=404, text="This process has no configuration to reload.\n")
        error = await self.attempt()
        if error is not None:
            text = f"failed to reload the configuration, the old one stays: {error}\n"
            return web.Response(status=500, text=text)
        return web.Response(text="Reloaded\n")

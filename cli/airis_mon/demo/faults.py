"""What can go wrong with a service, switched on and off over HTTP."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields

from aiohttp import web

ROUTE = "/-/fault"


@dataclass(frozen=True)
class Fault:
    """What is wrong with a service; the defaults are nothing."""

    latency_factor: float = 1.0
    """Everything takes this many times as long."""
    error_share: float = 0.0
    """Share of requests that fail on top of the few that always do."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.latency_factor) and 0.1 <= self.latency_factor <= 100):
            raise ValueError("latency_factor has to be a number from 0.1 to 100")
        if not 0 <= self.error_share <= 1:
            raise ValueError("error_share has to be a number from 0 to 1")

    @classmethod
    def decode(cls, text: str) -> Fault:
        """Return the fault that a JSON object describes; ValueError says what is wrong with it."""
        names = [field.name for field in fields(cls)]
        try:
            given = json.loads(text or "{}")
        except ValueError as error:
            raise ValueError(f"no JSON: {error}") from error
        if not isinstance(given, dict) or not set(given) <= set(names):
            raise ValueError(f"expected an object with any of {', '.join(names)}")
        if not all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in given.values()
        ):
            raise ValueError(f"{' and '.join(names)} are numbers")
        return cls(**given)


class FaultSwitch:
    """Holds the present fault of a service, and takes a new one by `POST /-/fault` (`{}` repairs)."""

    def __init__(self) -> None:
        self.present = Fault()

    def add_to(self, app: web.Application) -> None:
        """Add the route to a service's application."""
        app.router.add_post(ROUTE, self._handle)

    async def _handle(self, request: web.Request) -> web.Response:
        try:
            self.present = Fault.decode(await request.text())
        except ValueError as error:
            return web.Response(status=400, text=f"{error}\n")
        return web.Response(text=f"{self.present}\n")

"""What every request goes through: a correlation id, the limit on its body, metrics, and a last net."""

from __future__ import annotations

import logging
import platform
import re
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from airis_mon.web.access import Access
from airis_mon.web.drain import InFlight
from airis_mon.web.guards import Guards
from airis_mon.web.logs import enter_request

_LOG = logging.getLogger(__name__)
_REQUEST_ID_HEADER = "X-Request-ID"
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Observation:
    """The outermost middleware, and the series that it keeps under the process' prefix."""

    def __init__(
        self,
        prefix: str,
        registry: CollectorRegistry,
        body_limit: int,
        new_request_id: Callable[[], str],
        clock: Callable[[], float],
        in_flight: InFlight,
        guards: Guards,
        access: Access,
    ) -> None:
        self._guards = guards
        self._access = access
        self._in_flight = in_flight
        self._body_limit = body_limit
        self._new_request_id = new_request_id
        self._clock = clock
        self._build = Gauge(
            f"{prefix}_build_info",
            "A constant 1, labelled with the versions that this process was built from.",
            ["version", "pythonversion"],
            registry=registry,
        )
        self._requests = Counter(
            f"{prefix}_http_requests_total",
            "HTTP requests answered.",
            ["handler", "method", "code"],
            registry=registry,
        )
        Gauge(
            f"{prefix}_http_requests_in_flight",
            "HTTP requests that have no answer yet; the scrape that reads this is one of them.",
            registry=registry,
        ).set_function(lambda: in_flight.count)
        self._counters: dict[tuple[str, str, int], Counter] = {}
        """By route, method and status: a lookup of labels costs more than all else of this middleware."""
        self._durations = Histogram(
            f"{prefix}_http_request_duration_seconds",
            "Time from a request's headers to the end of its answer's preparation.",
            ["handler"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._timers: dict[str, Histogram] = {}

    def build(self, version: str) -> None:
        """Publish the version."""
        self._build.labels(version, platform.python_version()).set(1)

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Run one request."""
        begin = self._clock()
        given = request.headers.get(_REQUEST_ID_HEADER, "")
        identifier = given if _GIVEN_ID.fullmatch(given) else self._new_request_id()
        enter_request(identifier)
        self._in_flight.enter()
        transport = request.transport
        self._guards.busy(transport)
        try:
            refusal = None if self._access.open_to_all else await self._access.refusal(request)
            response = await self._answer(request, handler) if refusal is None else refusal
        finally:
            self._in_flight.leave()
            read = request.content.is_eof()
            if read:
                self._guards.idle(transport)
        if self._in_flight.draining or not read:
            # What still arrives of a body that nobody reads is no late header: it is read and thrown away
            # for a while, and with it the connection ends.
            response.force_close()
        response.headers[_REQUEST_ID_HEADER] = identifier
        if self._access.config.headers:
            response.headers.update(self._access.config.headers)
        route = _route(request)
        method = request.method if request.method in _METHODS else "other"
        self._counter(route, method, response.status).inc()
        self._duration(route).observe(self._clock() - begin)
        if _LOG.isEnabledFor(logging.DEBUG):
            _LOG.debug("request", extra={"method": method, "path": request.path, "code": response.status})
        return response

    def _counter(self, route: str, method: str, status: int) -> Counter:
        key = (route, method, status)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._requests.labels(route, method, str(status))
        return counter

    def _duration(self, route: str) -> Histogram:
        histogram = self._timers.get(route)
        if histogram is None:
            histogram = self._timers[route] = self._durations.labels(route)
        return histogram

    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        length = request.content_length
        if length is not None and length > self._body_limit:
            # Before the first byte of the body is read: what is refused should not cost memory.
            return self._too_large()
        try:
            return await handler(request)
        except web.HTTPRequestEntityTooLarge:
            return self._too_large()
        except web.RequestPayloadError as error:
            return web.Response(status=400, text=f"The body cannot be read: {error}\n")
        except web.HTTPException as answer:
            # As a value, so that it is counted and carries the correlation id like any other answer.
            return web.Response(
                status=answer.status,
                text=answer.text,
                headers={key: value for key, value in answer.headers.items() if key != hdrs.CONTENT_LENGTH},
            )
        except Exception:
            if request.transport is None or request.transport.is_closing():
                # Nobody is there to read an answer, which is the sender's doing; 499 is nginx' word for it.
                return web.Response(status=499)
            _LOG.exception("request failed", extra={"method": request.method, "path": request.path})
            return web.Response(status=500, text="Internal error; the log has it under this X-Request-ID.\n")

    def _too_large(self) -> web.Response:
        return web.Response(
            status=413, text=f"The body is larger than {self._body_limit} bytes; send smaller batches.\n"
        )


def _route(request: web.Request) -> str:
    """Return the route's pattern, which is bounded where paths are not."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "other"

"""The aiohttp application with the routes and middlewares that every process has."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError, version

from aiohttp import web
from prometheus_client import CollectorRegistry

from airis_mon.web.access import Access
from airis_mon.web.drain import IN_FLIGHT, InFlight
from airis_mon.web.exposition import Exposition
from airis_mon.web.guards import Guards
from airis_mon.web.observation import Observation
from airis_mon.web.pages import Pages
from airis_mon.web.reload import RELOAD, Reload

GUARDS: web.AppKey[Guards] = web.AppKey("guards", Guards)
ACCESS: web.AppKey[Access] = web.AppKey("access", Access)
BODY_LIMIT = 8 * 1024 * 1024


def application(
    *,
    name: str,
    description: str,
    registry: CollectorRegistry,
    ready: Callable[[], bool],
    reload: Callable[[], Awaitable[None]] | None = None,
    body_limit: int = BODY_LIMIT,
    links: tuple[tuple[str, str], ...] = (),
    exposition: Exposition | None = None,
    new_request_id: Callable[[], str] = lambda: f"{random.getrandbits(128):032x}",
    clock: Callable[[], float] = time.perf_counter,
    wall_clock: Callable[[], float] = time.time,
) -> web.Application:
    """Return an application with `/`, `/metrics`, `/-/healthy`, `/-/ready` and `POST /-/reload`.

    - `name` such as `airis-sidecar` names the process; underscored, it prefixes its own series, which are
      registered in `registry`: build info, HTTP requests and durations, and the state of the last reload.
    - `ready` is asked on each `/-/ready`: 200 or 503.
    - `reload` reads the configuration anew and raises where it is bad, keeping the old one: the caller of
      `/-/reload` gets the error's text with a 500. Without it the route answers 404.
    - `body_limit` in bytes: a longer body is refused with 413, by its Content-Length before it is read.
    - `exposition` renders further series on `/metrics`, where prometheus-client would be too slow.
    - `links` are further (path, description) pairs for the landing page.
    - `clock` and `wall_clock` give seconds, the one for durations, the other since 1970.
    """
    prefix = re.sub(r"[^a-zA-Z0-9_]", "_", name)
    in_flight = InFlight()
    guards, access = Guards(prefix, registry), Access(prefix, registry)
    observation = Observation(prefix, registry, body_limit, new_request_id, clock, in_flight, guards, access)
    observation.build(_version())
    app = web.Application(middlewares=[observation.middleware], client_max_size=body_limit)
    app[IN_FLIGHT] = in_flight
    app[GUARDS] = guards
    app[ACCESS] = access
    pages = Pages(name, description, _version(), registry, ready, links, exposition)
    app.router.add_get("/", pages.landing)
    app.router.add_get("/metrics", pages.metrics)
    app.router.add_get("/-/healthy", pages.healthy)
    app.router.add_get("/-/ready", pages.ready)
    app[RELOAD] = Reload(prefix, registry, reload, wall_clock)
    app.router.add_post("/-/reload", app[RELOAD].handle)
    return app


def _version() -> str:
    try:
        return version("airis-mon")
    except PackageNotFoundError:
        return "unknown"

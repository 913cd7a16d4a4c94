"""The routes that only read: landing page, metrics, health."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry

from airis_mon.web.exposition import Exposition, accepts_gzip, rendered

_STANDARD_LINKS = (
    ("/metrics", "Series of this process, in Prometheus text and OpenMetrics"),
    ("/-/healthy", "200 while the process lives"),
    ("/-/ready", "200 once it can do its work"),
)


class Pages:
    """Handlers of the routes that change nothing."""

    def __init__(
        self,
        name: str,
        description: str,
        version: str,
        registry: CollectorRegistry,
        ready: Callable[[], bool],
        links: tuple[tuple[str, str], ...],
        exposition: Exposition | None,
    ) -> None:
        self._exposition = exposition
        self._registry = registry
        self._ready = ready
        items = "".join(
            f'<li><a href="{escape(path)}">{escape(path)}</a> {escape(text)}</li>'
            for path, text in (*_STANDARD_LINKS, *links)
        )
        self._landing = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(name)}</title></head>'
            f"<body><h1>{escape(name)}</h1><p>{escape(description)}</p>"
            f"<p>Version {escape(version)}</p><ul>{items}</ul></body></html>"
        )

    async def landing(self, request: web.Request) -> web.Response:
        """Say what this process is, and where its pages are."""
        return web.Response(text=self._landing, content_type="text/html")

    async def metrics(self, request: web.Request) -> web.Response:
        """Expose the registry in the format that the scraper prefers, gzipped where it accepts that."""
        accept = ",".join(request.headers.getall(hdrs.ACCEPT, []))
        names = frozenset(request.query.getall("name[]", []))
        packed = accepts_gzip(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, [])))
        body, content_type = await rendered(self._exposition, self._registry, accept, names, packed)
        headers: dict[str, str] = {hdrs.CONTENT_TYPE: content_type}
        if packed:
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(body=body, headers=headers)

    async def healthy(self, request: web.Request) -> web.Response:
        """Answer 200: a process that cannot answer is the one that is not healthy."""
        return web.Response(text="Healthy\n")

    async def ready(self, request: web.Request) -> web.Response:
        """Answer 200 once the process can do its work, 503 before."""
        if self._ready():
            return web.Response(text="Ready\n")
        return web.Response(status=503, text="Not ready yet\n")

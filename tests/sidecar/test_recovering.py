"""While what was kept is read back: no route takes anything in or shows anything, and probes are answered."""

from __future__ import annotations

import threading
from pathlib import Path

import requests
from aiohttp import web
from prometheus_client import CollectorRegistry

from airis_mon.journal import Journal, Recovery
from airis_mon.sidecar.service import LIFE, sidecar
from tests.sidecar.conftest import metric
from tests.waiting import until
from tests.web.serving import serving


class Slow(Journal):
    """A journal that takes as long to be read as a test wants."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.read = threading.Event()

    def recover(self) -> Recovery:
        assert self.read.wait(30)
        return super().recover()


def inputs(app: web.Application) -> list[tuple[str, str]]:
    """Return method and path of all routes but the landing page, the probes and HEAD."""
    routes = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource}
    return sorted(
        (method, path)
        for method, path in routes
        if method in ("GET", "POST") and path != "/" and not path.startswith("/-/")
    )


def test_every_route_says_503_until_everything_counts_again(tmp_path: Path) -> None:
    journal = Slow(tmp_path)
    app = sidecar(registry=CollectorRegistry(), journal=journal)
    routes = inputs(app)
    assert {("POST", "/v1/metrics"), ("POST", "/api/v1/write"), ("GET", "/metrics")} <= set(routes)
    try:
        with serving(app) as url:
            for method, path in routes:
                answer = requests.request(method, url + path, json=metric(), timeout=10)
                assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "1"), (method, path)
            assert requests.get(f"{url}/-/healthy", timeout=10).status_code == 200
            assert requests.get(f"{url}/-/ready", timeout=10).status_code == 503
            journal.read.set()
            until(lambda: app[LIFE].ready)
            assert requests.post(f"{url}/v1/metrics", json=metric(), timeout=10).status_code == 200
    finally:
        journal.read.set()

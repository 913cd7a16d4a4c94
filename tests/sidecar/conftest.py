from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests
from prometheus_client import CollectorRegistry

from airis_mon.journal import Journal, MemoryJournal
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.service import AGGREGATES, LIFE, sidecar
from tests.waiting import until
from tests.web.serving import serving

NOW = 1_704_067_260.0
"""A minute after the timestamp of `metric` and `event`."""


def metric(**changes: Any) -> dict[str, Any]:
    item = {
        "timestamp": "2024-01-01T00:00:00Z",
        "source": "tests",
        "metric_type": "gauge",
        "metric_name": "thing",
        "value": 1,
        "unit": "",
        "tags": {},
    }
    return {**item, **changes}


def event(**changes: Any) -> dict[str, Any]:
    item = {
        "timestamp": "2024-01-01T00:00:00Z",
        "event_type": "model_deploy",
        "severity": "info",
        "source": "tests",
    }
    return {**item, **changes}


class Sidecar:
    """A sidecar that listens, and what it has counted."""

    def __init__(self, url: str, registry: CollectorRegistry, counted: CollectorRegistry) -> None:
        self.url = url
        self.registry = registry
        """What it says of itself."""
        self.counted = counted
        """What was sent to it."""
        self._session = requests.Session()

    def post(
        self, body: Any, path: str = "/v1/metrics", media: str | None = "application/json", **headers: str
    ) -> requests.Response:
        """Send a value as JSON, or bytes as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        if media is not None:
            given["Content-Type"] = media
        return self._session.post(self.url + path, data=data, headers=given, timeout=30)

    def metrics(self, accept: str = "text/plain") -> str:
        return self._session.get(f"{self.url}/metrics", headers={"Accept": accept}, timeout=30).text

    def value(self, name: str, **labels: str) -> float | None:
        found = self.counted.get_sample_value(name, labels)
        return self.registry.get_sample_value(name, labels) if found is None else found

    def close(self) -> None:
        self._session.close()


StartSidecar = Callable[..., Sidecar]


@pytest.fixture(scope="module")
def start() -> Iterator[StartSidecar]:
    """Factory: `start(limits=..., journal=..., now=...)`."""
    with ExitStack() as running:

        def begin(
            limits: Limits | None = None,
            journal: Journal | MemoryJournal | None = None,
            now: Callable[[], float] = lambda: NOW,
        ) -> Sidecar:
            registry = CollectorRegistry()
            app = sidecar(registry=registry, limits=limits, journal=journal, now=now)
            counted = CollectorRegistry()
            counted.register(app[AGGREGATES])
            started = Sidecar(running.enter_context(serving(app)), registry, counted)
            until(lambda: app[LIFE].ready)
            running.callback(started.close)
            return started

        yield begin


@pytest.fixture
def fresh(start: StartSidecar) -> Sidecar:
    """A sidecar that has seen nothing yet."""
    return start()


@pytest.fixture(scope="module")
def shared(start: StartSidecar) -> Sidecar:
    """One sidecar for all tests of a file that do not mind each other's series."""
    return start()

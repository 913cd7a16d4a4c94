"""The generated rules in a real Prometheus that scrapes a real exposition."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import requests
from prometheus_client import CollectorRegistry, Counter, Histogram, make_wsgi_app

from airis_mon.exporters import series as exposed
from airis_mon.rules.compile import artefacts
from airis_mon.spec import Alerting, Errors, Latency, Model, Monitor, Objective, Source
from tests.waiting import until

DAY = 86400.0
MONITOR = Monitor(
    "digits",
    Model("digits"),
    Source("airis", {"job": "digits"}, scrape_interval=1.0),
    # A promise over a day has windows of seconds: 10s and 2m for the fastest page.
    (
        Objective("availability", 0.999, DAY, Errors()),
        Objective("fast", 0.99, DAY, Latency("request_duration", 1.0)),
    ),
    alerting=Alerting("vision"),
)


class Classifier:
    """An application with ten predictions between two scrapes."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.outcome = "ok"
        self.predictions = Counter(
            exposed.PREDICTIONS, "Predictions.", [exposed.OUTCOME], registry=self.registry
        )
        self.duration = Histogram(
            exposed.PREDICTION_DURATION,
            "Seconds.",
            buckets=exposed.PREDICTION_DURATION_BUCKETS,
            registry=self.registry,
        )

    def stop_counting(self) -> None:
        self.registry.unregister(self.predictions)

    def work(self) -> None:
        self.predictions.labels(self.outcome).inc(10)
        for _ in range(10):
            self.duration.observe(0.01)


class Working(Protocol):
    """An application that does something between two scrapes."""

    registry: CollectorRegistry

    def work(self) -> None: ...


class Silent(WSGIRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def exposition(working: Working) -> Iterator[str]:
    metrics = make_wsgi_app(working.registry)

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        working.work()
        return metrics(environ, start_response)

    server = make_server("127.0.0.1", 0, application, handler_class=Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rules = artefacts(MONITOR)[0]
    (tmp_path / "digits.rules.yaml").write_text(rules.text, encoding="utf-8")
    return tmp_path


def test_an_outage_pages_and_silence_is_told(folder: Path, prometheus_server: Callable[..., Any]) -> None:
    classifier = Classifier()
    with exposition(classifier) as address:
        server = prometheus_server(
            config={
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(folder / "digits.rules.yaml")],
                "scrape_configs": [{"job_name": "digits", "static_configs": [{"targets": [address]}]}],
            }
        )

        def query(expression: str) -> list[dict[str, Any]]:
            answer = requests.get(f"{server.url}/api/v1/query", {"query": expression}, timeout=5).json()
            return list(answer["data"]["result"])

        def alerts(name: str, state: str) -> list[dict[str, Any]]:
            answer = requests.get(f"{server.url}/api/v1/alerts", timeout=5).json()
            found = answer["data"]["alerts"]
            return [one for one in found if one["labels"]["alertname"] == name and one["state"] == state]

        # Python writes the boundary as 1.0; nobody has failed yet, so that there is no failed series.
        ratios = until(
            lambda: found if len(found := query("slo:sli_error:ratio_rate10s")) == 2 else [],
            what="both ratios",
        )
        assert {ratio["metric"]["sloth_slo"]: float(ratio["value"][1]) for ratio in ratios} == {
            "availability": 0.0,
            "fast": 0.0,
        }
        assert alerts("ModelErrorBudgetBurn", "firing") == []

        classifier.outcome = "timeout"
        paged = until(
            lambda: [
                one for one in alerts("ModelErrorBudgetBurn", "firing") if one["labels"]["severity"] == "page"
            ],
            what="a page",
        )
        assert [one["labels"]["objective"] for one in paged] == ["availability"]
        assert paged[0]["labels"]["team"] == "vision"
        assert "times as often as its budget allows" in paged[0]["annotations"]["description"]

        classifier.stop_counting()
        until(lambda: alerts("ModelSignalAbsent", "pending"), what="silence pending")
        (silence,) = until(lambda: alerts("ModelSignalAbsent", "firing"), what="silence told")
        assert silence["labels"]["severity"] == "page"

        rules = requests.get(f"{server.url}/api/v1/rules", timeout=5).json()["data"]["groups"]
        assert [rule["name"] for group in rules for rule in group["rules"] if rule["health"] == "err"] == []

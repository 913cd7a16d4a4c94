"""Documents held against the series of a real Prometheus, which scrapes real expositions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import requests
from prometheus_client import CollectorRegistry, Counter, Histogram, make_wsgi_app

from airis_mon.cli.commands import check
from airis_mon.exporters import series as exposed
from tests.waiting import until

DOCUMENT = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: digits}
spec:
  model: {name: digits}
  source: {contract: airis, selector: {job: digits}, scrape_interval: 1s}
  objectives:
    - {name: availability, target: 99%, window: 1d, errors: {}}
    - {name: fast, target: 99%, window: 1d, latency: {of: request_duration, below: 1s}}
  anomalies: [{of: confidence_p50, by: [instance], history: 1d}]
"""


def exposition(
    buckets: tuple[float, ...],
    counter: str = exposed.PREDICTIONS,
    labels: tuple[str, ...] = (exposed.OUTCOME,),
) -> CollectorRegistry:
    registry = CollectorRegistry()
    predictions = Counter(counter, "Predictions.", labels, registry=registry)
    (predictions.labels("ok") if labels else predictions).inc()
    for name in (exposed.PREDICTION_DURATION, exposed.PREDICTION_CONFIDENCE):
        Histogram(name, "Values.", buckets=buckets, registry=registry).observe(0.3)
    return registry


USUAL = (0.1, 0.5, 1.0, 5.0)
TARGETS = {
    "digits/a": exposition(USUAL),
    "digits/b": exposition(USUAL),
    "mixed/a": exposition((0.1, 1.0)),
    "mixed/b": exposition((0.1, 0.5, 1.0)),
    "renamed/a": exposition(USUAL, counter="airis_prediction_events"),
    "bare/a": exposition(USUAL, labels=()),
    "slow/a": exposition(USUAL),
}
"""Job and instance, with what that instance exposes."""


class Silent(WSGIRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(application: Callable[..., Any]) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, application, handler_class=Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def metrics(environ: dict[str, Any], start_response: Any) -> Any:
    return make_wsgi_app(TARGETS[environ["PATH_INFO"].strip("/")])(
        {**environ, "PATH_INFO": "/"}, start_response
    )


Checked = Callable[..., tuple[int, str, str]]


@pytest.fixture
def checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Checked:
    """Check a document: `checked(url, text, *options)` is (exit code, stdout, stderr)."""

    def run(url: str, text: str, *options: str) -> tuple[int, str, str]:
        file = tmp_path / "digits.yaml"
        file.write_text(text)
        code = check.run([str(file), "--live", url, *options], tmp_path)
        out, error = capsys.readouterr()
        return code, out, error

    return run


def test_documents_are_held_against_what_is_there(
    prometheus_server: Callable[..., Any], checked: Checked, tmp_path: Path
) -> None:
    with serving(metrics) as address:
        configs = []
        for target in TARGETS:
            job, instance = target.split("/")
            labels = {"job": job, "instance": instance}
            interval = {"scrape_interval": "3s"} if job == "slow" else {}
            static = [{"targets": [address], "labels": labels}]
            configs.append(
                {"job_name": target, "metrics_path": f"/{target}", "static_configs": static, **interval}
            )
        times = {"scrape_interval": "1s", "evaluation_interval": "20s"}
        server = prometheus_server(config={"global": times, "scrape_configs": configs})

        def ready() -> bool:
            query = 'count_over_time(airis_predictions_total{job="slow"}[1m]) >= 3'
            answer = requests.get(f"{server.url}/api/v1/query", {"query": query}, timeout=5)
            return bool(answer.json()["data"]["result"])

        until(ready, what="three scrapes of the slow one")

        def told(text: str, *options: str) -> str:
            code, out, error = checked(server.url, text, *options)
            assert code == 1, out
            return error

        # All is there; boundaries are those of the application, and Python spells this one 1.0.
        code, out, error = checked(server.url, DOCUMENT, "--cost")
        assert (code, error.count("warning: ")) == (0, 1), error[:3000]
        assert "nobody hears of the alerts" in error  # the one warning: the document says so itself
        assert "cost, evaluated every 20s, series per selector as found:" in out

        between = DOCUMENT.replace("below: 1s", "below: 75ms")
        error = told(between)
        assert "no bucket of `request_duration` ends at 75ms" in error
        assert "= write `below: 100ms`\n" in error
        assert "digits.yaml:9:" in error
        code, _, error = checked(server.url, between.replace("75ms", "400ms, snap: up"))
        assert code == 0
        assert "warning: `request_duration` is counted below 500ms: no bucket ends at 400ms" in error

        declared = DOCUMENT.replace("1s}\n  obj", "1s, buckets: {request_duration: [0.2, 1.0]}}\n  obj")
        code, _, error = checked(server.url, declared)
        assert code == 0
        assert "the boundaries of `request_duration` are others than those that are declared" in error
        assert "write `request_duration: [0.1, 0.5, 1, 5]`" in error

        error = told(DOCUMENT.replace("job: digits", "job: digit"))
        assert 'no series of `airis_predictions_total` has job="digit"' in error
        assert "there are `bare`, `digits`, `mixed`, `slow`; did you mean `digits`?" in error
        assert "digits.yaml:6:" in error

        error = told(DOCUMENT.replace("{job: digits}", "{job: digits, model: digits}"))
        assert "no series of `airis_predictions_total` has a label `model`" in error
        assert "(spec.source.selector.model)" in error

        error = told(DOCUMENT.replace("{job: digits}", "{job: slow, instance: b}"))
        assert 'no series of `airis_predictions_total` has all of {instance="b",job="slow"}' in error

        error = told(DOCUMENT.replace("job: digits", "job: renamed"))
        assert "no series of `airis_predictions_total` has job" in error

        error = told(
            DOCUMENT.replace("contract: airis", "contract: vllm").replace("confidence_p50", "kv_cache_usage")
        )
        assert error.count("no series is called `vllm:request_success_total`") == 1
        assert "digits.yaml:8:" in error
        assert "vllm:prompt_tokens_total" not in error  # nothing asks for it
        assert 'series of {job="digits"} are called otherwise, such as `airis_' in error

        error = told(DOCUMENT.replace("[instance]", "[replica]"))
        assert "no series of `confidence_p50` has a label `replica`" in error
        assert "(spec.anomalies[0].by" in error

        error = told(DOCUMENT.replace("job: digits", "job: mixed").replace("below: 1s", "below: 500ms"))
        assert "1 of 2 series of `request_duration` have this boundary" in error

        error = told(DOCUMENT.replace("job: digits", "job: bare"))
        assert "1 series of `airis_predictions_total` have no label `outcome`, and are all taken by" in error

        error = told(DOCUMENT.replace("job: digits", "job: slow"))
        assert "warning: Prometheus reads this source every 3s, and the document says 1s" in error
        assert "error: no rate could be taken over 10s" in error

        error = told(
            DOCUMENT.replace("below: 1s", "below: 300ms, native: true"), "--prometheus-version", "3.0"
        )
        assert "`airis_prediction_duration_seconds` is a classic histogram there" in error

        above = "  thresholds: [{of: confidence_p95, above: 0.9, by: [replica]}]\n"
        error = told(DOCUMENT + above)
        assert "no series of `confidence_p95` has a label `replica`" in error
        assert "(spec.thresholds[0].by" in error

        error = told(DOCUMENT, "--prometheus-version", "9.0")
        assert "and the rules are built for 9.0 and newer" in error

        month = DOCUMENT.replace("window: 1d, errors", "window: 366d, errors")
        code, _, error = checked(server.url, month)
        assert code == 0
        assert "looks 366d back, and samples are kept for" in error


def test_a_metric_under_another_name_is_recognised(
    prometheus_server: Callable[..., Any], checked: Checked
) -> None:
    with serving(metrics) as address:
        static = [{"targets": [address], "labels": {"job": "digits", "instance": "a"}}]
        config = {
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [{"job_name": "r", "metrics_path": "/renamed/a", "static_configs": static}],
        }
        server = prometheus_server(config=config)

        def ready() -> bool:
            answer = requests.get(
                f"{server.url}/api/v1/query", {"query": "airis_prediction_events_total"}, timeout=5
            )
            return bool(answer.json()["data"]["result"])

        until(ready, what="a scrape")
        code, _, error = checked(server.url, DOCUMENT)
        assert code == 1
        assert "no series is called `airis_predictions_total`" in error
        assert "there is `airis_prediction_events_total`; was it renamed?" in error

"""Signals that are there and cannot be true."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from wsgiref.simple_server import make_server

import pytest
import requests
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from airis_mon.exporters import series as exposed
from airis_mon.rules import guards, series
from airis_mon.rules.collection import groups
from airis_mon.rules.compile import artefacts
from airis_mon.rules.measures import measures
from airis_mon.spec import Alerting, Anomaly, Errors, Forecast, Latency, Model, Monitor, Objective, Source
from airis_mon.stack.servers import Server
from tests.mutation.rules import mutants
from tests.rules.monitors import DAY, chat, mutated, small
from tests.rules.test_on_prometheus import Silent
from tests.waiting import until


def guarded(monitor: Monitor) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the guards of a monitor by signal and kind."""
    rules = [rule for group in groups(monitor) for rule in group.rules]
    found = [rule for rule in rules if rule.get("alert") == series.IMPLAUSIBLE_ALERT]
    return {(rule["labels"]["for"], rule["labels"]["guard"]): rule for rule in found}


def test_each_metric_of_a_promise_is_guarded_once() -> None:
    assert [(measure.signal, measure.metric) for measure in measures(chat())] == [
        ("request_rate", "vllm:request_success_total"),
        ("time_to_first_token", "vllm:time_to_first_token_seconds_count"),
        ("request_duration", "vllm:e2e_request_latency_seconds_count"),
        ("kv_cache_usage", "vllm:kv_cache_usage_perc"),
    ]
    assert list(guarded(chat())) == [
        ("request_rate", "impossible"),
        ("request_rate", "unlabelled"),
        ("request_rate", "frozen"),
        ("request_rate", "cached"),
        ("request_rate", "rare"),
        ("time_to_first_token", "impossible"),
        ("time_to_first_token", "frozen"),
        ("request_duration", "impossible"),
        ("request_duration", "frozen"),
        ("kv_cache_usage", "impossible"),
        ("kv_cache_usage", "unlabelled"),
    ]


def test_a_label_that_only_failures_have_is_not_missed() -> None:
    objective = Objective("up", 0.999, 30 * DAY, Errors())
    assert ("request_rate", "unlabelled") not in guarded(small(objective, contract="otel-genai"))
    found = guarded(small(objective, contract="airis"))["request_rate", "unlabelled"]
    assert found["expr"] == (
        'count(airis_predictions_total{job="small"} unless airis_predictions_total{job="small",outcome!=""})'
    )


def test_what_blinds_the_whole_monitor_wakes_whom_its_silence_would_wake() -> None:
    found = guarded(chat())
    assert found["request_rate", "frozen"]["labels"]["severity"] == "page"
    assert found["request_rate", "rare"]["labels"]["severity"] == "ticket"
    assert found["time_to_first_token", "frozen"]["labels"]["severity"] == "ticket"
    watched = Monitor("m", Model("m"), Source("vllm", {"job": "m"}), anomalies=(Anomaly("kv_cache_usage"),))
    assert guarded(watched)["request_rate", "frozen"]["labels"]["severity"] == "ticket"


def test_processes_are_read_of_one_job_alone() -> None:
    monitor = replace(chat(), source=Source("vllm", {"model_name": "llama"}))
    assert ("request_rate", "cached") not in guarded(monitor)


def test_guards_look_as_far_as_the_fastest_long_window() -> None:
    monitor = small(Objective("up", 0.999, 30 * DAY, Errors()))
    assert (guards.reach(monitor), guards.patience(monitor)) == (3600, 900)
    fast = small(Objective("up", 0.999, DAY, Errors()), scrape_interval=2.0)
    assert (guards.reach(fast), guards.patience(fast)) == (120, 30)


def test_what_an_anomaly_or_a_forecast_is_about_is_told_where_it_was_never_seen() -> None:
    monitor = replace(
        chat(),
        objectives=(),
        anomalies=(Anomaly("queue_time_p95"),),
        forecasts=(Forecast("kv_cache_usage", DAY, 1.0),),
    )
    rules = [rule for group in groups(monitor) for rule in group.rules]
    absent = {rule["labels"]["for"] for rule in rules if rule.get("alert") == series.ABSENT_ALERT}
    assert absent == {"request_rate", "queue_time_p95", "kv_cache_usage"}


def test_no_broken_guard_passes_its_proofs(promtool: Server, tmp_path: Path) -> None:
    # A sample; `make mutate` breaks everything.
    broken = [one for one in mutants(mutated()) if ":guards " in one.what][5::41]
    with ThreadPoolExecutor(2) as pool:
        survived = list(pool.map(lambda mutant: mutant.survives(promtool, tmp_path), broken))
    assert len(broken) > 5
    assert [mutant.what for mutant, alive in zip(broken, survived, strict=True) if alive] == []


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


class Page:
    """What a server exposes, ten operations more at each scrape; each part can be spoilt."""

    def __init__(self) -> None:
        self.operations = 0.0
        self.labels = {"outcome": "ok"}
        self.duration = exposed.PREDICTION_DURATION
        self.predictions: float | None = None
        """Value that the counter of predictions is stuck at."""

    def collect(self) -> Iterator[Metric]:
        self.operations += 10
        counter = CounterMetricFamily(exposed.PREDICTIONS, "Predictions.", labels=list(self.labels))
        value = self.operations if self.predictions is None else self.predictions
        counter.add_metric(list(self.labels.values()), value)
        yield counter
        buckets = [(str(boundary), self.operations) for boundary in exposed.PREDICTION_DURATION_BUCKETS]
        yield HistogramMetricFamily(
            self.duration, "Seconds.", buckets=[*buckets, ("+Inf", self.operations)], sum_value=1.0
        )


@contextmanager
def exposition(page: Page) -> Iterator[str]:
    registry = CollectorRegistry()
    registry.register(page)
    server = make_server("127.0.0.1", 0, make_wsgi_app(registry), handler_class=Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Watched:
    """A real Prometheus with the rules of the monitor, and a page that it scrapes every second."""

    def __init__(self, url: str, page: Page) -> None:
        self.url = url
        self.page = page

    def ready(self) -> dict[str, float]:
        """Return for each objective whether its page can fire."""
        query = f'{series.READY}{{alert="{series.BURN_ALERT}",severity="page"}}'
        answer = requests.get(f"{self.url}/api/v1/query", {"query": query}, timeout=5).json()
        return {one["metric"]["objective"]: float(one["value"][1]) for one in answer["data"]["result"]}

    def told(self, *states: str) -> set[tuple[str, str]]:
        """Return signal and kind of each guard that is pending or firing."""
        found = requests.get(f"{self.url}/api/v1/alerts", timeout=5).json()["data"]["alerts"]
        return {
            (one["labels"]["for"], one["labels"]["guard"])
            for one in found
            if one["labels"]["alertname"] == series.IMPLAUSIBLE_ALERT and one["state"] in states
        }


@pytest.fixture
def watched(tmp_path: Path, prometheus_server: Callable[..., Any]) -> Iterator[Watched]:
    (tmp_path / "rules.yaml").write_text(artefacts(MONITOR)[0].text, encoding="utf-8")
    page = Page()
    with exposition(page) as address:
        server = prometheus_server(
            config={
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(tmp_path / "rules.yaml")],
                "scrape_configs": [{"job_name": "digits", "static_configs": [{"targets": [address]}]}],
            }
        )
        found = Watched(server.url, page)
        until(lambda: found.ready() == {"availability": 1, "fast": 1}, what="alerts that can fire")
        yield found


def test_a_real_prometheus_tells_what_is_spoilt(watched: Watched) -> None:
    page = watched.page

    page.duration = "renamed_seconds"
    until(lambda: watched.ready() == {"availability": 1, "fast": 0}, what="a blind alert")
    page.duration = exposed.PREDICTION_DURATION
    until(lambda: watched.ready() == {"availability": 1, "fast": 1}, what="sight")

    page.labels = {}
    until(lambda: ("request_rate", "unlabelled") in watched.told("pending"), what="the missing label")
    page.labels = {"outcome": "ok"}
    until(lambda: ("request_rate", "unlabelled") not in watched.told("pending", "firing"), what="the label")

    page.predictions = float("nan")
    until(lambda: ("request_rate", "impossible") in watched.told("pending"), what="no number")
    page.predictions = -1
    until(lambda: ("request_rate", "impossible") in watched.told("firing"), 60, what="the page")
    page.predictions = None
    until(lambda: ("request_rate", "impossible") not in watched.told("pending", "firing"), what="its end")


@pytest.mark.slow
def test_a_real_prometheus_tells_of_a_counter_that_stands_still(watched: Watched) -> None:
    watched.page.predictions = watched.page.operations
    until(lambda: ("request_rate", "frozen") in watched.told("firing"), 240, what="the page")
    assert watched.told("firing") == {("request_rate", "frozen")}
    watched.page.predictions = None
    until(lambda: not watched.told("pending", "firing"), what="its end")

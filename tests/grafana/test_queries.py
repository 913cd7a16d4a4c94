"""Every query of every dashboard, asked of a real Prometheus that holds what the other rooms publish.

The series come from the other rooms' artefacts, so a query that finds nothing names a series, a label or a
value that nobody writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import requests
import yaml

from airis_mon.analyzer import series as analyzer
from airis_mon.analyzer.compile import artefacts as analyzer_artefacts
from airis_mon.exporters.contracts import CONTRACTS
from airis_mon.remote_write import HttpWriter, Sample
from airis_mon.rules.compile import artefacts as rules_artefacts
from airis_mon.spec import Bundle, Monitor
from tests.grafana.documents import Query, dashboard, monitors, queries

AGO = (3600, 180, 120, 60, 0)
"""Seconds before now at which every series has a sample; the first serves `offset 1h`."""

Labels = Mapping[str, str]


def exposed(monitor: Monitor) -> Iterator[tuple[str, Labels]]:
    """What the model's server exposes, by its contract."""
    contract, labels = CONTRACTS[monitor.source.contract], dict(monitor.source.selector)
    if contract.requests is not None:
        yield contract.requests.total, labels
    for counter in contract.counters.values():
        yield counter.metric, labels
    for gauge in contract.gauges.values():
        yield gauge.metric, labels
    for distribution in contract.distributions.values():
        yield f"{distribution.metric}_count", labels
        yield f"{distribution.metric}_sum", labels
        for boundary in (*(f"{bucket:g}" for bucket in distribution.buckets), "+Inf"):
            yield f"{distribution.metric}_bucket", {**labels, "le": boundary}


def recorded(monitor: Monitor) -> Iterator[tuple[str, Labels]]:
    """What the rules write, and what Prometheus says of the alerts among them."""
    rules = yaml.safe_load(rules_artefacts(monitor)[0].text)
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        if "record" in rule:
            yield rule["record"], rule.get("labels", {})
        else:
            yield "ALERTS", {**rule["labels"], "alertname": rule["alert"], "alertstate": "firing"}


def analysed(monitor: Monitor) -> Iterator[tuple[str, Labels]]:
    """What the analyzer writes."""
    config = yaml.safe_load(analyzer_artefacts(Bundle(monitors=(monitor,)))[0].text)
    for query in config["queries"]:
        labels = {name: query[name] for name in (analyzer.MONITOR, analyzer.MODEL, analyzer.FOR)}
        labels |= dict.fromkeys(query["by"], "eu-1")
        yield analyzer.ACTUAL, labels
        yield analyzer.SCORE, labels
        for horizon in (analyzer.NOW, *query["horizons"]):
            for name in (analyzer.EXPECTED, analyzer.LOWER, analyzer.UPPER):
                yield name, {**labels, analyzer.HORIZON: horizon}
        for horizon in query["horizons"]:
            for name in (analyzer.COVERAGE, analyzer.MASE, analyzer.DEMOTED):
                yield name, {**labels, analyzer.HORIZON: horizon}


def told(monitor: Monitor) -> Iterator[tuple[str, Labels]]:
    """What is written of plans and of two versions."""
    labels = {analyzer.MONITOR: monitor.name, analyzer.MODEL: monitor.model.name}
    for name in (analyzer.REPLICAS, analyzer.REPLICAS_NEEDED, analyzer.REPLICAS_NEEDED_UPPER):
        yield name, labels if name == analyzer.REPLICAS else {**labels, analyzer.HORIZON: "7d"}
    for name in (analyzer.CANARY_DIFFERENCE, analyzer.CANARY_LOWER, analyzer.CANARY_UPPER):
        yield name, {**labels, analyzer.METRIC: "availability"}


def samples(now: float) -> Iterator[Sample]:
    found = {
        tuple(sorted({"__name__": name, **labels}.items()))
        for monitor in monitors()
        for room in (exposed, recorded, analysed, told)
        for name, labels in room(monitor)
    }
    for ago in AGO:
        for labels in sorted(found):
            yield Sample(dict(labels), int((now - ago) * 1000), 10_000 - ago)


def answer(url: str, query: Query, now: float) -> list[dict[str, Any]]:
    path = "query" if query.instant else "query_range"
    times = {"time": now} if query.instant else {"start": now - 60, "end": now, "step": 60}
    params = {"query": query.expression, **{name: str(value) for name, value in times.items()}}
    response = requests.get(f"{url}/api/v1/{path}", params=params, timeout=10).json()
    assert response["status"] == "success", f"{query}: {response.get('error')}"
    found: list[dict[str, Any]] = response["data"]["result"]
    return found


def test_every_query_finds_what_the_rooms_publish(prometheus_server: Callable[..., Any]) -> None:
    url, now = prometheus_server().url, time.time()
    result = HttpWriter(f"{url}/api/v1/write").write(samples(now))
    assert result.dropped == 0, result
    empty = [
        f"{monitor.name}, {query.panel}: {query.expression}"
        for monitor in monitors()
        for query in queries(dashboard(monitor))
        if not answer(url, query, now)
    ]
    assert empty == []


def test_a_query_for_what_nobody_publishes_finds_nothing(prometheus_server: Callable[..., Any]) -> None:
    url, now = prometheus_server().url, time.time()
    HttpWriter(f"{url}/api/v1/write").write(samples(now))
    assert answer(url, Query("", 'yhat{monitor="support-chat",horizon="2h"}', True), now) == []

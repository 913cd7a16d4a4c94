from __future__ import annotations

import io
import itertools
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from airis_mon.demo.arrivals import Arrivals
from airis_mon.demo.digits import Classifier
from airis_mon.demo.history import BackfillError, History, backfill, simulate
from airis_mon.demo.latency import LatencyModel
from airis_mon.demo.past import ClassifierPast, LLMPast, Past
from airis_mon.stack.servers import Server
from airis_mon.traces import Traffic, operations
from tests.waiting import until

StartService = Callable[[str], str]
NOW = 1_700_136_000.0
TRAFFIC = Traffic(rate=1.0)


def llm(start: float, seed: int = 1) -> LLMPast:
    return LLMPast(Arrivals(operations(TRAFFIC, start, seed)), LatencyModel(), seed)


def classifier(start: float, seed: int = 1) -> ClassifierPast:
    return ClassifierPast(Arrivals(operations(TRAFFIC, start, seed)), Classifier(1), [0.001], seed)


def query(url: str, expression: str, moment: float | None = None) -> list[dict[str, Any]]:
    parameters: dict[str, Any] = {"query": expression}
    if moment is not None:
        parameters["time"] = moment
    answer = requests.get(f"{url}/api/v1/query", params=parameters, timeout=10).json()
    assert answer["status"] == "success", answer
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


def number(url: str, expression: str, moment: float | None = None) -> float:
    (sample,) = query(url, expression, moment)
    return float(sample["value"][1])


def test_past_catches_up_with_a_clock_that_runs_on() -> None:
    ticks = itertools.count()
    history, end = simulate({llm(NOW - 600): {}}, NOW - 600, 15, lambda: NOW + next(ticks))
    assert end > NOW
    assert history.samples > 0


def test_live_load_takes_over_where_the_past_stops() -> None:
    arrivals = Arrivals(operations(TRAFFIC, NOW - 600, 1))
    past = LLMPast(arrivals, LatencyModel(), 1)
    _, end = simulate({past: {}}, NOW - 600, 15, lambda: NOW)
    all_of_them = list(itertools.takewhile(lambda o: o.at < NOW + 60, operations(TRAFFIC, NOW - 600, 1)))
    following = next(request for request in all_of_them if request.at > end)
    assert arrivals.take() == following


def test_backfilled_past_is_what_was_recorded(
    tmp_path: Path, promtool: Server, prometheus_server: Callable[..., Any]
) -> None:
    now = time.time()
    start = now - 3 * 3600
    targets: dict[Past, Mapping[str, str]] = {
        llm(start): {"job": "chat", "instance": "a:1"},
        classifier(start): {"job": "digits", "instance": "b:2"},
    }
    history, end = simulate(targets, start, 15, lambda: now)
    backfill(history, promtool.path, tmp_path / "data", tmp_path / "history.txt")
    server = prometheus_server(data=tmp_path / "data")
    requests_made = list(itertools.takewhile(lambda o: o.at <= end, operations(TRAFFIC, start, 1)))
    # Those of the last seconds may still be under way.
    counted = number(server.url, 'sum(gen_ai_client_operation_duration_seconds_count{job="chat"})', end)
    assert len(requests_made) - 10 <= counted <= len(requests_made)
    assert number(server.url, 'airis_predictions_total{instance="b:2"}', end) == len(requests_made)
    points = "count_over_time(airis_predictions_total[3h])"
    assert number(server.url, points, end) == pytest.approx(3 * 240, abs=2)
    p95 = (
        "histogram_quantile(0.95, sum by (le) "
        "(rate(gen_ai_client_operation_time_to_first_chunk_seconds_bucket[5m])))"
    )
    assert 0.25 < number(server.url, p95, end - 3600) < 0.7
    confidence = "airis_prediction_confidence_sum / airis_prediction_confidence_count"
    assert number(server.url, confidence, end) == pytest.approx(0.92, abs=0.02)


def test_live_samples_follow_the_past_as_one_series(
    tmp_path: Path, promtool: Server, prometheus_server: Callable[..., Any], service: StartService
) -> None:
    url = service("llm_service")
    address = url.removeprefix("http://")
    start = time.time() - 600
    history, _ = simulate({llm(start): {"job": "chat", "instance": address}}, start, 15, time.time)
    backfill(history, promtool.path, tmp_path / "data", tmp_path / "history.txt")
    config = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "chat", "static_configs": [{"targets": [address]}]}],
    }
    server = prometheus_server(config, data=tmp_path / "data")
    body = {"messages": [{"content": "why "}], "max_tokens": 1}
    assert requests.post(f"{url}/v1/chat/completions", json=body, timeout=10).ok
    resets = 'resets(gen_ai_client_inference_usage_output_tokens_total{gen_ai_token_modality="text"}[15m])'
    until(lambda: number(server.url, resets) != 0, what="a live sample that joins the past")
    # As the restart of a process is seen: one series, and not two.
    assert len(query(server.url, resets)) == 1
    assert number(server.url, resets) == 1


def test_past_and_live_expose_the_same_series(service: StartService) -> None:
    url = service("llm_service")
    body = {"messages": [{"content": "why "}], "max_tokens": 3}
    assert requests.post(f"{url}/v1/chat/completions", json=body, timeout=10).ok
    requests.post(f"{url}/-/fault", json={"error_share": 1}, timeout=10)
    requests.post(f"{url}/v1/chat/completions", json=body, timeout=10)
    accept = {"Accept": "application/openmetrics-text;version=1.0.0"}
    live = _series(requests.get(f"{url}/metrics", headers=accept, timeout=10).text)
    past = llm(NOW - 20_000)
    history = History()
    past.run_until(NOW)  # long enough for a failure
    history.scrape(NOW, {past: {}})
    assert live == _series("\n".join(_text(history)) + "\n")


def _text(history: History) -> list[str]:
    file = io.StringIO()
    history.write(file)
    return file.getvalue().splitlines()


def _series(text: str) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    return {
        (sample.name, frozenset(sample.labels.items()))
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
        if family.name.startswith("gen_ai_") and not sample.name.endswith("_created")
    }


def test_text_is_one_family_after_the_other_and_ends() -> None:
    past = llm(NOW - 300)
    history, _ = simulate({past: {"job": 'a"b\\c'}}, NOW - 300, 15, lambda: NOW)
    lines = _text(history)
    assert lines[-1] == "# EOF"
    families = [line for line in lines if line.startswith("# TYPE ")]
    assert families == [f"# TYPE {family.name} {family.type}" for family in past.registry.collect()]
    assert len(families) == len(set(families))
    assert 'job="a\\"b\\\\c"' in lines[1]


def test_a_series_is_absent_before_it_appears() -> None:
    past = llm(NOW - 20_000)
    history, _ = simulate({past: {}}, NOW - 20_000, 500, lambda: NOW)
    lines = _text(history)
    scrapes = sum("_duration_seconds_count{" in line and 'error_type=""' in line for line in lines)
    failures = [line for line in lines if "_duration_seconds_count{" in line and 'overloaded"' in line]
    assert 0 < len(failures) < scrapes == 41
    assert all(float(line.split()[-2]) >= 1 for line in failures)


def test_promtool_that_is_none_is_named(tmp_path: Path) -> None:
    history, _ = simulate({llm(NOW - 60): {}}, NOW - 60, 15, lambda: NOW)
    with pytest.raises(BackfillError, match="no-such-promtool"):
        backfill(history, tmp_path / "no-such-promtool", tmp_path / "data", tmp_path / "history.txt")

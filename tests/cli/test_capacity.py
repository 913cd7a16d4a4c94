"""`capacity` as a person runs it: weeks of a real Prometheus, and what cannot be answered."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from airis_mon.stack.servers import Server
from tests.cli import pasts
from tests.cli.conftest import Run

DAY = 86400
STEP = 150
DAYS = 20
CARRIES = 8.0
"""Requests per second of a replica at 80 % of its KV cache."""
LABELS = {"job": "vllm", "model_name": "llama"}

DOCUMENT = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: support-chat}
spec:
  model: {name: llama}
  source: {contract: CONTRACT, selector: {job: vllm, model_name: llama}}
  objectives: [{name: availability, target: 99%, INDICATOR}]
"""
EVENTS = "events: {total: 'sum(rate(a_total[$window]))', bad: 'sum(rate(b_total[$window]))'}"


def document(folder: Path, contract: str = "vllm") -> Path:
    file = folder / f"{contract}.yaml"
    indicator = EVENTS if contract == "promql" else "errors: {}"
    text = DOCUMENT.replace("CONTRACT", contract).replace("INDICATOR", indicator)
    selector = ", selector: {job: vllm, model_name: llama}"
    file.write_text(text.replace(selector, "") if contract == "promql" else text)
    return file


def past(now: int) -> dict[str, list[str]]:
    """Two replicas, by day and night, 10 % more from week to week."""
    families: dict[str, list[str]] = {
        "vllm:request_success_total": [],
        "vllm:generation_tokens_total": [],
        "vllm:kv_cache_usage_perc": [],
    }
    for instance in ("a", "b"):
        labels = {**LABELS, "instance": instance}
        requests = tokens = 0.0
        rows: list[tuple[int, float, float, float]] = []
        for at in range(now - DAYS * DAY, now, STEP):
            weeks = (at - now) / (7 * DAY)
            rate = 7.0 * (0.6 + 0.4 * math.sin(2 * math.pi * at / DAY)) * 1.1**weeks
            requests += rate * STEP
            tokens += rate * STEP * (150 + 100 * math.sin(at / 5000))
            rows.append((at, requests, tokens, 0.8 * rate / CARRIES))
        for number, name in enumerate(families, 1):
            more = {"finished_reason": "stop"} if number == 1 else {}
            families[name] += pasts.series(name, {**labels, **more}, ((row[0], row[number]) for row in rows))
    return families


@pytest.fixture
def url(promtool: Server, prometheus_server: Callable[..., Any], tmp_path: Path) -> str:
    now = int(time.time()) // 300 * 300
    return str(prometheus_server(data=pasts.blocks(promtool, tmp_path, past(now))).url)


def test_replicas_by_when_are_written_as_series(called: Run, url: str, tmp_path: Path) -> None:
    words = ("capacity", document(tmp_path), "--prometheus.url", url, "--history", "20d", "--horizon", "21d")
    told = called(*words, "--write", "--format", "json")
    assert told.returncode == 0, told.stderr
    (account,) = json.loads(told.stdout)

    def read(name: str) -> dict[str, float]:
        query = f'{name}{{monitor="support-chat",model="llama"}}'
        answer = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=10).json()
        return {one["metric"].get("horizon", ""): float(one["value"][1]) for one in answer["data"]["result"]}

    days = account["days"]
    for name, key in (("", "replicas"), ("_upper", "replicas_upper")):
        needed = {f"{n}d": max(day[key] for day in days[:n]) for n in (1, 7, 14, 21)}
        assert read(f"airis_capacity_replicas_needed{name}") == needed
        assert needed["21d"] > 2
    assert read("airis_capacity_replicas") == {"": 2.0}
    # The same at the same time is no mistake, and a server that takes nothing is told of.
    assert called(*words, "--write").returncode == 0
    refused = called(*words, "--write", "--remote-write.url", f"{url}/nowhere")
    assert refused.returncode == 1
    assert "airis-mon capacity: --write: " in refused.stderr


def test_replicas_by_when_from_weeks_of_a_real_prometheus(called: Run, url: str, tmp_path: Path) -> None:
    file = document(tmp_path)
    words = ("capacity", file, "--prometheus.url", url, "--history", "20d", "--horizon", "21d")
    told = called(*words, "--format", "json")
    assert told.returncode == 0, told.stderr
    (account,) = json.loads(told.stdout)
    assert account["replicas_now"] == 2
    # Tokens go their own way; the cache follows requests.
    assert account["load"]["signal"] == "request_rate"
    assert account["utilisation"]["signal"] == "kv_cache_usage"
    assert account["load_per_replica"]["at_target"] == pytest.approx(CARRIES, rel=0.05)
    assert account["growth_per_week"] == pytest.approx(0.1, abs=0.02)
    # 14 a second now, 16 are carried: too few in 1.4 weeks.
    days = [day["day"] for day in account["days"]]
    assert 5 <= days.index(account["too_few_expected_on"]) <= 13
    assert days.index(account["too_few_at_level_on"]) <= days.index(account["too_few_expected_on"])
    assert account["days"][-1]["replicas"] == 3

    shown = called(*words, "--gpus-per-replica", "4", "--spare", "1")
    assert shown.returncode == 0, shown.stderr
    assert "support-chat: 2 replicas now" in shown.stdout
    assert "(16 GPUs)" in shown.stdout or "(20 GPUs)" in shown.stdout

    # Another contract asks for series that are not there, and has nothing to tell utilisation by.
    for contract, options, expected in (
        ("airis", (), "nothing tells how much of a replica is in use"),
        ("airis", ("--per-replica", "5"), "nothing came for `request_rate`"),
        ("promql", ("--per-replica", "5"), "has no signal of load"),
        ("vllm", ("--utilisation", "requests_running"), "is in requests, and a utilisation is a share"),
        ("vllm", ("--utilisation", "vllm:kv_cache_usage_perc"), "gives 2 series"),
        ("vllm", ("--load", "vector(1)"), "never varied"),
        ("vllm", ("--load", "request_rat"), "no signal `request_rat`; did you mean `request_rate`?"),
        ("vllm", ("--utilisation", "kv_cache_utilisaton"), "no signal `kv_cache_utilisaton`; did you mean"),
        ("vllm", ("--load", "sum(request_rat)"), "nothing came for `sum(request_rat)`"),
        ("vllm", ("--history", "10d"), "known on 9 whole days, and 14 are needed"),
    ):
        refused = (
            called(*words, *options)
            if contract == "vllm"
            else called("capacity", document(tmp_path, contract), *words[2:], *options)
        )
        assert refused.returncode == 1
        assert expected in refused.stderr


def test_a_server_that_is_not_there_and_options_that_are_none(called: Run, tmp_path: Path) -> None:
    file = document(tmp_path)
    gone = called("capacity", file, "--prometheus.url", "http://127.0.0.1:1")
    assert gone.returncode == 1
    assert "http://127.0.0.1:1 is not reachable" in gone.stderr
    for words, expected in (
        (("--horizon", "36h"), "whole days are needed"),
        (("--target-utilisation", "80"), "is no number above 0 and up to 1"),
        (("--spare", "-1"), "is no number from 0 to 1000"),
        (("--replica-label", "a-b"), "is no label"),
        (("--prometheus.url", "localhost"), "is no URL"),
    ):
        wrong = called("capacity", file, *words)
        assert wrong.returncode == 2
        assert expected in wrong.stderr
    unknown = called("capacity", file, "--monitor", "support-chta", "--prometheus.url", "http://127.0.0.1:1")
    assert "there is no ModelMonitor `support-chta` in these files" in unknown.stderr

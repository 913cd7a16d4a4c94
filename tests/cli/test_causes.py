"""`causes` as a person runs it: an incident in a real Prometheus, with a version that changed before it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from airis_mon.stack.servers import Server
from tests.cli import pasts
from tests.cli.conftest import Run
from tests.waiting import until

STEP = 30
HOURS = 9
"""Six hours before the window, by which it is told how often something happens anyway, and more."""
DEPLOYED, BROKEN = 30, 26
"""Minutes before the end at which the version changed, and at which requests began to fail."""

DOCUMENT = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: support-chat}
spec:
  model: {name: llama}
  source: {contract: vllm, selector: {job: vllm, model_name: llama}}
  objectives: [{name: availability, target: 99%, errors: {}}]
  depends_on: [search]
---
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: search}
spec:
  model: {name: bge}
  source: {contract: vllm, selector: {job: search}}
  objectives: [{name: availability, target: 99%, errors: {}}]
"""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "monitors.yaml"
    file.write_text(DOCUMENT)
    return file


def past(now: int) -> dict[str, list[str]]:
    """A model whose new version fails, by night and day; an alert of the model that it asks follows."""
    times = range(now - HOURS * 3600, now + 1, STEP)
    broken, deployed = now - BROKEN * 60, now - DEPLOYED * 60
    model = {"job": "vllm", "model_name": "llama", "instance": "a"}
    families: dict[str, list[str]] = {}

    def put(name: str, labels: dict[str, str], value: Callable[[int], float], when: range = times) -> None:
        lines = pasts.series(name, labels, ((at, value(at)) for at in when))
        families.setdefault(name, []).extend(lines)

    def good(at: int) -> float:
        return 10.0 * (at - times[0]) + 5 * math.sin(at / 40)

    put("vllm:request_success_total", {**model, "finished_reason": "stop"}, good)
    put(
        "vllm:request_success_total",
        {**model, "finished_reason": "error"},
        lambda at: 4.0 * max(at - broken, 0),
    )
    put("vllm:kv_cache_usage_perc", model, lambda at: 0.4 + 0.01 * math.sin(at / 50))
    put("vllm:num_requests_waiting", model, lambda at: 1 + 0.1 * math.sin(at) + 40 * (at > broken + 120))
    put("process_start_time_seconds", model, lambda at: times[0] if at < deployed else deployed)
    put("up", model, lambda at: float(not deployed - 60 <= at < deployed))
    for version, when in (
        ("1.2.3", range(times[0], deployed, STEP)),
        ("1.2.4", range(deployed, now + 1, STEP)),
    ):
        put("vllm:build_info", {**model, "version": version}, lambda _: 1.0, when)
    alert = {
        "alertname": "ModelSignalAbsent",
        "alertstate": "firing",
        "monitor": "search",
        "severity": "ticket",
    }
    put("ALERTS", alert, lambda _: 1.0, range(broken + 300, now + 1, STEP))
    return families


def test_the_deploy_before_an_incident_comes_first(
    called: Run,
    promtool: Server,
    prometheus_server: Callable[..., Any],
    sidecar: str,
    document: Path,
    tmp_path: Path,
) -> None:
    now = int(time.time()) // 60 * 60
    url = str(prometheus_server(data=pasts.blocks(promtool, tmp_path, past(now))).url)
    at = datetime.fromtimestamp(now - (BROKEN - 8) * 60, UTC).isoformat()
    words = ("causes", document, "--monitor", "support-chat", "--at", at, "--history", "1h")
    told = called(*words, "--prometheus.url", url, "--format", "json")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["symptom"] == "error_ratio"
    assert found["visible"]
    assert found["begins"] == pytest.approx(now - BROKEN * 60, abs=120)
    names = [one["name"] for one in found["candidates"]]
    assert names[0] == "version changed 1.2.3 -> 1.2.4"
    assert found["candidates"][0]["reason"].startswith("version changed 1.2.3 -> 1.2.4, ")
    assert {"instance a restarted", "instance a could not be scraped", "requests_waiting"} <= set(names)
    # It came after: a consequence, or something else.
    alert = next(one for one in found["candidates"] if one["kind"] == "dependency alert")
    assert alert["name"] == "alert ModelSignalAbsent (search) fired"
    assert alert["lead"] < 0
    assert alert["weight"] < 0.3

    told_of = datetime.fromtimestamp(now - (BROKEN + 1) * 60, UTC).isoformat()
    event = {"timestamp": told_of, "event_type": "config_change", "severity": "info", "source": "gateway"}
    event["message"] = "limits raised"
    requests.post(f"{sidecar}/v1/events", json=event, timeout=10).raise_for_status()

    def reported() -> bool:
        rows = requests.get(f"{sidecar}/v1/events", timeout=10).json()["events"]
        return len(rows) == 1

    until(reported, what="the event in the store")
    with_events = called(*words, "--prometheus.url", url, "--events.url", sidecar, "--format", "json")
    assert with_events.returncode == 0, with_events.stderr
    first = json.loads(with_events.stdout)["candidates"][0]
    assert (first["name"], first["kind"]) == ("event config_change of gateway (limits raised)", "deploy")

    shown = called(*words, "--prometheus.url", url, "--most", "2")
    assert shown.returncode == 0
    assert "error_ratio left its band at" in shown.stdout
    assert "Candidates, not causes" in shown.stdout
    assert "more, with less weight" in shown.stdout

    quiet = called(*words[:5], "3h", *words[6:], "--prometheus.url", url, "--since", "30m")
    assert quiet.returncode == 0
    assert "did not leave its band" in quiet.stdout

    for options, expected in (
        (("--signal", "vllm:request_success_total"), "gives 2 series"),
        (("--signal", "nothing_of_that_name"), "nothing came for `nothing_of_that_name`"),
        (("--signal", "error_rato"), "there is no signal `error_rato`; did you mean `error_ratio`?"),
        (
            ("--events.url", "http://127.0.0.1:1"),
            "http://127.0.0.1:1/v1/events is not reachable: Connection refused\n",
        ),
    ):
        refused = called(*words, "--prometheus.url", url, *options)
        assert refused.returncode == 1
        assert expected in refused.stderr


def test_options_that_do_not_fit_are_refused(called: Run, document: Path) -> None:
    for words, expected in (
        ((), "an incident is one monitor's: write --monitor, and one of support-chat, search"),
        (("--monitor", "search", "--since", "2d"), "from 1m to 1d"),
        (("--monitor", "search", "--most", "-3"), "is no number from 1 to 1000"),
        (("--monitor", "search", "--most", "0"), "is no number from 1 to 1000"),
        (("--monitor", "search", "--also", "x"), "is not NAME=PROMQL"),
        (("--monitor", "search", "--events.url", "sidecar"), "is no URL of a sidecar"),
    ):
        refused = called("causes", document, *words)
        assert refused.returncode == 2
        assert expected in refused.stderr

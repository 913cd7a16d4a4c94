"""`rightsize` as a person runs it: a real Prometheus with the series of a cluster."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from airis_mon.stack.servers import Server
from tests.cli import pasts
from tests.cli.conftest import Run
from tests.cli.test_capacity import document

DAY = 86400
STEP = 150
DAYS = 3
GIB = 1 << 30
PODS = ("chat-7d4b9c6f5d-x2v8k", "chat-7d4b9c6f5d-9qwzt")


def past(now: int) -> dict[str, list[str]]:
    """Two pods of a Deployment, a server and a proxy each; the proxy was killed once."""
    families: dict[str, list[str]] = {}
    times = range(now - DAYS * DAY, now, STEP)

    def put(name: str, value: Callable[[int], float], **labels: str) -> None:
        families.setdefault(name, []).extend(pasts.series(name, labels, ((at, value(at)) for at in times)))

    def used(cores: float) -> Callable[[int], float]:
        # The integral of cores (1 + sin) by the day.
        turn = 2 * math.pi / DAY
        return lambda at: cores * ((at - now + DAYS * DAY) - (math.cos(turn * at) - 1) / turn) + 10 * DAY

    for pod in PODS:
        where = {"namespace": "ml", "pod": pod}
        put("vllm:kv_cache_usage_perc", lambda _: 0.5, job="vllm", model_name="llama", instance=pod, **where)
        for container, cores, memory in (("vllm", 0.8, 3.0), ("proxy", 0.05, 0.25)):
            labels = {**where, "container": container}
            put("container_cpu_usage_seconds_total", used(cores), image="i", **labels)
            put("container_memory_working_set_bytes", lambda _, m=memory: m * GIB, image="i", **labels)  # type: ignore[misc]
            for kind in ("requests", "limits"):
                name = f"kube_pod_container_resource_{kind}"
                put(name, lambda _: 4.0, resource="cpu", unit="core", **labels)
                put(name, lambda _, m=memory: (8 if m > 1 else 0.25) * GIB, resource="memory", **labels)  # type: ignore[misc]
        killed = {"container": "proxy", "reason": "OOMKilled"}
        put("kube_pod_container_status_last_terminated_reason", lambda _: 1.0, **where, **killed)
        put("DCGM_FI_DEV_FB_USED", lambda _: 70_000.0, gpu="0", **where)
        put("DCGM_FI_DEV_FB_FREE", lambda _: 11_000.0, gpu="0", **where)
        put("DCGM_FI_DEV_GPU_UTIL", lambda _: 12.0, gpu="0", **where)
    return families


@pytest.fixture
def url(promtool: Server, prometheus_server: Callable[..., Any], tmp_path: Path) -> str:
    now = int(time.time()) // 300 * 300
    return str(prometheus_server(data=pasts.blocks(promtool, tmp_path, past(now))).url)


def test_advice_from_the_series_of_a_cluster(called: Run, url: str, tmp_path: Path) -> None:
    file = document(tmp_path)
    words = ("rightsize", file, "--prometheus.url", url, "--history", "3d")
    told = called(*words, "--format", "json")
    assert told.returncode == 0, told.stderr
    (account,) = json.loads(told.stdout)
    # The workload is found by the labels of the model's own series.
    assert account["workload"] == {"namespace": "ml", "kind": "Deployment", "name": "chat"}
    assert account["pods"] == 2
    proxy, server = account["containers"]
    assert (proxy["container"], server["container"]) == ("proxy", "vllm")
    assert server["advised"]["cpu_request"] == pytest.approx(1.6 * 1.15, rel=0.03)
    assert server["advised"]["memory_request"] == pytest.approx(3 * 1.15 * GIB, rel=0.01)
    assert server["saved"]["cpu"] == pytest.approx(2 * (4 - server["advised"]["cpu_request"]))
    # Killed at 256 MiB: 100 MiB more, though it was never seen to use them.
    assert proxy["advised"]["memory_limit"] == pytest.approx(356 * (1 << 20), rel=0.05)
    assert account["gpu"] == {"memory_peak": 70_000.0, "memory_size": 81_000.0, "busy_p95": 12.0}
    notes = " ".join(account["notes"])
    for expected in ("proxy: it was killed", "3.0 days", "busy for 12% of the time", "a smaller one"):
        assert expected in notes

    shown = called(*words)
    assert shown.returncode == 0
    assert "Deployment ml/chat, 2 pods" in shown.stdout

    patched = called(*words, "--format", "patch")
    assert "# kubectl patch deployment chat -n ml --patch-file FILE" in patched.stdout
    patch = yaml.safe_load(patched.stdout)
    assert (patch["kind"], patch["metadata"]) == ("Deployment", {"name": "chat", "namespace": "ml"})
    (_, container) = patch["spec"]["template"]["spec"]["containers"]
    assert container["name"] == "vllm"
    assert set(container["resources"]) == {"requests", "limits"}
    assert container["resources"]["requests"]["cpu"].endswith("m")
    assert container["resources"]["requests"]["memory"] == f"{math.ceil(3 * 1024 * 1.15 / 16) * 16}Mi"

    for options, expected in (
        (
            ("--namespace", "ml", "--workload", "chat", "--kind", "StatefulSet"),
            "is cAdvisor (of the kubelet)",
        ),
        (("--history", "12h"), "hours, and 24 are needed"),
    ):
        refused = called(*words, *options)
        assert refused.returncode == 1
        assert expected in refused.stderr + refused.stdout
    nowhere = called("rightsize", document(tmp_path, "airis"), "--prometheus.url", url)
    assert nowhere.returncode == 1
    assert "write --namespace and --workload" in nowhere.stderr


def test_options_that_do_not_fit_are_refused(called: Run, tmp_path: Path) -> None:
    for words, expected in (
        (("--workload", "chat"), "belong together"),
        (("--workload", 'a"b', "--namespace", "x"), "is no name of Kubernetes"),
        (("--quantile", "95"), "is no number above 0 and up to 1"),
        (("--margin", "-5"), "up to 1; write one such as 0.15"),
        (("--history", "1s"), "from 1h to"),
    ):
        refused = called("rightsize", document(tmp_path), *words)
        assert refused.returncode == 2
        assert expected in refused.stderr

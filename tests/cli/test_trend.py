"""`airis-mon trend` on a real Prometheus: since when a signal is what it is."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airis_mon.cli.commands import trend
from airis_mon.stack.servers import Server

DAY, STEP = 86400, 300
DOCUMENT = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: chat}
spec:
  model: {name: llama}
  source: {contract: vllm, selector: {job: chat}, scrape_interval: 1m}
  objectives: [{name: availability, target: 99%, errors: {}}]
  forecasts: [{of: kv_cache_usage, horizon: 1d}, {of: requests_running, horizon: 1d}]
"""


@pytest.fixture
def told(
    promtool: Server,
    prometheus_server: Callable[..., Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> tuple[Callable[..., tuple[int, str, str]], int]:
    """Return what the command says, and when the cache's usage rose."""
    now, rng = int(time.time()) // STEP * STEP, np.random.default_rng(3)
    times = np.arange(now - 10 * DAY, now, STEP)
    change = int(times[len(times) * 7 // 10])
    course = 0.3 + 0.1 * np.sin(2 * np.pi * times / DAY) + 0.02 * rng.standard_normal(len(times))
    usage = course + np.where(times >= change, 0.25, 0.0)
    running = 10 + 2 * (times - times[0]) / DAY + rng.standard_normal(len(times))
    lines = [f'vllm:kv_cache_usage_perc{{job="chat"}} {v:.5f} {t}' for t, v in zip(times, usage, strict=True)]
    lines += [
        f'vllm:num_requests_running{{job="chat"}} {v:.3f} {t}' for t, v in zip(times, running, strict=True)
    ]
    text = tmp_path / "past.om"
    text.write_text("\n".join([*lines, "# EOF", ""]))
    command = [
        str(promtool.path),
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        str(text),
        str(tmp_path / "data"),
    ]
    subprocess.run(command, check=True, capture_output=True, cwd=promtool.cwd, timeout=60)
    server = prometheus_server(data=tmp_path / "data")
    file = tmp_path / "chat.yaml"
    file.write_text(DOCUMENT)

    def run(*options: str) -> tuple[int, str, str]:
        code = trend.run([str(file), "--prometheus.url", server.url, "--since", "10d", *options], tmp_path)
        out, error = capsys.readouterr()
        return code, out, error

    return run, change


def test_a_level_is_told_with_since_when_and_a_rise_with_its_slope(
    told: tuple[Callable[..., tuple[int, str, str]], int],
) -> None:
    run, changed = told
    code, out, error = run("--format", "json")
    assert code == 0, error
    found = {one["signal"]: one for one in json.loads(out)}
    assert list(found) == ["request_rate", "error_ratio", "kv_cache_usage", "requests_running"]
    assert found["request_rate"]["level"] is None
    (change,) = found["kv_cache_usage"]["changes"]
    assert abs(change["at"] - changed) <= 1200
    assert change["earliest"] <= changed <= change["latest"]
    assert change["after"] - change["before"] == pytest.approx(0.25, abs=0.03)
    assert found["requests_running"]["changes"] == []
    slope = found["requests_running"]["slope_per_day"]
    assert slope["certain"] is True
    assert slope["value"] == pytest.approx(2, abs=0.1)
    assert slope["lower"] < 2 < slope["upper"]

    code, out, error = run()
    assert code == 0, error
    assert time.strftime("%Y-%m-%d", time.gmtime(changed)) in out
    assert "no data" in out
    code, out, _ = run("--signal", "requests_running")
    assert out.count("\n") == 2
    code, _, error = run("--signal", "requests_runing")
    assert code == 1
    assert "did you mean `requests_running`?" in error


def test_nothing_at_all_is_no_success(
    prometheus_server: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "chat.yaml"
    file.write_text(DOCUMENT)
    words = [str(file), "--prometheus.url", prometheus_server().url, "--signal", "request_rate"]
    assert trend.run(words, tmp_path) == 1
    out, error = capsys.readouterr()
    assert "no data" in out
    assert "nothing came for `request_rate` in all that time; `airis-mon check --live` says what" in error


def test_wrong_usage_and_servers_that_are_not_there_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "chat.yaml"
    file.write_text(DOCUMENT)
    assert trend.run([str(file), "--prometheus.url", "http://127.0.0.1:9"], tmp_path) == 1
    assert "http://127.0.0.1:9 is not reachable" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        trend.run([str(file), "--since", "5m"], tmp_path)
    assert "write 1h to" in capsys.readouterr().err

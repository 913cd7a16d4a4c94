"""Arguments, ports and probes of the chart, against the real processes: a renamed flag breaks here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.waiting import until

pytestmark = pytest.mark.slow

Object = dict[str, Any]
Render = Callable[[str], list[Object]]
Find = Callable[[list[Object], str], Mapping[str, Any]]
DEADLINE = 30.0


@contextmanager
def running(arguments: list[str], cwd: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `airis-mon ARGUMENTS` and yield it with the address that it says it listens on."""
    process = subprocess.Popen(
        [sys.executable, "-m", "airis_mon.cli", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, "TMPDIR": str(cwd)},
    )
    overdue = threading.Timer(DEADLINE, process.kill)
    overdue.start()
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if '"listening"' in line:
                yield process, f"http://{json.loads(line)['address']}"
                break
        else:
            raise AssertionError(f"ended with {process.wait()}:\n{''.join(said)}")
    finally:
        overdue.cancel()
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def arguments_of(container: Mapping[str, Any], replaced: Mapping[str, str]) -> list[str]:
    """Return a container's arguments with some flags' values replaced; each has to be there."""
    found = []
    left = dict(replaced)
    for argument in container["args"]:
        flag = argument.partition("=")[0]
        found.append(f"{flag}={left.pop(flag)}" if flag in left else argument)
    assert not left
    return found


def listens_where_the_probes_look(container: Mapping[str, Any]) -> bool:
    (port,) = container["ports"]
    probes = [container[name]["httpGet"] for name in ("livenessProbe", "readinessProbe")]
    return f"--web.listen-address=:{port['containerPort']}" in container["args"] and {
        probe["port"] for probe in probes
    } == {port["name"]}


def ends(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(DEADLINE)


def test_sidecar_starts_as_the_chart_starts_it(render: Render, container: Find, tmp_path: Path) -> None:
    found = container(render("default"), "sidecar")
    assert listens_where_the_probes_look(found)
    replaced = {"--web.listen-address": "127.0.0.1:0", "--storage.path": str(tmp_path / "journal")}
    with running(arguments_of(found, replaced), tmp_path) as (process, url):
        live, ready = (found[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe"))
        assert requests.get(url + live, timeout=5).status_code == 200
        until(lambda: requests.get(url + ready, timeout=5).status_code == 200)
        assert requests.get(url + "/metrics", timeout=5).status_code == 200
        assert ends(process) == 0


@pytest.mark.parametrize("values", ["default", "remote-write"])
def test_analyzer_starts_as_the_chart_starts_it(
    render: Render, container: Find, tmp_path: Path, values: str
) -> None:
    found = container(render(values), "analyzer")
    assert listens_where_the_probes_look(found)
    (config,) = (item["data"]["analyzer.yaml"] for item in render("default") if item["kind"] == "ConfigMap")
    (tmp_path / "analyzer.yaml").write_text(config, encoding="utf-8")
    replaced = {
        "--web.listen-address": "127.0.0.1:0",
        "--config.file": str(tmp_path / "analyzer.yaml"),
        "--prometheus.url": "http://127.0.0.1:9",
        "--storage.path": str(tmp_path / "learnt"),
        "--remote-write.queue-path": str(tmp_path / "queue"),
    }
    if values == "remote-write":
        replaced["--remote-write.url"] = "http://127.0.0.1:9/api/v1/write"
    with running(arguments_of(found, replaced), tmp_path) as (process, url):
        path = found["livenessProbe"]["httpGet"]["path"]
        assert requests.get(url + path, timeout=5).status_code == 200
        # Ready or not yet: there is no Prometheus; but the route is there.
        ready = requests.get(url + found["readinessProbe"]["httpGet"]["path"], timeout=5)
        assert ready.status_code in (200, 503)
        assert ends(process) == 0

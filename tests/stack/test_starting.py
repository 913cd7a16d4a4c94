import json
import socket
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from airis_mon.cli.build import build
from airis_mon.spec import Bundle
from airis_mon.stack import MissingServerError, Plan, ProcessError, ScrapeTarget, ports, start
from airis_mon.stack.servers import Server
from tests.conftest import Until

DOCKER = """#!{python}
# Runs the services of a compose file as plain processes: what a daemon would do, without the containers.
import signal, subprocess, sys, yaml
words = sys.argv[1:]
plain = lambda command: [word.replace("$$", "$") for word in command]
with open({calls!r}, "a") as calls:
    calls.write(" ".join(words) + "\\n")
if "up" in words:
    services = yaml.safe_load(open(words[words.index("--file") + 1]))["services"]
    binaries, folders = {binaries!r}, {folders!r}
    children = [
        subprocess.Popen([binaries[name], *plain(service["command"])], cwd=folders[name])
        for name, service in services.items()
    ]
    signal.signal(signal.SIGTERM, lambda *_: [child.terminate() for child in children])
    for child in children:
        child.wait()
"""


@pytest.fixture
def plan(prometheus: Server, alertmanager: Server, tmp_path: Path) -> Plan:
    """A stack without monitors, of the versions under test."""
    for artefact in build(Bundle()):
        path = tmp_path / "artefacts" / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text)
    given = {server.name: server.path for server in (prometheus, alertmanager) if server.origin == "given"}
    return Plan(artefacts=tmp_path / "artefacts", data=tmp_path / "data", **given)  # type: ignore[arg-type]


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def targets(url: str) -> list[dict[str, str]]:
    active = get(f"{url}/api/v1/targets?state=active")["data"]["activeTargets"]
    return [target["labels"] for target in active]


def free(urls: Iterator[str]) -> bool:
    return not any(ports.is_taken(url.removeprefix("http://")) for url in urls)


def test_a_stack_is_started_from_python_and_ends_with_its_block(plan: Plan, until: Until) -> None:
    said: list[str] = []
    target = ScrapeTarget("chat", "127.0.0.1:1", {"tier": "gold"})
    with start(Plan(**{**vars(plan), "scrape": (target,)}), said.append) as stack:
        urls = vars(stack.urls)
        assert said == [
            f"starting Prometheus on {urls['prometheus']}",
            f"starting Alertmanager on {urls['alertmanager']}",
            f"starting sidecar on {urls['sidecar']}",
            f"starting analyzer on {urls['analyzer']}",
        ]
        stack.check()
        until(
            lambda: {"job": "chat", "instance": "127.0.0.1:1", "tier": "gold"} in targets(urls["prometheus"])
        )
        flags = get(f"{stack.urls.prometheus}/api/v1/status/flags")["data"]
        assert flags["storage.tsdb.path"] == str(plan.data / "prometheus")
    assert all(process.exit_code == 0 for process in stack.processes)
    assert free(iter(urls.values()))
    assert sorted(path.name for path in (plan.data / "logs").iterdir()) == [
        "alertmanager.log", "analyzer.log", "prometheus.log", "sidecar.log",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["Prometheus", "sidecar", "analyzer"])
def test_a_port_that_is_snatched_while_starting_is_replaced(plan: Plan, name: str) -> None:
    said: list[str] = []
    with ExitStack() as held:

        def snatch(text: str) -> None:
            said.append(text)
            if text.startswith(f"starting {name} on ") and len([line for line in said if name in line]) == 1:
                held.enter_context(socket.create_server(ports.split(text.rpartition("//")[2])))

        with start(plan, snatch) as stack:
            assert get(f"{stack.urls.prometheus}/api/v1/status/buildinfo")["status"] == "success"
    assert "a port was taken meanwhile; starting again on others" in said
    assert free(iter(vars(stack.urls).values()))


def test_a_part_that_cannot_start_takes_the_others_with_it(plan: Plan) -> None:
    (plan.artefacts / "alertmanager/alertmanager.yaml").write_text("route: {receiver: missing}\n")
    said: list[str] = []
    with pytest.raises(ProcessError, match=r"(?s)^Alertmanager ended with exit code 1.*missing"):
        start(plan, said.append)
    assert free(line.rpartition(" ")[2] for line in said)


@pytest.mark.parametrize("after", ["starting Prometheus", "starting analyzer"])
def test_giving_up_while_starting_ends_what_was_started(plan: Plan, after: str) -> None:
    said: list[str] = []

    def tick() -> None:
        if any(line.startswith(after) for line in said):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start(plan, said.append, tick)
    assert free(line.rpartition(" ")[2] for line in said)


def test_a_part_that_dies_later_is_named(plan: Plan) -> None:
    with start(plan) as stack:
        next(process for process in stack.processes if process.command.name == "sidecar").stop()
        with pytest.raises(ProcessError, match=r"^sidecar ended with exit code 0\."):
            stack.wait()


def test_a_missing_server_starts_nothing(plan: Plan, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(MissingServerError, match="alertmanager: "):
        start(Plan(**{**vars(plan), "alertmanager": tmp_path / "nowhere"}), said.append)
    assert said == []


@pytest.fixture
def docker(
    prometheus: Server, alertmanager: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """A machine with Docker Compose and without servers on PATH; returns the calls of `docker` so far."""
    calls, binary = tmp_path / "calls", tmp_path / "bin/docker"
    binary.parent.mkdir()
    servers = (prometheus, alertmanager)
    binary.write_text(
        DOCKER.format(
            python=sys.executable,
            calls=str(calls),
            binaries={server.name: str(server.path) for server in servers},
            folders={server.name: server.cwd and str(server.cwd) for server in servers},
        )
    )
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(binary.parent))
    return lambda: calls.read_text().splitlines()


def test_docker_compose_runs_what_is_not_on_path(plan: Plan, docker: Callable[[], list[str]]) -> None:
    said: list[str] = []
    with start(Plan(**{**vars(plan), "prometheus": None, "alertmanager": None}), said.append) as stack:
        assert "Prometheus is not on PATH: running it in Docker Compose" in said
        assert [process.command.name for process in stack.processes] == [
            "sidecar",
            "Prometheus and Alertmanager in Docker Compose",
            "analyzer",
        ]
        assert get(f"{stack.urls.prometheus}/api/v1/status/buildinfo")["status"] == "success"
        assert get(f"{stack.urls.alertmanager}/api/v2/status")["cluster"]["status"] == "disabled"
        volumes = yaml.safe_load((plan.data / "compose.yaml").read_text())["services"]["prometheus"][
            "volumes"
        ]
        assert [(volume["source"], volume["read_only"]) for volume in volumes] == [
            (str(plan.artefacts), True),
            (str(plan.data), False),
        ]
    assert docker()[-1].endswith("down --timeout 5")
    assert free(iter(vars(stack.urls).values()))


def test_a_given_binary_comes_before_docker_compose(
    plan: Plan, docker: Callable[[], list[str]], prometheus: Server
) -> None:
    with start(Plan(**{**vars(plan), "prometheus": prometheus.path, "alertmanager": None})) as stack:
        assert [process.command.name for process in stack.processes] == [
            "Prometheus",
            "sidecar",
            "Alertmanager in Docker Compose",
            "analyzer",
        ]

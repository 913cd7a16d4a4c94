"""Real servers for every test that wants one.

`prometheus`, `promtool`, `alertmanager`, `amtool` are the programs; `prometheus_server` and
`alertmanager_server` start them on free loopback ports. Other versions: `pytest --prometheus BIN ...`.
`sidecar` is a process of ours.
Nothing here fakes an answer; where a program cannot be had, its tests are skipped with the reason.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import HealthCheck

from airis_mon.stack import alertmanager as alertmanager_command
from airis_mon.stack import debian, ports, servers
from airis_mon.stack import prometheus as prometheus_command
from airis_mon.stack.processes import Process
from airis_mon.stack.servers import Server
from benchmarks import victoria_metrics as vm
from tests import waiting
from tests.browser import BROWSERS, Browser


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup(
        "airis-mon", "versions of the real servers (default: PATH, else Debian's packages)"
    )
    for name in servers.PROGRAMS:
        group.addoption(f"--{name}", metavar="BIN", default=None, help=f"{name} to run the tests with")
    group.addoption(
        "--victoria-metrics", metavar="BIN", default=None, help="victoria-metrics to run the tests with"
    )


def pytest_configure() -> None:
    # How long an example takes is a matter of what else the machine does; a test that hangs has a timeout.
    now = hypothesis.settings()
    unheeded = [*now.suppress_health_check, HealthCheck.too_slow]
    hypothesis.settings.register_profile("patient", now, deadline=None, suppress_health_check=unheeded)
    hypothesis.settings.load_profile("patient")


def _find(request: pytest.FixtureRequest, name: str) -> Server:
    given = request.config.getoption(f"--{name}")
    if given is not None:
        # Asked for by name: a wrong path is an error, never a skip.
        return servers.find(name, given=Path(given))
    try:
        return servers.find(name, cache=servers.default_cache(os.environ))
    except servers.MissingServerError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def prometheus(request: pytest.FixtureRequest) -> Server:
    return _find(request, "prometheus")


@pytest.fixture(scope="session")
def promtool(request: pytest.FixtureRequest) -> Server:
    return _find(request, "promtool")


@pytest.fixture(scope="session")
def alertmanager(request: pytest.FixtureRequest) -> Server:
    return _find(request, "alertmanager")


@pytest.fixture(scope="session")
def amtool(request: pytest.FixtureRequest) -> Server:
    return _find(request, "amtool")


@pytest.fixture(scope="session")
def victoria_metrics(request: pytest.FixtureRequest) -> Path:
    try:
        return vm.find(request.config.getoption("--victoria-metrics"))
    except debian.UnpackError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def browser() -> Browser:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is on PATH; on Debian: apt-get install {BROWSERS[0]}")
    return Browser(found)


@pytest.fixture
def free_port() -> Callable[[], int]:
    return ports.free_port


Until = Callable[..., Any]


@pytest.fixture(scope="session")
def until() -> Until:
    """`until(condition, seconds=30)`: wait for what will come true, and fail when it does not."""
    return waiting.until


class RunningServer:
    """A real server on loopback; `folder` holds its configuration, data and log."""

    def __init__(self, process: Process, folder: Path) -> None:
        self._process = process
        self.url = process.command.url
        self.address = self.url.removeprefix("http://")
        self.folder = folder
        self.pid = process.pid

    def stop(self) -> None:
        self._process.stop()

    def log(self) -> str:
        return self._process.log.read_text()


StartPrometheus = Callable[..., RunningServer]


@pytest.fixture
def prometheus_server(prometheus: Server, tmp_path: Path) -> Iterator[StartPrometheus]:
    """Factory: `prometheus_server(config={...}, flags=[...], data=FOLDER, port=0)`; all ended after the test.

    `config` is prometheus.yml (default: scrapes nothing); `data` is the TSDB folder, for blocks that are
    there beforehand. Takes remote writes and `/-/reload`.
    """
    with ExitStack() as started:

        def start(
            config: Mapping[str, Any] | None = None,
            flags: Sequence[str] = (),
            data: Path | None = None,
            port: int = 0,
        ) -> RunningServer:
            folder = _fresh(tmp_path, "prometheus")
            file = folder / "prometheus.yml"
            file.write_text(yaml.safe_dump(dict(config or {})))
            return _start(
                started,
                lambda address: prometheus_command.command(
                    prometheus, config=file, data=data or folder / "data", address=address, flags=flags
                ),
                folder,
                port,
            )

        yield start


@pytest.fixture
def alertmanager_server(alertmanager: Server, tmp_path: Path) -> Iterator[StartPrometheus]:
    """Factory: `alertmanager_server(config={...} | FILE, flags=[...], port=0)`; all ended after the test.

    `config` is alertmanager.yml (default: one receiver that tells nobody), or the path of one.
    """
    with ExitStack() as started:

        def start(
            config: Mapping[str, Any] | Path | None = None, flags: Sequence[str] = (), port: int = 0
        ) -> RunningServer:
            folder = _fresh(tmp_path, "alertmanager")
            if isinstance(config, Path):
                file = config
            else:
                file = folder / "alertmanager.yml"
                default = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
                file.write_text(yaml.safe_dump(dict(config or default)))
            return _start(
                started,
                lambda address: alertmanager_command.command(
                    alertmanager, config=file, data=folder / "data", address=address, flags=flags
                ),
                folder,
                port,
            )

        yield start


def _fresh(parent: Path, name: str) -> Path:
    number = len(list(parent.glob(f"{name}-*")))
    folder = parent / f"{name}-{number}"
    folder.mkdir()
    return folder


def _start(started: ExitStack, command: Callable[[str], Any], folder: Path, port: int) -> RunningServer:
    address = f"127.0.0.1:{port or ports.free_port()}"
    process = Process(command(address), folder / "log")
    started.callback(process.stop)
    process.wait_ready()
    return RunningServer(process, folder)


@pytest.fixture
def sidecar() -> Iterator[str]:
    """Root of a sidecar that runs."""
    command = [sys.executable, "-m", "airis_mon.cli", "sidecar", "--web.listen-address", "127.0.0.1:0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            logged = map(json.loads, process.stderr)
            yield "http://" + next(line["address"] for line in logged if line["msg"] == "listening")
        finally:
            process.terminate()

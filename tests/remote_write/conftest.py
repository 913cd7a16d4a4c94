"""VictoriaMetrics, a receiver that is neither Prometheus' code nor speaks 2.0."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from airis_mon.stack import debian, ports, servers
from airis_mon.stack.processes import Command, Process

PACKAGE = "victoria-metrics"


@pytest.fixture(scope="session")
def victoria_metrics(request: pytest.FixtureRequest) -> Path:
    """The program: as given, on PATH, or Debian's in the user's cache."""
    given = request.config.getoption("--victoria-metrics") or shutil.which("victoria-metrics")
    if given is not None:
        return Path(given)
    try:
        cache = servers.default_cache(os.environ)
        found = debian.folder(PACKAGE, cache, lambda text: None, (PACKAGE,))
    except debian.UnpackError as error:
        pytest.skip(str(error))
    return found / "usr" / "bin" / "victoria-metrics"


@pytest.fixture
def victoria_metrics_server(victoria_metrics: Path, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Factory of a running one: its URL."""
    with ExitStack() as started:

        def start() -> str:
            address = f"127.0.0.1:{ports.free_port()}"
            argv = (
                str(victoria_metrics),
                f"-storageDataPath={tmp_path / 'victoria-metrics'}",
                f"-httpListenAddr={address}",
                "-retentionPeriod=1d",
                "-memory.allowedBytes=64MB",
                "-search.latencyOffset=0s",
            )
            process = Process(Command("VictoriaMetrics", argv, f"http://{address}"), tmp_path / "vm.log")
            started.callback(process.stop)
            process.wait_ready()
            return process.command.url

        yield start

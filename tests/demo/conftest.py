"""The demo's services as processes of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from airis_mon.stack import ports
from airis_mon.stack.processes import Command, Process

StartService = Callable[[str], str]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[StartService]:
    """Factory: `service("llm_service")` starts that module and returns its base URL; ended after the test."""
    with ExitStack() as started:

        def start(module: str) -> str:
            address = f"127.0.0.1:{ports.free_port()}"
            argv = (sys.executable, "-m", f"airis_mon.demo.{module}", f"--web.listen-address={address}")
            process = Process(Command(module, argv, f"http://{address}"), tmp_path / f"{module}.log")
            started.callback(process.stop)
            process.wait_ready()
            return f"http://{address}"

        yield start

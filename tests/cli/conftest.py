from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from airis_mon.cli.main import main
from airis_mon.stack.servers import Server
from tests.cli.documents import PEOPLE, monitor

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def documents(tmp_path: Path) -> list[str]:
    """Two files: a monitor, and who is told."""
    files = {"chat.yaml": monitor(), "people.yaml": PEOPLE}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return [str(tmp_path / name) for name in files]


@pytest.fixture(scope="session")
def airis_mon() -> Run:
    """Run the command as a person does: a process with arguments."""

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "airis_mon.cli", *map(str, words)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run


@pytest.fixture
def called(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command as `airis_mon` does, without a process of its own: where many runs are wanted."""

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        arguments = list(map(str, words))
        try:
            code = main(arguments)
        except SystemExit as ended:  # argparse's way to say that the usage is wrong
            code = int(ended.code or 0)
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def tools(promtool: Server, amtool: Server) -> Sequence[str]:
    return ["--promtool", str(promtool.path), "--amtool", str(amtool.path)]

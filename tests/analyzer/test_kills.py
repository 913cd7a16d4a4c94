"""kill -9 while it reads, learns, writes and saves: the next process comes to the same bits."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.analyzer.stub import WRITE, Key, Prometheus, season, serving
from tests.waiting import until

NOW = 1_700_006_400 + 1262
SERIES = 40
CONFIG = """
queries:
  - {monitor: chat, model: llama, for: ttft, expr: latency, history: 7d, horizons: [1h], by: [pod]}
  - {monitor: chat, model: llama, for: ttft_again, expr: latency, history: 7d, by: [pod]}
"""
START = "import sys; from airis_mon.analyzer.service import main; sys.exit(main(sys.argv[1:]))"
# Ends itself as a kill would, at the very moment that a file was put in place, or is about to be.
DIES = """
import os, signal, sys
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
real = os.{name}
death = {death}
# What is told of each cycle is not what this is about.
os.{name} = lambda *a: real(*a) if str(a[-1]).endswith(".json") else death(*a)
from airis_mon.analyzer.service import main
sys.exit(main(sys.argv[1:]))
"""
BEFORE, AFTER = "die", "lambda *a: (real(*a), die())"


def world() -> Prometheus:
    return Prometheus({(("__name__", "latency"), ("pod", f"p{n}")): season for n in range(SERIES)}, NOW)


@contextmanager
def analyzer(there: Prometheus, folder: Path, start: str = START) -> Iterator[subprocess.Popen[bytes]]:
    config = folder / "analyzer.yaml"
    config.write_text(CONFIG)
    with (folder / "log").open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", start, "run", f"--config.file={config}", f"--prometheus.url={there.url}",
             "--web.listen-address=127.0.0.1:0", "--step=5m", f"--storage.path={folder / 'state'}"],
            stderr=errors,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[Key, set[bytes]]:
    """What one process writes that nobody kills."""
    folder = tmp_path_factory.mktemp("calm")
    with serving(world()) as there, analyzer(there, folder):
        until(lambda: '"msg": "cycle"' in (folder / "log").read_text())
    assert len(there.written) > SERIES * 10
    return there.written


Kill = Callable[[Prometheus, subprocess.Popen[bytes]], None]


def reading(there: Prometheus, process: subprocess.Popen[bytes]) -> None:
    there.after = lambda path: process.kill() if there.asked.count("/api/v1/query_range") == 2 else None


def learning(there: Prometheus, process: subprocess.Popen[bytes]) -> None:
    def soon(path: str) -> None:
        # Answered first: what was read is being learnt from when the kill comes.
        if path.endswith("query_range") and there.asked.count(path) == 1:
            threading.Timer(0.02, process.kill).start()

    there.after = soon


def scoring(there: Prometheus, process: subprocess.Popen[bytes]) -> None:
    there.after = lambda path: process.kill() if there.asked.count("/api/v1/query") == 3 else None


def writing(there: Prometheus, process: subprocess.Popen[bytes]) -> None:
    # Stored, and not answered: whoever is asked does not know what became of it.
    there.after = lambda path: process.kill() if path == WRITE else None


@pytest.mark.parametrize(
    "kill",
    [reading, learning, pytest.param(scoring, marks=pytest.mark.slow), writing],
    ids=lambda kill: kill.__name__,
)
def test_what_a_kill_left_is_finished_to_the_same_bits(
    kill: Kill, calm: dict[Key, set[bytes]], tmp_path: Path
) -> None:
    with serving(world()) as there:
        with ExitStack() as stack:
            # Nothing is answered before the trap is set.
            held = threading.Event()
            there.fault = lambda path, form: None if held.wait(30) else b""
            process = stack.enter_context(analyzer(there, tmp_path))
            kill(there, process)
            held.set()
            assert process.wait(30) == -9
        there.after = lambda path: None
        with analyzer(there, tmp_path):
            until(lambda: there.written.keys() == calm.keys())
    assert there.written == calm


@pytest.mark.parametrize(
    ("name", "death"),
    [
        ("replace", BEFORE),
        pytest.param("replace", AFTER, marks=pytest.mark.slow),
        pytest.param("fsync", BEFORE, marks=pytest.mark.slow),
        pytest.param("fsync", AFTER, marks=pytest.mark.slow),
    ],
    ids=["before-replace", "after-replace", "before-fsync", "after-fsync"],
)
def test_a_kill_while_saving_leaves_a_whole_file_or_none(
    name: str, death: str, calm: dict[Key, set[bytes]], tmp_path: Path
) -> None:
    with serving(world()) as there:
        with analyzer(there, tmp_path, DIES.format(name=name, death=death)) as process:
            assert process.wait(30) == -9
        assert there.written == calm  # what was learnt is kept after what was found is written
        (tmp_path / "log").unlink()
        there.time += 60
        with analyzer(there, tmp_path):
            until(lambda: len(there.written) == 2 * len(calm))
            until(lambda: len([*(tmp_path / "state").glob("*.learnt.npz")]) == 2)
    assert all(len(values) == 1 for values in there.written.values())
    assert "damaged" not in (tmp_path / "log").read_text()

"""Several processes, one sum: forked, killed, restarted, and under a real gunicorn."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from airis_mon.exporters import series
from airis_mon.instrument import Instruments
from airis_mon.instrument.workers import Workers
from tests.waiting import until

COUNT = f"{series.GEN_AI_OPERATION_DURATION}_count"
SERVED = f"{series.GEN_AI_SERVER_REQUEST_DURATION}_count"
ROOT = Path(__file__).resolve().parents[2]
FORKS = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def total(registry: CollectorRegistry, name: str = COUNT) -> float:
    return sum(
        sample.value for metric in registry.collect() for sample in metric.samples if sample.name == name
    )


def made(folder: Path) -> tuple[Instruments, CollectorRegistry]:
    registry = CollectorRegistry()
    return Instruments(registry=registry, shared=folder), registry


def record(instruments: Instruments, operations: int) -> None:
    llm = instruments.llm(model="m", provider="p")
    for _ in range(operations):
        llm.record(0.5, 10, 20)


def in_child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


@FORKS
def test_children_and_their_parent_are_one_sum(tmp_path: Path) -> None:
    instruments, registry = made(tmp_path)
    record(instruments, 5)
    for number in range(3):

        def work(number: int = number) -> None:
            record(instruments, 10 + number)
            assert instruments._presence is not None
            instruments._presence.leave()

        assert in_child(work) == 0
    assert total(registry) == 5 + 10 + 11 + 12
    assert len(list(tmp_path.glob("*.state"))) == 1
    record(instruments, 1)
    assert total(registry) == 39


@FORKS
def test_a_killed_child_leaves_what_it_had_published(tmp_path: Path) -> None:
    instruments, registry = made(tmp_path)
    record(instruments, 0)

    def work() -> None:
        record(instruments, 7)
        assert instruments._presence is not None
        instruments._presence.publish()
        record(instruments, 1)
        os.kill(os.getpid(), signal.SIGKILL)

    assert os.WTERMSIG(in_child(work)) == signal.SIGKILL
    for _ in range(3):
        assert total(registry) == 7
    assert len(list(tmp_path.glob("*.lock"))) == 2  # the folder's, and this process'


def counted_by_a_worker(folder: str, operations: int) -> None:
    instruments, _ = made(Path(folder))
    record(instruments, operations)


@FORKS
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_multiprocessing_leave_everything_when_they_end(tmp_path: Path, method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    workers = [context.Process(target=counted_by_a_worker, args=(str(tmp_path), 100)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    instruments, registry = made(tmp_path)
    record(instruments, 1)
    assert total(registry) == 301


def test_totals_go_on_after_a_restart_of_all(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from tests.instrument.test_workers import made, record, total\n"
        "instruments, registry = made(Path(sys.argv[1])); record(instruments, 10); print(total(registry))\n"
    )
    for expected in (10, 20, 30):
        run = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert float(run.stdout) == expected


def test_an_interrupted_fold_counts_nothing_twice(tmp_path: Path) -> None:
    state: list[list[Any]] = [["a_total", ["x"], 5.0], ["h", ["x"], [[1.0], [2, 3], 4.5]]]
    ended = Workers(tmp_path)
    ended.publish(state)
    name = ended._name
    before = (tmp_path / f"{name}.state").read_bytes()
    ended.leave(state)
    # As a kill between the sum and the removal of the files leaves it.
    (tmp_path / f"{name}.state").write_bytes(before)
    (tmp_path / f"{name}.lock").touch()
    for _ in range(2):
        living = Workers(tmp_path)
        living.publish([])
        assert list(living.others()) == [state]
        living.leave([])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["departed.json", "folder.lock"]


def test_a_damaged_file_is_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "1-a.state").write_text("no JSON")
    (tmp_path / "1-a.lock").touch()
    instruments, registry = made(tmp_path)
    record(instruments, 3)
    assert total(registry) == 3
    assert "not understood" in caplog.text


@contextmanager
def gunicorn(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--bind", address, "--workers", "4"),
            *("--chdir", str(ROOT / "examples" / "gunicorn"), "--log-level", "warning", *options, "app:app"),
        ],
        env={**os.environ, "AIRIS_SHARED": str(folder)},
    )
    try:
        until(lambda: answers(f"http://{address}/metrics"))
        yield process, f"http://{address}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def served(url: str) -> float:
    text = requests.get(f"{url}/metrics", timeout=10).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == SERVED
    )


@pytest.mark.parametrize("preload", [(), ("--preload",)], ids=["workers load", "master loads"])
def test_four_workers_of_gunicorn_count_exactly_through_restarts(
    tmp_path: Path, preload: tuple[str, ...]
) -> None:
    sent = 0
    seen: list[float] = []
    done = threading.Event()

    def watch(url: str) -> None:
        while not done.wait(0.05):
            seen.append(served(url))

    with gunicorn(tmp_path, "--max-requests", "60", *preload) as (process, url):
        watcher = threading.Thread(target=watch, args=(url,))
        watcher.start()
        for number in range(300):
            answer = requests.post(f"{url}/chat", data=b"one two", timeout=10)
            sent += answer.status_code == 200
            if number == 150:
                process.send_signal(signal.SIGHUP)
        until(lambda: served(url) == sent, what="every request to be counted")
        done.set()
        watcher.join()
    assert sent == 300
    assert seen == sorted(seen)
    with gunicorn(tmp_path) as (_, url):
        assert requests.post(f"{url}/chat", timeout=10).status_code == 200
        until(lambda: served(url) == sent + 1)
        # Four workers and their master, whichever of them have begun.
        assert len(list(tmp_path.glob("*.state"))) <= 5

"""Several processes, one sum: forked, killed, restarted, and under a real gunicorn."""

from __future__ import annotations

import fcntl
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
from airis_mon.instrument import Instruments, workers
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


@FORKS
def test_a_child_forked_while_its_parent_has_the_folder_s_lock_does_not_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 1.0)
    instruments, registry = made(tmp_path)
    record(instruments, 1)
    inside, forked = threading.Event(), threading.Event()
    replace = workers._replace

    def slowly(path: Path, content: object) -> None:
        inside.set()
        forked.wait(0.5)
        replace(path, content)

    monkeypatch.setattr(workers, "_replace", slowly)
    thread = threading.Thread(target=instruments.flush)
    thread.start()
    inside.wait()
    gate, opened = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(gate, 1)  # lives on, and does nothing
        os._exit(0)
    forked.set()
    thread.join()
    try:
        assert total(registry) == 1
    finally:
        os.write(opened, b".")
        os.waitpid(child, 0)
        os.close(gate)
        os.close(opened)


@FORKS
def test_killed_workers_leave_no_files_behind_even_if_nobody_scrapes(tmp_path: Path) -> None:
    instruments, registry = made(tmp_path)

    def work() -> None:
        record(instruments, 1)
        instruments.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    for _ in range(5):
        in_child(work)
        # The parent looks at the clock as well, and on a slow machine has totals of its own by now.
        left = [path for path in tmp_path.glob("*.state") if not path.name.startswith(f"{os.getpid()}-")]
        assert len(left) == 1
    record(instruments, 0)
    assert total(registry) == 5


@FORKS
def test_a_model_that_only_another_process_knows_is_told_of(tmp_path: Path) -> None:
    instruments, registry = made(tmp_path)
    record(instruments, 0)

    def work() -> None:
        instruments.predictor(model="digits").record(0.1)
        instruments.flush()

    assert in_child(work) == 0
    assert total(registry, series.PREDICTIONS) == 1


def test_a_scrape_while_the_process_ends_counts_nothing_twice(tmp_path: Path) -> None:
    instruments, registry = made(tmp_path)
    record(instruments, 5)
    assert instruments._presence is not None
    instruments._presence.leave()
    assert total(registry) == 5


def test_no_scrape_sees_less_than_the_one_before(tmp_path: Path) -> None:
    writing, _ = made(tmp_path)
    reading, registry = made(tmp_path)
    record(reading, 0)
    done = threading.Event()
    seen: list[float] = []

    def read() -> None:
        while not done.is_set():
            seen.append(total(registry))

    def flush() -> None:
        while not done.is_set():
            writing.flush()

    threads = [threading.Thread(target=target) for target in (read, flush, flush)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        record(writing, 10)
        writing.flush()
    done.set()
    for thread in threads:
        thread.join()
    assert seen == sorted(seen)
    assert total(registry) == 2000


def test_what_has_ended_has_no_more_label_sets_than_there_is_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "MOST", 10)
    tally = [[1.0], [1, 2], 3.0]
    for number in range(15):
        ended = Workers(tmp_path)
        ended.publish([])
        ended.leave([["a_total", [f"model-{number}"], 1.0], ["h", [f"model-{number}"], tally]])
    left = next(Workers(tmp_path).others())
    assert len(left) == 22
    assert sum(value for name, _, value in left if name == "a_total") == 15
    assert ["h", ["other"], [[1.0], [5, 10], 15.0]] in left


def test_a_process_that_hangs_with_the_lock_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 0.1)
    instruments, registry = made(tmp_path)
    record(instruments, 1)
    assert total(registry) == 1
    with (tmp_path / "folder.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(RuntimeError, match=r"folder\.lock is held by a process that hangs"):
            total(registry)
    assert total(registry) == 1


def test_a_folder_that_cannot_be_written_breaks_no_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    instruments, _ = made(tmp_path / "file" / "folder")
    record(instruments, 1)
    instruments.flush()
    assert "totals not published" in caplog.text


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

"""The process, as a person or a supervisor starts it."""

from __future__ import annotations

import json
import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from airis_mon.analyzer.service import main
from tests.remote_write.receiver import Reply, Request, receiver
from tests.waiting import until

GOOD = "queries:\n  - {monitor: m, model: x, for: up, expr: 'vector(1)', history: 2h}\n"
BOTH = GOOD + "  - {monitor: m, model: x, for: broken, expr: 'rate(', history: 2h}\n"
START = "import sys; from airis_mon.analyzer.service import main; sys.exit(main(sys.argv[1:]))"


class Service:
    def __init__(self, folder: Path, prometheus: str, *flags: str) -> None:
        self.config = folder / "analyzer.yaml"
        self.config.write_text(GOOD)
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, "run", f"--config.file={self.config}", "--interval=1s",
                 "--step=1m", f"--prometheus.url={prometheus}", "--web.listen-address=127.0.0.1:0", *flags],
                stderr=log,
            )  # fmt: skip
        self.url = "http://" + until(lambda: self.logged("listening"))["address"]

    def logged(self, message: str) -> Any:
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.endswith("}")]
        return next((line for line in reversed(lines) if line["msg"] == message), None)

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=10)

    def metric(self, name: str) -> float:
        lines = self.get("/metrics").text.splitlines()
        return float(next(line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    services: list[Service] = []

    def begin(prometheus: str, *flags: str) -> Service:
        services.append(Service(tmp_path, prometheus, *flags))
        return services[-1]

    yield begin
    for service in services:
        service.process.kill()
        service.process.wait(10)


def test_it_waits_for_prometheus_works_reloads_and_ends_cleanly(
    start: Callable[[str], Service], prometheus_server: Callable[..., Any], free_port: Callable[[], int]
) -> None:
    port = free_port()
    service = start(f"http://127.0.0.1:{port}")
    until(lambda: service.logged("cycle failed"))
    assert "refused" in service.logged("cycle failed")["error"]
    assert service.get("/-/healthy").status_code == 200
    assert service.get("/-/ready").status_code == 503

    server = prometheus_server(port=port)
    until(lambda: service.get("/-/ready").status_code == 200)
    until(lambda: service.metric("airis_analyzer_samples_written_total") >= 2)
    assert service.metric("airis_analyzer_series_warming_up") == 1
    at = service.metric("airis_analyzer_last_cycle_timestamp_seconds")
    assert at == int(at)
    assert abs(at - time.time()) < 10

    # A failing query is told, and harms nothing.
    service.config.write_text(BOTH)
    assert requests.post(service.url + "/-/reload", timeout=10).status_code == 200
    until(
        lambda: 'airis_analyzer_query_errors_total{for="broken",monitor="m"}' in service.get("/metrics").text
    )
    assert service.get("/-/ready").status_code == 200

    # A bad configuration is refused, and the old one stays.
    service.config.write_text("queries: [{monitor: m}]")
    answer = requests.post(service.url + "/-/reload", timeout=10)
    assert answer.status_code == 500
    assert f"{service.config}:1:" in answer.text
    assert service.metric("airis_analyzer_config_last_reload_successful") == 0
    assert service.metric("airis_analyzer_config_queries") == 2
    service.config.write_text("queries: " + "[" * 100_000)
    answer = requests.post(service.url + "/-/reload", timeout=10)
    assert answer.status_code == 500
    assert "nested deeper" in answer.text
    service.process.send_signal(signal.SIGHUP)
    told = until(lambda: service.logged("reload failed, the old configuration stays"))
    assert "exception" not in told
    assert str(service.config) in told["error"]
    service.config.write_text(GOOD)
    service.process.send_signal(signal.SIGHUP)
    until(lambda: service.metric("airis_analyzer_config_queries") == 1)
    assert service.metric("airis_analyzer_config_last_reload_successful") == 1

    # Prometheus going away is survived.
    failed = service.metric('airis_analyzer_cycles_total{result="failed"}')
    server.stop()
    until(lambda: service.metric('airis_analyzer_cycles_total{result="failed"}') > failed)
    assert service.process.poll() is None
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(10) == 0


def test_a_queue_outlives_a_kill_and_belongs_to_one_process(
    start: Callable[..., Service],
    prometheus_server: Callable[..., Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = prometheus_server()
    queue = f"--remote-write.queue-path={tmp_path / 'queue'}"
    taken: dict[tuple[object, int], set[float]] = {}
    up = False

    def answer(request: Request) -> Reply:
        for one in request.series:
            for at, value in one.values():
                taken.setdefault((one.labels, at), set()).add(value)
        return Reply(204 if up else 503)

    with receiver(answer) as there:
        flags = (queue, f"--remote-write.url={there.url}")
        service = start(server.url, *flags)
        until(lambda: service.metric("airis_analyzer_queue_samples") >= 4)
        code, said = refused(
            capsys, f"--config.file={service.config}", f"--prometheus.url={server.url}",
            "--web.listen-address=127.0.0.1:0", queue,
        )  # fmt: skip
        assert code == 1
        assert "written to by another process" in said
        service.process.kill()
        service.process.wait(10)
        up = True
        service = start(server.url, *flags)
        until(lambda: service.metric("airis_analyzer_samples_written_total") >= 4)
        until(lambda: service.metric("airis_analyzer_queue_samples") == 0)
        # Those that were queued are taken, and newer ones.
        until(lambda: len({at for _, at in list(taken)}) >= 3)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(15) == 0
    assert all(len(values) == 1 for values in taken.values())


def test_dead_letters_that_cannot_be_written_are_told_once(
    start: Callable[..., Service], prometheus_server: Callable[..., Any], tmp_path: Path
) -> None:
    folder, moved = tmp_path / "letters", tmp_path / "moved"
    folder.mkdir()
    file = folder / "dead.jsonl"
    with receiver(lambda _: Reply(400)) as there:
        service = start(
            prometheus_server().url,
            f"--remote-write.url={there.url}",
            f"--remote-write.dead-letter-path={file}",
        )
        until(lambda: file.read_text().count("\n") >= 2)
        folder.rename(moved)
        lost = 'airis_analyzer_dead_letters_total{result="lost"}'
        until(lambda: service.metric(lost) >= 4)
        assert service.logged("dead letters are lost")["error"] == f"{file}: No such file or directory"
        moved.rename(folder)
        until(lambda: service.logged("dead letters are written again"))
        assert service.log.read_text().count('"dead letters are lost"') == 1


def test_it_ends_in_time_though_prometheus_hangs(start: Callable[[str], Service]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        service = start(f"http://127.0.0.1:{silent.getsockname()[1]}")
        silent.settimeout(10)
        silent.accept()[0].close()
        connection, _ = silent.accept()
        with connection:
            began = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(15) == 0
            assert time.monotonic() - began < 10


def refused(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, str]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        code = main(["run", *flags])
    except SystemExit as end:
        code = int(str(end.code))
    finally:
        # A main's own: what it writes to is gone when this test has ended.
        root.handlers[:] = handlers
        root.setLevel(level)
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--prometheus.url=localhost:9090"], "write http://HOST:PORT"),
        (["--interval=500ms"], "whole seconds"),
        (["--interval=1 minute"], "is no duration"),
        (["--step=7s"], "does not divide a day"),
        (["--web.listen-address=nowhere"], "no address to listen on"),
    ],
)
def test_a_wrong_flag_is_told(capsys: pytest.CaptureFixture[str], flags: list[str], words: str) -> None:
    code, text = refused(capsys, "--config.file=a.yaml", "--prometheus.url=http://127.0.0.1:1", *flags)
    assert code == 2
    assert words in text


def test_a_bad_configuration_ends_the_start(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    url = "--prometheus.url=http://127.0.0.1:1"
    code, text = refused(capsys, f"--config.file={file}", url)
    assert (code, f"cannot read {file}: No such file or directory" in text) == (1, True)
    assert "Errno" not in text
    code, text = refused(capsys, f"--config.file={tmp_path}", url)
    assert code == 1
    assert f"{tmp_path} is a folder" in text
    assert f"name the file in it, such as {tmp_path}/analyzer.yaml" in text
    file.write_text("queries: [{}]")
    code, text = refused(capsys, f"--config.file={file}", url)
    assert code == 1
    assert f"{file}:1:11" in text


@pytest.mark.parametrize(
    ("flag", "path", "why"),
    [
        ("--storage.path", "file", "`{}` is no folder, or lies in none: name a folder"),
        ("--storage.path", "file/below", "`{}` is no folder, or lies in none: name a folder"),
        ("--remote-write.queue-path", "file", "`{}` is no folder, or lies in none: name a folder"),
        ("--remote-write.dead-letter-path", "absent/dead.jsonl", "cannot be used: No such file or directory"),
        ("--remote-write.dead-letter-path", ".", "cannot be used: Is a directory; name a file in a folder"),
        ("--remote-write.dead-letter-path", "file/dead.jsonl", "lies in none: name a file in a folder"),
    ],
)
def test_a_path_that_cannot_be_written_ends_the_start(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, flag: str, path: str, why: str
) -> None:
    (tmp_path / "file").touch()
    config = tmp_path / "a.yaml"
    config.write_text(GOOD)
    given = tmp_path / path
    code, text = refused(
        capsys, f"--config.file={config}", "--prometheus.url=http://127.0.0.1:1", f"{flag}={given}"
    )
    assert code == 1
    assert flag in text
    assert why.format(given) in text


@pytest.mark.parametrize("workers", [1, 2])
def test_a_taken_port_ends_the_start_before_anything_is_asked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, workers: int
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(GOOD)
    here = ("127.0.0.1", 0)
    with socket.create_server(here) as taken, socket.create_server(here) as prometheus:
        prometheus.setblocking(False)
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        flags = [
            f"--config.file={file}",
            f"--prometheus.url=http://127.0.0.1:{prometheus.getsockname()[1]}",
            f"--workers={workers}",
            f"--web.listen-address={address}",
        ]
        code, text = refused(capsys, *flags)
        with pytest.raises(BlockingIOError):
            prometheus.accept()
    assert code == 1
    assert address in text
    assert "--web.listen-address" in text

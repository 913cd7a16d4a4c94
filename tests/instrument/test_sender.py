"""What a sender gets to a real sidecar process, whatever becomes of either."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import requests
import trustme
from prometheus_client import CollectorRegistry

from airis_mon.exporters import series
from airis_mon.instrument import Instruments, Sender
from tests.sidecar.test_process import running
from tests.waiting import until

NOBODY = "http://127.0.0.1:9"


@contextmanager
def sidecar(folder: Path, port: int = 0) -> Iterator[tuple[Any, str]]:
    with running(f"--web.listen-address=127.0.0.1:{port}", f"--storage.path={folder}") as (process, address):
        until(lambda: requests.get(f"http://{address}/-/ready", timeout=5).status_code == 200)
        yield process, f"http://{address}"


def counted(url: str) -> int:
    text = requests.get(f"{url}/metrics", timeout=10).text
    name = f"{series.GEN_AI_OPERATION_DURATION}_count{{"
    return round(sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name)))


def record(sender: Sender, operations: int) -> None:
    llm = Instruments(registry=CollectorRegistry(), sink=sender).llm(model="m", provider="p")
    for _ in range(operations):
        llm.record(0.5, 10, 20)


def of(registry: CollectorRegistry, name: str, **labels: str) -> float:
    value = registry.get_sample_value(name, labels)
    assert value is not None
    return value


def test_all_that_is_offered_is_counted_when_it_is_closed(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    with sidecar(tmp_path) as (_, url):
        with Sender(url, source="job", registry=registry) as sender:
            record(sender, 1_234)
        assert counted(url) == 1_234
    assert of(registry, series.INSTRUMENT_SENT) == 1_234
    assert of(registry, series.INSTRUMENT_WAITING) == 0


def test_a_killed_sidecar_gets_everything_exactly_once(tmp_path: Path, free_port: Any) -> None:
    port = free_port()
    with ExitStack() as stack:
        process, url = stack.enter_context(sidecar(tmp_path, port))
        sender = Sender(url, source="job", interval=0.01)
        record(sender, 2_000)
        process.kill()
        process.wait()
        record(sender, 2_000)
        _, url = stack.enter_context(sidecar(tmp_path, port))
        assert sender.close(timeout=60)
        assert counted(url) == 4_000


def test_what_could_not_be_sent_is_sent_by_the_next_process(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    for _ in range(3):
        with Sender(NOBODY, source="job", spool=spool) as sender:
            record(sender, 700)
            assert not sender.close(timeout=0.2)
    assert sum(1 for _ in spool.iterdir()) >= 3
    with sidecar(tmp_path / "kept") as (_, url):
        with Sender(url, source="job", spool=spool) as sender:
            record(sender, 1)
        assert counted(url) == 2_101
    assert list(spool.iterdir()) == []


def test_a_batch_that_was_counted_but_not_answered_counts_once(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    with Sender(NOBODY, source="job", spool=spool) as sender:
        record(sender, 5)
        sender.close(timeout=0.1)
    (file,) = spool.iterdir()
    kept = file.read_bytes()
    with sidecar(tmp_path / "kept") as (_, url):
        for _ in range(2):
            file.write_bytes(kept)
            with Sender(url, source="job", spool=spool) as sender:
                assert sender.flush(30)
        assert counted(url) == 5


def test_two_senders_that_empty_one_spool_at_once_count_each_batch_once(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    for _ in range(3):
        with Sender(NOBODY, source="job", spool=spool) as sender:
            record(sender, 3_000)
            sender.close(timeout=0.1)
    with sidecar(tmp_path / "kept") as (_, url):
        both = [Sender(url, source="job", spool=spool, interval=0.01) for _ in range(2)]
        for each in both:
            record(each, 700)
        assert [each.close(timeout=60) for each in both] == [True, True]
        assert counted(url) == 9_000 + 1_400
    assert list(spool.iterdir()) == []


def test_hundreds_of_spooled_batches_are_sent_in_their_order(tmp_path: Path) -> None:
    # A sidecar tells the newest 128 batches of a life apart; what comes later than that counts as known.
    with Sender(NOBODY, source="job", spool=tmp_path / "spool") as sender:
        for _ in range(150):
            record(sender, 1)
            sender._put_on_disk()
        sender.close(timeout=0)
    with sidecar(tmp_path / "kept") as (_, url):
        with Sender(url, source="job", spool=tmp_path / "spool") as sender:
            assert sender.flush(60)
        assert counted(url) == 150


def test_a_full_spool_drops_the_oldest_and_counts_them(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    sender = Sender(NOBODY, source="job", spool=tmp_path, spool_bytes=200_000, registry=registry)
    record(sender, 5_000)
    sender.close(timeout=0.3)
    kept = of(registry, series.INSTRUMENT_WAITING)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 200_000
    assert 0 < kept < 5_000
    assert of(registry, series.INSTRUMENT_DROPPED, reason="spool_full") == 5_000 - kept
    assert not any("-000000000001-" in path.name for path in tmp_path.iterdir())


def test_a_spool_without_room_for_a_batch_costs_that_batch_alone(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    with Sender(NOBODY, source="job", spool=tmp_path, spool_bytes=10, registry=registry) as sender:
        record(sender, 3)
        assert not sender.close(timeout=0)
    assert list(tmp_path.iterdir()) == []
    assert of(registry, series.INSTRUMENT_DROPPED, reason="closed") == 3


def test_half_written_batches_of_killed_processes_are_swept_after_an_hour(tmp_path: Path) -> None:
    old, new = (tmp_path / f".partial-{name}.ndjson.1" for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"{")
    os.utime(old, (0, 0))
    with Sender(NOBODY, source="job", spool=tmp_path):
        assert list(tmp_path.iterdir()) == [new]


def test_a_server_that_never_answers_keeps_nobody_waiting(tmp_path: Path) -> None:
    with hanging() as url:
        sender = Sender(url, source="job", timeout=60, spool=tmp_path)
        began = time.monotonic()
        record(sender, 10_000)
        assert not sender.close(timeout=0.2)
        # One step of a request may take a minute here: neither a call nor the close waits for it.
        assert time.monotonic() - began < 30
    assert sender.waiting == 10_000


def test_whoever_flushes_need_not_wait_for_the_next_try(tmp_path: Path, free_port: Any) -> None:
    port = free_port()
    sender = Sender(f"http://127.0.0.1:{port}", source="job", interval=0.01)
    with busy(port):
        record(sender, 5)
        until(lambda: sender._told)
    with sidecar(tmp_path, port) as (_, url):
        assert sender.close(timeout=30)
        assert counted(url) == 5


@contextmanager
def busy(port: int) -> Iterator[None]:
    """A server that asks everybody to come back in five minutes."""

    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(429)
            self.send_header("Retry-After", "300")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", port), Busy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_it_speaks_tls_with_a_password(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "all.pem")
    hashed = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)).decode()
    config = tmp_path / "web.yaml"
    config.write_text(
        f"tls_server_config: {{cert_file: all.pem, key_file: all.pem}}\nbasic_auth_users: {{job: {hashed}}}\n"
    )
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with running("--web.listen-address=127.0.0.1:0", f"--web.config.file={config}") as (_, address):
        url = f"https://{address}"
        registry = CollectorRegistry()
        with Sender(
            url, source="job", tls=trusting, user=("job", "correct horse"), registry=registry
        ) as sender:
            record(sender, 2)
            assert sender.close(timeout=30)
    assert of(registry, series.INSTRUMENT_SENT) == 2


def test_a_full_buffer_drops_the_oldest_and_counts_them(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    with hanging() as url:
        sender = Sender(url, source="job", buffer=100, timeout=0.5, registry=registry)
        threads = [threading.Thread(target=record, args=(sender, 5_000)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sender.close(timeout=0)
    lost = sum(of(registry, series.INSTRUMENT_DROPPED, reason=reason) for reason in ("full", "closed"))
    assert lost == 20_000
    assert of(registry, series.INSTRUMENT_DROPPED, reason="full") >= 20_000 - 100 - 500


@contextmanager
def hanging() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_what_the_sidecar_refuses_is_counted_and_not_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry = CollectorRegistry()
    with sidecar(tmp_path) as (_, url):
        with Sender(url, source="job", registry=registry) as sender:
            llm = Instruments(registry=CollectorRegistry(), sink=sender).llm(model="m", provider="")
            llm.record(1.0)
            record(sender, 2)
        assert counted(url) == 2
    assert of(registry, series.INSTRUMENT_DROPPED, reason="refused") == 1
    assert of(registry, series.INSTRUMENT_SENT) == 2
    assert "OpenTelemetry's word" in caplog.text


@pytest.mark.parametrize("url", ["127.0.0.1:9466", "ftp://host", "http://", ""])
def test_a_url_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="write http://HOST:PORT or https://HOST:PORT"):
        Sender(url, source="job")


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_child_sends_its_own_operations_and_its_parent_the_others(tmp_path: Path) -> None:
    with sidecar(tmp_path) as (_, url):
        sender = Sender(url, source="job", interval=60)
        record(sender, 10)
        child = os.fork()
        if child == 0:
            record(sender, 3)
            os._exit(0 if sender.close(30) else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert sender.close(30)
        assert counted(url) == 13


def test_a_short_job_sends_at_its_exit(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from prometheus_client import CollectorRegistry\n"
        "from airis_mon.instrument import Instruments, Sender\n"
        "sender = Sender(sys.argv[1], source='job')\n"
        "llm = Instruments(registry=CollectorRegistry(), sink=sender).llm(model='m', provider='p')\n"
        "for _ in range(42): llm.record(0.1)\n"
    )
    with sidecar(tmp_path) as (_, url):
        subprocess.run([sys.executable, "-c", script, url], check=True, timeout=60)
        assert counted(url) == 42

"""What a sender gets to a real sidecar process, whatever becomes of either."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
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


def test_a_full_spool_leaves_the_rest_in_memory_and_counts_what_is_lost_at_the_end(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    sender = Sender(NOBODY, source="job", spool=tmp_path, spool_bytes=100_000, registry=registry)
    record(sender, 2_000)
    sender.close(timeout=0.3)
    kept = of(registry, series.INSTRUMENT_WAITING)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 100_000
    assert 0 < kept < 2_000
    assert of(registry, series.INSTRUMENT_DROPPED, reason="spool_full") == 2_000 - kept


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

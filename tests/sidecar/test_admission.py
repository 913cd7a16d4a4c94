"""What is too much at once is refused before it costs anything, and may be sent again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import requests

from airis_mon.journal import Journal
from airis_mon.journal.files import File, PosixFiles
from airis_mon.sidecar.limits import Limits
from tests.sidecar.conftest import StartSidecar, metric
from tests.waiting import until


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/metrics", 429), ("/v1/logs", 429), ("/api/v1/write", 503)]
)
def test_bodies_beyond_the_memory_for_them_are_to_be_sent_again(
    start: StartSidecar, path: str, status: int
) -> None:
    sidecar = start(limits=Limits(memory_bytes=5_000))
    headers = {"Content-Encoding": "snappy"} if path == "/api/v1/write" else {}
    media = "application/x-protobuf" if path == "/api/v1/write" else "application/json"
    for size in (6_000, 3_000_000):
        answer = sidecar.post(b"x" * size, path, media, **headers)
        assert (answer.status_code, answer.headers["Retry-After"]) == (status, "1")
    good = sidecar.post(metric(metric_type="counter"))
    assert good.status_code == 202
    assert sidecar.value("thing_total", source="tests") == 1


class _Held(PosixFiles):
    """A disk that waits until it is let go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def create(self, path: Path) -> File:
        file = super().create(path)
        sync = file.sync

        def waiting() -> None:
            self.go_on.wait(30)
            sync()

        file.sync = waiting  # type: ignore[method-assign]
        return file


def test_items_that_wait_for_the_disk_are_bounded(start: StartSidecar, tmp_path: Path) -> None:
    files = _Held()
    files.go_on.set()
    sidecar = start(limits=Limits(waiting=3), journal=Journal(tmp_path, files=files))
    files.go_on.clear()
    statuses: list[int] = []

    def send() -> None:
        answer = requests.post(f"{sidecar.url}/v1/metrics", json=metric(metric_type="counter"), timeout=60)
        statuses.append(answer.status_code)

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    until(lambda: sidecar.registry.get_sample_value("airis_sidecar_http_requests_in_flight") == 3)
    refused = sidecar.post(metric(metric_type="counter"))
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert "3 items wait for the disk already" in refused.text
    files.go_on.set()
    for sender in senders:
        sender.join()
    assert statuses == [200] * 3
    assert sidecar.post(metric(metric_type="counter")).status_code == 200
    assert sidecar.value("thing_total", source="tests") == 4

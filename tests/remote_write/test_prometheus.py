"""The real receiver takes what we send."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from airis_mon.journal import Queue
from airis_mon.remote_write import STALE, Asked, Backoff, Delivery, HttpWriter, Metadata, QueuedWriter, Sample
from tests import waiting


def query(url: str, expr: str, at: float) -> list[dict[str, Any]]:
    answer = requests.get(f"{url}/api/v1/query", params={"query": expr, "time": str(at)}, timeout=10).json()
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


@pytest.mark.parametrize("asked", ["auto", "1.0"])
def test_samples_are_stored_and_one_bad_sample_is_dropped_alone(
    prometheus_server: Callable[..., Any], asked: Asked
) -> None:
    server = prometheus_server()
    writer = HttpWriter(Delivery(f"{server.url}/api/v1/write", version=asked))
    now = int(time.time()) - 60
    first = writer.write(
        Sample({"__name__": "yhat", "monitor": "chat", "pod": f"p{n}"}, now * 1000, n + 0.5)
        for n in range(50)
    )
    assert (first.sent, first.dropped, first.errors) == (50, 0, ())
    again = writer.write([Sample({"__name__": "yhat", "monitor": "chat", "pod": "p3"}, now * 1000, 3.5)])
    assert again.sent == 1

    second = [
        Sample({"__name__": "yhat", "monitor": "chat", "pod": f"p{n}"}, (now + 5) * 1000, 7.0)
        for n in range(50)
    ]
    second[13] = Sample({"__name__": "yhat", "monitor": "chat", "pod": "p13"}, now * 1000, -1.0)
    result = writer.write(second)
    assert (result.sent, result.dropped) == (49, 1)
    # A receiver of 2.0 keeps what is good of a batch, and says in its own words what was not.
    assert "p13" in result.errors[0] or "1 of 50 samples" in result.errors[0]

    values = {row["metric"]["pod"]: float(row["value"][1]) for row in query(server.url, "yhat", now + 6)}
    assert values == {f"p{n}": 13.5 if n == 13 else 7.0 for n in range(50)}

    assert (
        writer.write(
            [Sample({"__name__": "yhat", "monitor": "chat", "pod": "p4"}, (now + 7) * 1000, STALE)]
        ).sent
        == 1
    )
    assert query(server.url, 'yhat{pod="p4"}', now + 8) == []
    writer.close()


def test_a_receiver_that_is_switched_off_is_named(prometheus_server: Callable[..., Any]) -> None:
    server = prometheus_server()
    result = HttpWriter(f"{server.url}/api/v1/wrong").write([Sample({"__name__": "up"}, 1000, 1.0)])
    assert result.dropped == 1
    assert "answered 404" in result.errors[0]


def test_both_versions_store_the_same(prometheus_server: Callable[..., Any]) -> None:
    server = prometheus_server()
    now = int(time.time()) - 60
    for asked in ("1.0", "auto"):
        metadata = {f"told_{asked[0]}": Metadata("gauge", "About.")}
        writer = HttpWriter(Delivery(f"{server.url}/api/v1/write", version=asked, metadata=metadata))
        series = [(f"p{n}-é", n / 7) for n in range(5)]
        written = writer.write(
            Sample({"__name__": f"told_{asked[0]}", "pod": pod}, (now + second) * 1000, value + second)
            for pod, value in series
            for second in (0, 1)
        )
        assert (written.sent, written.dropped, written.errors) == (10, 0, ())
        rows = query(server.url, f"told_{asked[0]}[10s]", now + 2)
        read = {row["metric"]["pod"]: [(at, float(value)) for at, value in row["values"]] for row in rows}
        assert read == {pod: [(now, value), (now + 1, value + 1)] for pod, value in series}


def test_an_outage_of_prometheus_loses_nothing_that_was_queued(
    prometheus_server: Callable[..., Any], tmp_path: Path
) -> None:
    server = prometheus_server()
    port = int(server.url.rpartition(":")[2])
    writer = QueuedWriter(
        Delivery(f"{server.url}/api/v1/write"), Queue(tmp_path / "queue"), backoff=Backoff(0.05, 0.2)
    )
    writer.open()
    writer.start()
    begin = int(time.time()) - 300
    results = []
    for second in range(30):
        if second == 10:
            server.stop()
        if second == 20:
            server = prometheus_server(data=server.folder / "data", port=port)
        results.append(
            writer.write(
                Sample({"__name__": "yhat", "pod": pod}, (begin + second) * 1000, second + 0.5)
                for pod in "ab"
            )
        )
    waiting.until(lambda: writer.backlog().samples == 0)
    writer.close()
    assert sum(result.dropped for result in results) == 0
    assert any(result.queued for result in results[10:20])
    for row in query(server.url, "yhat[1h]", begin + 60):
        read = [(at, float(value)) for at, value in row["values"]]
        assert read == [(begin + second, second + 0.5) for second in range(30)]

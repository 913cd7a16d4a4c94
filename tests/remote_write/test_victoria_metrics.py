"""VictoriaMetrics takes what we send. It answers 204 to a 2.0 message, of which it understands nothing.

It keeps decimals of some twelve digits, so the values here have fewer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from airis_mon.journal import Queue
from airis_mon.remote_write import STALE, Asked, Delivery, HttpWriter, QueuedWriter, Sample
from tests import waiting


def stored(url: str, name: str) -> dict[str, list[tuple[int, float | None]]]:
    """Samples by pod, as they are on disk."""
    requests.get(f"{url}/internal/force_flush", timeout=10)
    answer = requests.get(f"{url}/api/v1/export", params={"match[]": name}, timeout=10)
    rows = [json.loads(line) for line in answer.text.splitlines()]
    return {row["metric"]["pod"]: list(zip(row["timestamps"], row["values"], strict=True)) for row in rows}


@pytest.mark.parametrize("asked", ["auto", "1.0", "2.0"])
def test_what_was_written_is_read_back_equal(
    victoria_metrics_server: Callable[..., Any], asked: Asked
) -> None:
    url = victoria_metrics_server()
    now = int(time.time()) * 1000 - 60_000
    expected = {f"p{n}-é": [(now, n * 0.125), (now + 1000, -n / 8 - 1)] for n in range(50)}
    writer = HttpWriter(Delivery(f"{url}/api/v1/write", version=asked))
    result = writer.write(
        Sample({"__name__": "yhat", "pod": pod}, at, value)
        for pod, samples in expected.items()
        for at, value in samples
    )
    assert (result.sent, result.dropped, result.errors) == (100, 0, ())
    assert len(result.notes) == (asked != "1.0")
    waiting.until(lambda: stored(url, "yhat") == expected)
    writer.close()


def test_a_series_that_was_ended_is_gone(victoria_metrics_server: Callable[..., Any]) -> None:
    url = victoria_metrics_server()
    now = int(time.time()) - 60
    writer = HttpWriter(f"{url}/api/v1/write")
    for at, value in ((now, 1.0), (now + 10, STALE)):
        assert writer.write([Sample({"__name__": "yhat", "pod": "a"}, at * 1000, value)]).sent == 1

    def asked(at: int) -> list[Any]:
        requests.get(f"{url}/internal/force_flush", timeout=10)
        params = {"query": "yhat", "time": str(at), "nocache": "1"}
        found: list[Any] = requests.get(f"{url}/api/v1/query", params=params, timeout=10).json()["data"][
            "result"
        ]
        return found

    waiting.until(lambda: asked(now + 5) and not asked(now + 15))
    writer.close()


def test_a_queue_is_delivered_once_it_is_there(
    victoria_metrics_server: Callable[..., Any], tmp_path: Any
) -> None:
    now = int(time.time()) * 1000 - 60_000
    writer = QueuedWriter(Delivery("http://127.0.0.1:1/api/v1/write"), Queue(tmp_path / "queue"))
    writer.open()
    for at in (now, now + 1000):
        assert writer.write([Sample({"__name__": "yhat", "pod": "a"}, at, 0.25)]).queued == 1
    writer.close()
    url = victoria_metrics_server()
    writer = QueuedWriter(Delivery(f"{url}/api/v1/write"), Queue(tmp_path / "queue"))
    writer.open()
    assert writer.write([Sample({"__name__": "yhat", "pod": "a"}, now + 2000, 3.0)]).sent == 3
    writer.close()
    expected = {"a": [(now, 0.25), (now + 1000, 0.25), (now + 2000, 3.0)]}
    waiting.until(lambda: stored(url, "yhat") == expected)

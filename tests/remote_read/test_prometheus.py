"""From one real Prometheus to another: nothing is lost on the way, also not that a series ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from airis_mon.remote_read import HttpReader, Query, ReadError, hand_on, write_body
from airis_mon.remote_write import STALE, HttpWriter, Sample


def test_samples_and_ends_of_series_arrive_as_they_were(prometheus_server: Callable[..., Any]) -> None:
    source, target = prometheus_server(), prometheus_server()
    begin = (time.time_ns() // 10**9 - 600) * 1000
    writer = HttpWriter(f"{source.url}/api/v1/write")
    for number in range(10):
        for name, value in (("goes_on", float(number)), ("ends", float(number) if number < 5 else STALE)):
            labels = {"__name__": name, "job": "test"}
            if number <= 5 or name == "goes_on":
                writer.write([Sample(labels, begin + number * 15_000, value)])
    writer.close()

    reader = HttpReader(source.url)
    queries = [
        Query((("job", "=", "test"), ("__name__", "=~", "ends|goes_.*")), begin, begin + 150_000),
        Query((("__name__", "=", "goes_on"), ("job", "!=", "other"), ("job", "!~", "o.*")), begin, begin),
    ]
    found, again = reader.read(queries)
    assert len(found) == 2
    assert [one.key for one in again] == [one.key for one in found if b"goes_on" in one.key]
    assert reader.read([Query((("__name__", "=", "nothing"),), begin, begin)]) == [[]]
    reader.close()
    with requests.Session() as session:
        hand_on(session, target.url, write_body(found))

        def asked(url: str, query: str) -> Any:
            form = {"query": query, "time": str(begin / 1000 + 90)}
            return session.get(f"{url}/api/v1/query", params=form).json()["data"]["result"]

        for query in ("goes_on[10m]", "ends[10m]", "ends", "goes_on"):
            assert asked(target.url, query) == asked(source.url, query)
        assert asked(target.url, "ends") == []
        assert len(asked(target.url, "ends[10m]")[0]["values"]) == 5


def test_a_server_that_gives_no_series_is_named_without_its_password(free_port: Callable[[], int]) -> None:
    query = Query((("__name__", "=", "up"),), 0, 1)
    port = free_port()
    with pytest.raises(ReadError) as unreachable:
        HttpReader(f"http://user:secret@127.0.0.1:{port}").read([query])
    assert f"http://127.0.0.1:{port} is not reachable" in str(unreachable.value)
    assert "secret" not in str(unreachable.value)


def test_a_prometheus_below_another_path_is_no_remote_read(prometheus_server: Callable[..., Any]) -> None:
    server = prometheus_server()
    with pytest.raises(ReadError, match="has no remote read"):
        HttpReader(f"{server.url}/elsewhere").read([Query((("__name__", "=", "up"),), 0, 1)])

"""Hostile bodies and connections, at every route of a real process: 4xx with the reason, and it lives on.

Memory is bounded as the kernel counts it: `VmHWM`, the most that the process ever held.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cramjam
import pytest
import requests
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from airis_mon.sidecar.service import sidecar
from tests.sidecar.conftest import event, metric
from tests.sidecar.test_process import running
from tests.sidecar.test_recovering import inputs
from tests.waiting import until

MOST_BYTES = 400 * 1024 * 1024
BOMB_BYTES = 64 * 1024 * 1024
PROTOBUF = "application/x-protobuf"
ITEMS = ("/v1/metrics", "/v1/operations", "/v1/events")


def posts() -> list[str]:
    app = sidecar(registry=CollectorRegistry())
    return [path for method, path in inputs(app) if method == "POST" and not path.startswith("/grafana")]


class Hostility:
    """A real process, and whether it lives."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self._process = process
        self.address = address
        self.url = f"http://{address}"

    def post(self, path: str, body: bytes, media: str, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return requests.post(self.url + path, body, headers={"Content-Type": media, **named}, timeout=60)

    def raw(self, data: bytes, answers: int = 1) -> bytes:
        """Write bytes to a connection, and return what comes back until so many status lines have."""
        host, _, port = self.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            try:
                for start in range(0, len(data), 65_536):
                    connection.sendall(data[start : start + 65_536])
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has heard enough
            got = b""
            try:
                while got.count(b"HTTP/1.1 ") < answers and (more := connection.recv(65_536)):
                    got += more
            except ConnectionResetError:
                pass
            return got

    def most_bytes(self) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def check(self) -> None:
        assert self._process.poll() is None
        assert requests.get(f"{self.url}/-/ready", timeout=10).status_code == 200
        assert self.most_bytes() < MOST_BYTES


@pytest.fixture(scope="module")
def hostility(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostility]:
    folder = tmp_path_factory.mktemp("journal")
    with running("--web.listen-address=127.0.0.1:0", f"--storage.path={folder}") as (process, address):
        found = Hostility(process, address)
        until(lambda: requests.get(f"{found.url}/-/ready", timeout=10).ok)
        yield found
        text = requests.get(f"{found.url}/metrics", timeout=10).text
        counted = [
            line for line in text.splitlines() if line.startswith("airis_sidecar_http_requests_total{")
        ]
        assert not [line for line in counted if 'code="5' in line and "/-/ready" not in line]


@pytest.fixture(autouse=True)
def _lives_on(hostility: Hostility) -> Iterator[None]:
    yield
    hostility.check()


BODIES: dict[str, bytes] = {
    "NaN": json.dumps(metric(value=float("nan"))).encode(),
    "infinity": json.dumps(metric(value=float("inf"))).encode(),
    "a number beyond all": b'{"value":1e99999}',
    "a number of 100,000 digits": b'{"value":' + b"9" * 100_000 + b"}",
    "invalid UTF-8": b'{"metric_name":"\xff\xfe"}',
    "a lone surrogate": b'{"metric_name":"\\ud800"}',
    "arrays 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "objects 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "tags 10,000 deep": b'[{"tags":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001 + b"]",
    "OTLP 10,000 deep": b'{"resourceMetrics":[{"resource":{"attributes":[{"key":"a","value":'
    + b'{"arrayValue":{"values":[' * 10_000
    + b"]}}" * 10_000
    + b"}]}}]}",
    "no object at all": b"null",
    "nothing but a bracket": b"[",
    "zero bytes": b"\0" * 1000,
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", posts())
def test_what_is_no_honest_body_is_refused_with_a_reason(hostility: Hostility, path: str, name: str) -> None:
    for media in ("application/json", "application/x-ndjson", "application/msgpack", PROTOBUF):
        answer = hostility.post(path, BODIES[name], media)
        # OTLP asks to ignore fields that are not known, and whatever they hold; a log line may hold anything.
        ignored = path.startswith("/otlp/") and b"resourceMetrics" not in BODIES[name]
        taken = answer.status_code in (200, 202)
        assert 400 <= answer.status_code < 500 or (taken and (ignored or path == "/v1/logs")), (
            media,
            answer.status_code,
            answer.text,
        )
        assert answer.content, "a reason"


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ({"__name__": "up"}, 200),
        ({"le": "1"}, 200),
        ({'a"} 1\nup{x="': "1"}, 200),
        ({"": "1"}, 400),
        ({"a" * 100_000: "1"}, 400),
        ({f"label_{n}": "1" for n in range(1000)}, 400),
        ({"ok": 'value"} 1\nup{x="\\'}, 200),
    ],
    ids=["__name__", "le", "injection", "empty", "100,000 characters", "a thousand", "value"],
)
def test_labels_are_labels_and_nothing_else(hostility: Hostility, tags: dict[str, str], status: int) -> None:
    answer = hostility.post("/v1/metrics", json.dumps(metric(tags=tags)).encode(), "application/json")
    assert answer.status_code == status, answer.text
    families = list(text_string_to_metric_families(requests.get(f"{hostility.url}/metrics", timeout=10).text))
    (thing,) = [family for family in families if family.name == "thing"]
    assert not [family for family in families if family.name == "up"]
    # Names that mean something to Prometheus, or are none, are written another way.
    assert all(not {"le", "__name__"} & set(sample.labels) for sample in thing.samples)


@pytest.mark.parametrize(
    "timestamp", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "yesterday", ""]
)
def test_timestamps_far_off(hostility: Hostility, timestamp: str) -> None:
    for path, item in (("/v1/metrics", metric), ("/v1/events", event)):
        answer = hostility.post(path, json.dumps(item(timestamp=timestamp)).encode(), "application/json")
        assert answer.status_code == 400, (path, answer.text)
        assert answer.json()["errors"][0]["field"] == "timestamp"


def gzip_bomb() -> bytes:
    return gzip.compress(bytes(BOMB_BYTES))


def zstd_bomb() -> bytes:
    return bytes(cramjam.zstd.compress(bytes(BOMB_BYTES)))


def snappy_bomb() -> bytes:
    return bytes(cramjam.snappy.compress_raw(bytes(BOMB_BYTES)))


BOMBS: dict[str, Callable[[], bytes]] = {"gzip": gzip_bomb, "zstd": zstd_bomb, "snappy": snappy_bomb}


@pytest.mark.parametrize("coding", BOMBS)
@pytest.mark.parametrize("path", posts())
def test_bombs_cost_no_more_than_an_honest_body(hostility: Hostility, path: str, coding: str) -> None:
    bomb = BOMBS[coding]()
    for media in ("application/json", PROTOBUF):
        answer = hostility.post(path, bomb, media, Content_Encoding=coding)
        assert answer.status_code in (413, 415), answer.text


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip,zstd", "br", "\xff", "a" * 5000, "gzip;q=1"])
@pytest.mark.parametrize("path", posts())
def test_codings_that_nobody_can_read(hostility: Hostility, path: str, coding: str) -> None:
    body = gzip.compress(gzip.compress(b"[]"))
    for media in ("application/json", PROTOBUF):
        answer = hostility.post(path, body, media, Content_Encoding=coding)
        assert answer.status_code in (400, 415), answer.text


@pytest.mark.parametrize(
    "media", ["", "text/plain", "application/json; charset=utf-16", "a/b" * 1000, "\xff"]
)
@pytest.mark.parametrize("path", posts())
def test_media_types_that_nobody_sends(hostility: Hostility, path: str, media: str) -> None:
    status = hostility.post(path, b"[]", media).status_code
    # JSON is UTF-8 whatever its charset says, and /v1/logs does not ask.
    assert status in (400, 415) or (path == "/v1/logs" and "charset" in media)


@pytest.mark.parametrize("path", posts())
def test_a_hundred_megabytes_are_not_read(hostility: Hostility, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    answer = hostility.raw(f"{head}Content-Length: {100 << 20}\r\n\r\n[".encode())
    assert answer.split()[1:2] in ([b"413"], [b"415"]), answer
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    hostility.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 100 + b"0\r\n\r\n")


@pytest.mark.parametrize("path", ITEMS)
def test_a_body_of_many_tiny_chunks_counts_as_one_body(hostility: Hostility, path: str) -> None:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    )
    answer = hostility.raw(f"{head}\r\n".encode() + b"1\r\n \r\n" * 50_000 + b"2\r\n[]\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200"), answer


def test_pipelined_requests_are_all_answered(hostility: Hostility) -> None:
    body = json.dumps(metric(metric_name="pipelined", metric_type="counter")).encode()
    head = b"POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    one = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    answers = hostility.raw(one * 200, answers=200)
    assert answers.count(b"HTTP/1.1 200") == 200
    assert (
        'pipelined_total{source="tests"} 200.0' in requests.get(f"{hostility.url}/metrics", timeout=10).text
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Airis-Producer": "p"},
        {"X-Airis-Sequence": "1"},
        {"X-Airis-Producer": "p", "X-Airis-Sequence": "-1"},
        {"X-Airis-Producer": "p", "X-Airis-Sequence": str(2**64)},
        {"X-Airis-Producer": "p" * 5000, "X-Airis-Sequence": "1"},
        {"Idempotency-Key": "k" * 5000},
    ],
)
@pytest.mark.parametrize("path", ITEMS)
def test_numbers_that_number_nothing(hostility: Hostility, path: str, headers: dict[str, Any]) -> None:
    answer = hostility.post(path, b"[]", "application/json", **headers)
    assert answer.status_code == 400, answer.text


def test_the_same_key_again_counts_once(hostility: Hostility) -> None:
    body = json.dumps(metric(metric_name="again", metric_type="counter")).encode()
    said = [
        hostility.post("/v1/metrics", body, "application/json", Idempotency_Key="again").json()
        for _ in range(3)
    ]
    assert [answer.get("duplicate", False) for answer in said] == [False, True, True]
    assert 'again_total{source="tests"} 1.0' in requests.get(f"{hostility.url}/metrics", timeout=10).text


QUERIES = ["limit=-1", "limit=99999999999999999999", "from=NaN", "from=1e999", "a=" + "b" * 5000, "from=%00"]


@pytest.mark.parametrize("query", QUERIES)
def test_queries_of_events(hostility: Hostility, query: str) -> None:
    answer = requests.get(f"{hostility.url}/v1/events?{query}", timeout=10)
    assert answer.status_code in (200, 400), answer.text


@pytest.mark.parametrize("name", BODIES)
def test_queries_of_annotations(hostility: Hostility, name: str) -> None:
    answer = hostility.post("/grafana/annotations", BODIES[name], "application/json")
    assert answer.status_code < 500, answer.text

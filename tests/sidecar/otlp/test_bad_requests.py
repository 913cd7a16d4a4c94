"""Requests of which nothing counts: 4xx, told in the encoding of the request."""

from __future__ import annotations

import gzip
import time
from typing import Any

import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from airis_mon.journal import JournalBusyError, JournalError, JournalFullError
from airis_mon.sidecar.limits import Limits
from tests.sidecar.conftest import Sidecar, StartSidecar
from tests.sidecar.otlp.messages import AT, PROTOBUF, counter, export, gauge, number, packed
from tests.sidecar.test_journal import Recorder


def nested(levels: int) -> bytes:
    """A point with an attribute of so many lists in each other, as protobuf."""
    value = field(1, b"x")
    for _ in range(levels):
        value = field(5, field(1, value))
    attribute = field(1, b"deep") + field(2, value)
    point = b"\x19" + int(AT).to_bytes(8, "little") + b"\x31" + (1).to_bytes(8, "little")
    metric = field(1, b"x") + field(5, field(1, point + field(7, attribute)))
    return field(1, field(2, field(2, metric)))


def field(number: int, content: bytes) -> bytes:
    length, size = len(content), b""
    while length > 127:
        size, length = size + bytes([length & 127 | 128]), length >> 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + content


def test_nesting_of_10_000_levels_is_no_more_than_a_400(shared: Sidecar) -> None:
    assert shared.post(nested(10_000), "/v1/metrics", PROTOBUF).status_code == 400
    deep = b'{"arrayValue":{"values":[' * 10_000
    body = b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"x","gauge":{"dataPoints":[{'
    answer = shared.post(body + b'"timeUnixNano":"1","attributes":[{"key":"k","value":' + deep)
    assert answer.status_code == 400


@pytest.mark.parametrize("levels", [32, 90])
def test_nesting_within_the_decoder_s_bounds_costs_its_own_point_only(shared: Sidecar, levels: int) -> None:
    answer = shared.post(nested(20), "/otlp/v1/metrics", PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert shared.post(nested(levels), "/otlp/v1/metrics", PROTOBUF).status_code in (200, 400)


BODIES: dict[str, tuple[bytes, str]] = {
    "no protobuf": (b"\xff\xff\xff", PROTOBUF),
    "cut protobuf": (packed(export(gauge("x", number(1))))[:-1], PROTOBUF),
    "a name that is no UTF-8": (field(1, field(2, field(2, field(1, b"\xff\xfe")))), PROTOBUF),
    "a list": (b'[{"resourceMetrics":[]}]', "application/json"),
    "a text for a list": (b'{"resourceMetrics":"x"}', "application/json"),
    "a lone surrogate": (
        b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"\\ud800"}]}]}]}',
        "application/json",
    ),
    "cut JSON": (b'{"resourceMetrics":[', "application/json"),
    "a number too large": (
        b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"x","gauge":{"dataPoints":['
        b'{"timeUnixNano":"1","asDouble":1e999}]}}]}]}]}',
        "application/json",
    ),
    "empty messages in a list": (
        b'{"resourceMetrics":[' + b"{}," * 1000 + b"{}]}",
        "application/json",
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_what_cannot_be_decoded_is_a_400_with_a_status(shared: Sidecar, name: str) -> None:
    body, media = BODIES[name]
    answer = shared.post(body, "/otlp/v1/metrics", media)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith(media)
    if media == PROTOBUF:
        status = Status.FromString(answer.content)
        code, message = status.code, status.message
    else:
        code, message = answer.json()["code"], answer.json()["message"]
    assert code == 3
    assert "ExportMetricsServiceRequest" in message


def test_other_media_types_are_415(shared: Sidecar) -> None:
    assert shared.post(b"", "/otlp/v1/metrics", "text/plain").status_code == 415
    assert shared.post(b"", "/otlp/v1/metrics", PROTOBUF, Content_Encoding="br").status_code == 415


def test_points_and_empty_messages_are_counted_before_they_cost_memory(start: StartSidecar) -> None:
    sidecar = start(limits=Limits(items=100))
    many = packed(export(gauge("x", *[number(1, n=str(n)) for n in range(101)])))
    answer = sidecar.post(many, "/v1/metrics", PROTOBUF)
    assert answer.status_code == 413
    assert b"more than 100 data points" in answer.content
    assert sidecar.post(export(gauge("x", *[number(1, n=str(n)) for n in range(101)]))).status_code == 413
    assert sidecar.post(b"\x0a\x00" * 1000, "/v1/metrics", PROTOBUF).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + b"{}," * 2_500_000 + b"{}]}]}]}",
        b'{"resourceLogs":' + b"{" * 5_000_000,
    ],
)
def test_empty_objects_are_counted_before_they_are_decoded(shared: Sidecar, body: bytes) -> None:
    begin = time.monotonic()
    answer = shared.post(body, "/otlp/v1/logs")
    assert (answer.status_code, answer.json()["code"]) == (413, 8)
    assert "more than 400000 objects" in answer.json()["message"]
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize("media", [PROTOBUF, "application/json"])
def test_a_bomb_is_refused_within_its_bounds(start: StartSidecar, media: str) -> None:
    sidecar = start(limits=Limits(body_bytes=1024 * 1024))
    bomb = gzip.compress(b"\x0a\x00" * (32 * 1024 * 1024), 9)
    begin = time.monotonic()
    answer = sidecar.post(bomb, "/otlp/v1/metrics", media, Content_Encoding="gzip")
    assert answer.status_code == 413
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize("media", [PROTOBUF, "application/json"])
@pytest.mark.parametrize(
    ("error", "status"), [(JournalBusyError("64 MiB wait"), 429), (JournalFullError("disk full"), 503)]
)
def test_what_the_journal_does_not_take_is_to_be_sent_again(
    start: StartSidecar, media: str, error: JournalError, status: int
) -> None:
    journal = Recorder()
    sidecar = start(journal=journal)
    journal.error = error
    body = export(counter("calls", number(1), delta=True))
    given = packed(body) if media == PROTOBUF else body
    answer = sidecar.post(given, "/v1/metrics", media)
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, str(error.retry_after))
    assert b"not kept, send it again" in answer.content
    journal.error = None
    assert sidecar.post(given, "/v1/metrics", media).status_code == 200
    assert sidecar.value("calls_total", source="shop") == 1


def test_a_wrong_numbering_is_told_in_otlp_too(shared: Sidecar) -> None:
    answer = shared.post(export(gauge("x", number(1))), X_Airis_Sequence="1")
    assert (answer.status_code, answer.json()["code"]) == (400, 3)
    said: Any = answer.json()["message"]
    assert "X-Airis-Producer" in said

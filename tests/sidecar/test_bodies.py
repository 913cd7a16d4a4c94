from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import cramjam
import msgspec
import pytest

from airis_mon.sidecar.limits import Limits
from tests.sidecar.conftest import Sidecar, StartSidecar, metric

PACKED = {"gzip": gzip.compress, "zstd": lambda data: bytes(cramjam.zstd.compress(data))}


@pytest.mark.parametrize("coding", sorted(PACKED))
def test_a_packed_body_is_unpacked(fresh: Sidecar, coding: str) -> None:
    body = PACKED[coding](json.dumps([metric(value=7)]).encode())
    assert fresh.post(body, Content_Encoding=coding).status_code == 202
    assert fresh.value("thing", source="tests") == 7


@pytest.mark.parametrize("coding", sorted(PACKED))
def test_a_bomb_is_413(start: StartSidecar, coding: str) -> None:
    sidecar = start(Limits(body_bytes=1 << 20))
    answer = sidecar.post(PACKED[coding](bytes(64 << 20)), Content_Encoding=coding)
    assert (answer.status_code, answer.json()["accepted"]) == (413, 0)
    assert "unpacks to more than 1048576 bytes" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("coding", "body", "status", "said"),
    [
        ("gzip", b"no gzip at all", 400, "the body is no gzip"),
        ("gzip", gzip.compress(b"[]", mtime=0)[:-4], 400, "it ends too early"),
        ("gzip", gzip.compress(b"[]", mtime=0) * 2, 400, "send one alone"),
        ("zstd", b"no zstd at all", 400, "the body is no zstd"),
        ("br", b"[]", 415, "`br` is not understood"),
        ("gzip, gzip", b"[]", 415, "`gzip, gzip` is not understood"),
        ("deflate", zlib.compress(b"[]"), 415, "one of gzip, identity, zstd"),
    ],
)
def test_what_cannot_be_unpacked_is_told(
    shared: Sidecar, coding: str, body: bytes, status: int, said: str
) -> None:
    answer = shared.post(body, Content_Encoding=coding)
    assert answer.status_code == status
    assert said in answer.json()["errors"][0]["message"]


def packed(value: Any) -> bytes:
    return msgspec.msgpack.encode(value)


def test_msgpack_is_taken_as_json_is(fresh: Sidecar) -> None:
    answer = fresh.post(packed([metric(value=3), metric(value="x"), metric()]), media="application/msgpack")
    assert answer.status_code == 400
    assert answer.json()["accepted"] == 2
    (error,) = answer.json()["errors"]
    assert (error["index"], error["field"]) == (1, "value")
    assert fresh.post(packed(metric()), media="application/msgpack").json()["accepted"] == 1


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\x91" * 10_000, packed([1, "x"])[:-1], packed(5), b"\xdd\xff\xff\xff\xff"]
)
def test_msgpack_that_is_none_is_told(shared: Sidecar, body: bytes) -> None:
    answer = shared.post(body, media="application/msgpack")
    assert answer.status_code == 400
    assert answer.json()["accepted"] == 0


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"X_Airis_Producer": "a"}, "needs X-Airis-Sequence"),
        ({"X_Airis_Sequence": "1"}, "means nothing without X-Airis-Producer"),
        ({"X_Airis_Producer": "a", "X_Airis_Sequence": "-1"}, "whole number from 0 to 2^63 - 1"),
        ({"X_Airis_Producer": "a", "X_Airis_Sequence": "9" * 19}, "outside of 0 to 2^63 - 1"),
        ({"X_Airis_Producer": "a" * 129, "X_Airis_Sequence": "1"}, "1 to 128 characters"),
        ({"Idempotency_Key": "k" * 257}, "1 to 256 characters"),
    ],
)
def test_a_number_that_is_none_is_told(shared: Sidecar, headers: dict[str, str], said: str) -> None:
    answer = shared.post([metric()], **headers)
    assert answer.status_code == 400
    assert said in answer.json()["errors"][0]["message"]

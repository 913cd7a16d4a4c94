"""Fluent Bit's HTTP output is played by a stand-in: no package of it can be had here.

The bytes are those that its documentation states for `format` json, json_lines, json_stream and msgpack.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.sidecar.conftest import NOW, Sidecar, StartSidecar

RECORDS: list[dict[str, Any]] = [
    {"date": NOW - 1.5, "log": "first", "level": "warn", "source": "bit"},
    {"date": NOW - 1.0, "log": "second ann@mail.example", "source": "bit"},
]
EVENT_TIME = msgspec.msgpack.Ext(0, int(NOW).to_bytes(4, "big") + (500).to_bytes(4, "big"))
LINES = [json.dumps(record) for record in RECORDS]
PACKED = b"".join(
    msgspec.msgpack.encode([EVENT_TIME, {"log": "text " * 20, "source": "bit", "n": [1, -70000, 1.5, None]}])
    for _ in range(2)
)
NEWER = b"".join(
    msgspec.msgpack.encode([[EVENT_TIME, {}], {"log": "x", "source": "bit", "list": [0] * 20}])
    for _ in range(2)
)


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (json.dumps(RECORDS).encode(), "application/json"),
        ("\n".join(LINES).encode(), "application/x-ndjson"),
        ("\n".join(LINES).encode(), "application/json"),
        ("".join(LINES).encode(), "application/json"),
        (PACKED, "application/msgpack"),
        (NEWER, "application/msgpack"),
    ],
    ids=["json", "json_lines", "json_lines as json", "json_stream", "msgpack", "msgpack with metadata"],
)
def test_what_fluent_bit_writes_is_counted(start: StartSidecar, body: bytes, media: str) -> None:
    sidecar = start()
    answer = sidecar.post(body, "/v1/logs", media)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2, "rejected": 0})
    assert sidecar.value("airis_log_records_total", source="bit", result="unmatched") == 2


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"a": "\xff"}', "application/json", 400),
        (b"\xc1", "application/msgpack", 400),
        (b"\xdd\xff\xff\xff\xff", "application/msgpack", 400),
        (b"\x91" * 100_000, "application/msgpack", 400),
        (b"\xdb\xff\xff\xff\xff", "application/msgpack", 400),
        (b"{}", "text/plain", 415),
        (b"{}\n" * 10_001, "application/x-ndjson", 413),
        (b"[1]", "application/json", 400),
        (b'[{"time": "yesterday"}]', "application/json", 400),
        (b'[{"time": 1e300}]', "application/json", 400),
        (b'[{"time": 99999999999}]', "application/json", 400),
    ],
)
def test_what_is_no_record_is_refused_with_a_reason(
    shared: Sidecar, body: bytes, media: str, status: int
) -> None:
    answer = shared.post(body, "/v1/logs", media)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["message"]


def test_the_good_records_of_a_body_count(start: StartSidecar) -> None:
    sidecar = start()
    answer = sidecar.post([RECORDS[0], 5, RECORDS[1]], "/v1/logs")
    assert answer.status_code == 400
    assert (answer.json()["accepted"], answer.json()["errors"][0]["index"]) == (2, 1)

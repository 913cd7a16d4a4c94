"""The decoders, what each may raise, and a few seeds to begin with."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import cramjam
import msgspec
from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request

from airis_mon.journal import Origin
from airis_mon.journal.records import FILE_BYTES, RECORD, Damage, Frame, encode, file_header, frames
from airis_mon.journal.snapshots import Snapshot
from airis_mon.remote_write.symbols import MessageError, decoded_2
from airis_mon.rules.adoption import Wanted, adopt
from airis_mon.sidecar.admission import ADMISSION, Admission
from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.bodies import SNAPPY, RequestError, body
from airis_mon.sidecar.decoding import JSON, MSGPACK, NDJSON, BodyError, Decoding, TooManyItemsError
from airis_mon.sidecar.entries import replay
from airis_mon.sidecar.items import Event, Metric, OperationItem
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.logs.bodies import objects
from airis_mon.sidecar.logs.capture import Capture
from airis_mon.sidecar.logs.configuration import configuration
from airis_mon.sidecar.logs.expressions import expression
from airis_mon.sidecar.logs.masking import Masking
from airis_mon.sidecar.otlp.answers import PROTOBUF
from airis_mon.sidecar.otlp.routes import logs, metrics
from airis_mon.sidecar.otlp.translation import MetricTranslation
from airis_mon.sidecar.remote_write.requests import Written, version_1, version_2
from airis_mon.sidecar.remote_write.translation import SampleTranslation
from airis_mon.sidecar.translation import Translation
from airis_mon.spec import SpecError, decode
from airis_mon.web.configuration import WebConfigError, load
from airis_mon.web.exposition import accepts_gzip, negotiate
from tests.sidecar.conftest import NOW, event, metric

EXAMPLES = Path(__file__).parents[2] / "examples"
LIMITS = Limits(body_bytes=65_536, items=1000)
SALT = 7
OF_BODY = (BodyError, TooManyItemsError)
RECORDS = (
    b"\x92\x90\x90",
    msgspec.msgpack.encode(
        (
            [
                (("a", "counter", "", (), (("b", "c"),)), 0, (1.0,), 1.0, (((("d", "e"),), 1.0, 1.0),)),
                (("f", "histogram", "", (1.0,), ()), 1, (((1, 2), 3.0),), 1.0, ()),
                (("g", "gauge", "", (), ()), 2, (), 1.0, ()),
            ],
            (),
        )
    ),
)


@dataclass(frozen=True)
class Target:
    """One decoder."""

    decode: Callable[[bytes], object]
    documented: tuple[type[Exception], ...] = ()
    """What it may raise; anything else is a crash."""
    seeds: tuple[bytes, ...] = ()
    """Good input, from which the fuzzer begins."""


def targets() -> dict[str, Target]:
    """Return them by name; each call with state of its own."""
    moment = Translation(lambda: NOW, LIMITS.ahead_seconds).moment
    translation = Translation(lambda: NOW, LIMITS.ahead_seconds)
    otlp = metrics(LIMITS, MetricTranslation(moment), "point").decode
    told = logs(LIMITS, Capture(moment, translation), lambda: NOW, "record")
    samples = SampleTranslation(Aggregates(LIMITS), moment)
    one, two = json.dumps([metric()]).encode(), json.dumps([event()]).encode()
    packed = msgspec.msgpack.encode([metric(), event()])

    def items(media: str) -> Callable[[bytes], object]:
        decodings = [Decoding(kind, 1000) for kind in (Metric, Event, OperationItem)]
        return lambda data: [decoding.decode(data, media) for decoding in decodings]

    def written(decode: Callable[[bytes, int], list[Written]]) -> Callable[[bytes], object]:
        return lambda data: samples.changes(decode(data, 1000))

    return {
        "json": Target(items(JSON), OF_BODY, (one, two, b'[{"value":NaN},{}]')),
        "ndjson": Target(items(NDJSON), OF_BODY, (one[1:-1] + b"\n" + two[1:-1],)),
        "msgpack": Target(items(MSGPACK), OF_BODY, (packed,)),
        "gzip": Target(_body("gzip"), (RequestError,), (gzip.compress(one),)),
        "zstd": Target(_body("zstd"), (RequestError,), (bytes(cramjam.zstd.compress(one)),)),
        "snappy": Target(
            lambda data: SNAPPY["snappy"](data, 65_536),
            (RequestError,),
            (bytes(cramjam.snappy.compress_raw(one)),),
        ),
        "segment": Target(
            lambda data: list(frames(file_header(SALT) + data, SALT)),
            seeds=(b"".join(encode(RECORD, 1, one, Origin("p", 1, 2), SALT)),),
        ),
        "flipped": Target(_flipped, seeds=(b"\x05\x40payload",)),
        "snapshot": Target(_snapshot, seeds=(file_header(SALT),)),
        "record": Target(lambda data: replay(data, 1, Aggregates(LIMITS), NOW), (ValueError,), RECORDS),
        "otlp-protobuf": Target(
            lambda data: otlp(data, PROTOBUF), OF_BODY, (b"\n\0", b"\n\x04\x12\x02\x12\0")
        ),
        "otlp-json": Target(
            lambda data: otlp(data, JSON),
            OF_BODY,
            (
                b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{}]}}]}]}]}',
            ),
        ),
        "remote-write-1": Target(
            written(version_1), OF_BODY, (b"\n\x12\n\x0b\n\x08__name__\x12\x01a\x12\x03\x10\xe8\x07",)
        ),
        "remote-write-2": Target(
            written(version_2), OF_BODY, (b'"\0"\x08__name__"\x01a*\x06\n\x02\x01\x02\x12\0',)
        ),
        "remote-write-queue": Target(
            decoded_2, (MessageError,), (b'"\0"\x08__name__"\x01a*\x08\n\x02\x01\x02\x12\x02\x10\x07',)
        ),
        "logs-json": Target(_logs(JSON), OF_BODY, (b'{"log":"a@example.org","n":[{"b":1.5}]}\n{}',)),
        "logs-msgpack": Target(
            _logs(MSGPACK),
            OF_BODY,
            (msgspec.msgpack.encode([[NOW, {"log": "a"}]]), b"\x92\xcb" + b"\0" * 8 + b"\x80"),
        ),
        "otlp-logs-protobuf": Target(
            lambda data: told.parsed(told.decode(data, PROTOBUF)), OF_BODY, (b"\n\x04\x12\x02\x12\0",)
        ),
        "otlp-logs-json": Target(
            lambda data: told.parsed(told.decode(data, JSON)),
            OF_BODY,
            (b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}}]}]}]}',),
        ),
        "sidecar-config": Target(
            lambda data: configuration(data.decode("utf-8", "replace"), "sidecar.yaml"),
            (SpecError,),
            (b"tail:\n  - {path: /var/log/app/*.json, source: app}\nmasking: {message: mask}\n",),
        ),
        "document": Target(
            lambda data: decode({"a.yaml": data.decode("utf-8", "replace")}),
            seeds=tuple(path.read_bytes() for path in sorted(EXAMPLES.rglob("*.yaml"))),
        ),
        "rules": Target(
            lambda data: adopt("a.yaml", data.decode("utf-8", "replace"), Wanted("a", "b")),
            (SpecError,),
            (
                b"groups: [{name: a, rules: [{alert: A, expr: 'absent(a_total)'}, {record: b, expr: 'a / b',"
                b" labels: {slo: c}}]}]",
            ),
        ),
        "masking": Target(
            _masked, seeds=(b"a@example.org 10.0.0.1 ::1 +49 170 1234567", b"4111 1111 1111 1111")
        ),
        "pattern": Target(
            lambda data: expression(data.decode("utf-8", "replace")), (ValueError,), (b"(?P<a>[a-z]+) .*",)
        ),
        "web-config": Target(_web_config, (WebConfigError,), (b"http_server_config: {http2: false}\n",)),
        "accept": Target(_accept, seeds=(b"application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1",)),
    }


def planted(data: bytes) -> None:
    """Crash at four bytes that stand nowhere among the seeds: the harness has to find them."""
    if data[:1] == b"c" and data[1:2] == b"r" and data[2:4] == b"sh":
        raise KeyError("planted")


PLANTED = Target(planted, seeds=(b"....",))


def _body(coding: str) -> Callable[[bytes], object]:
    app = web.Application()
    app[ADMISSION] = Admission(1 << 30, 1)
    nobody = mock.Mock()  # neither loop nor transport is asked for anything: all of the body is there

    def decode(data: bytes) -> object:
        stream = StreamReader(nobody, 1 << 20, loop=nobody)
        stream.feed_data(data)
        stream.feed_eof()
        request = make_mocked_request("POST", "/", {"Content-Encoding": coding}, payload=stream, app=app)
        try:
            body(request, LIMITS).send(None)
        except StopIteration as done:
            return done.value
        finally:
            app[ADMISSION].release(request)
        raise AssertionError("it waits for what is there")

    return decode


def _flipped(data: bytes) -> None:
    """Three records, one byte of which is changed: at most that record is lost, and nothing is made up."""
    payloads = (data, b"between", data[::-1])
    whole = bytearray(file_header(SALT))
    for number, payload in enumerate(payloads, 1):
        whole += b"".join(encode(RECORD, number, payload, Origin("p", 1, number), SALT))
    place, change = int.from_bytes(data[:2].ljust(2, b"\0")), data[2:3] or b"\1"
    whole[FILE_BYTES + place % (len(whole) - FILE_BYTES)] ^= change[0]
    found = list(frames(bytes(whole), SALT))
    records = [item.record for item in found if isinstance(item, Frame)]
    assert len(records) >= (2 if change[0] else 3)
    assert all(record.payload == payloads[record.sequence - 1] for record in records)
    assert len(records) == 3 or any(isinstance(item, Damage) for item in found)


def _snapshot(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".snapshot") as file:
        path = Path(file.name)
        path.write_bytes(file_header(SALT) + data)
        assert Snapshot(1, SALT, path).read() is None, "there is no whole end"


def _logs(media: str) -> Callable[[bytes], object]:
    return lambda data: [Masking().mapping(one) for _, one in objects(data, media, 1000).items]


def _masked(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    once = Masking().text(text)
    assert Masking().text(once) == once


def _web_config(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        path = Path(file.name)
        path.write_bytes(data)
        load(path)


def _accept(data: bytes) -> None:
    header = data.decode("latin-1")
    assert negotiate(header)
    assert accepts_gzip(header) in (True, False)

"""OTLP's logs: both encodings are one request, and its records are those that the sidecar captures."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.logs.v1 import logs_pb2 as pb

from airis_mon.sidecar.decoding import BodyError, TooManyItemsError
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.logs.capture import Capture
from airis_mon.sidecar.logs.expressions import expression
from airis_mon.sidecar.logs.patterns import Pattern
from airis_mon.sidecar.otlp.logs import from_json, from_protobuf
from airis_mon.sidecar.otlp.records import Received, received
from airis_mon.sidecar.otlp.routes import logs
from airis_mon.sidecar.translation import Translation, Update
from tests.sidecar.conftest import Sidecar
from tests.sidecar.otlp.messages import PROTOBUF, attributes
from tests.sidecar.otlp.test_encodings import ATTRIBUTES, TEXT, UINT64, VALUES, comparable, hexadecimal

SETTINGS = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
RECORDS = st.lists(
    st.builds(
        pb.LogRecord,
        time_unix_nano=UINT64,
        observed_time_unix_nano=UINT64,
        severity_number=st.integers(0, 24),
        severity_text=TEXT,
        body=VALUES,
        attributes=ATTRIBUTES,
        trace_id=st.sampled_from([b"", b"\x0a" * 16]),
        span_id=st.sampled_from([b"", b"\x0b" * 8]),
        event_name=TEXT,
    ),
    max_size=4,
)


@st.composite
def requests(draw: st.DrawFn) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    for _ in range(draw(st.integers(0, 2))):
        of_resource = request.resource_logs.add()
        of_resource.resource.attributes.extend(draw(ATTRIBUTES))
        of_scope = of_resource.scope_logs.add()
        of_scope.scope.name = draw(TEXT)
        of_scope.log_records.extend(draw(RECORDS))
    return request


def as_json(request: ExportLogsServiceRequest) -> bytes:
    whole = json_format.MessageToDict(
        request, use_integers_for_enums=True, always_print_fields_with_no_presence=True
    )
    return msgspec.json.encode(hexadecimal(whole))


def read(request: ExportLogsServiceRequest | dict[str, Any]) -> Received:
    body = msgspec.json.encode(request) if isinstance(request, dict) else as_json(request)
    return received(from_json(body, 100), lambda: 7.0)


@SETTINGS
@given(request=requests())
def test_both_encodings_decode_to_one_model(request: ExportLogsServiceRequest) -> None:
    assert comparable(from_protobuf(request.SerializeToString(), 100)) == comparable(
        from_json(as_json(request), 100)
    )


@SETTINGS
@given(request=requests())
def test_every_record_is_captured_or_refused(request: ExportLogsServiceRequest) -> None:
    found = read(request)
    given_records = [
        record for one in request.resource_logs for scope in one.scope_logs for record in scope.log_records
    ]
    indices = [index for index, _ in found.records] + [one.index for one in found.refusals]
    assert sorted(indices) == list(range(len(given_records)))


def export(*records: dict[str, Any], **resource: str) -> dict[str, Any]:
    given_attributes = attributes(**({"service_name": "shop"} | resource))
    return {
        "resourceLogs": [
            {
                "resource": {"attributes": given_attributes},
                "scopeLogs": [{"scope": {"name": "tests"}, "logRecords": list(records)}],
            }
        ]
    }


def test_a_record_says_when_what_how_bad_and_who() -> None:
    record = {
        "timeUnixNano": "1500000000",
        "severityNumber": 17,
        "body": {"stringValue": "no answer"},
        "attributes": attributes(gen_ai_request_model="llama"),
        "traceId": "ab" * 16,
        "spanId": "cd" * 8,
        "eventName": "gen_ai.failure",
    }
    ((_, found),) = read(export(record, host_name="a", telemetry_sdk_name="x")).records
    assert (found.timestamp, found.body, found.severity) == (1.5, "no answer", "error")
    assert (found.source, found.trace_id) == ("shop", "ab" * 16)
    assert found.attributes == {
        "event.name": "gen_ai.failure",
        "gen.ai.request.model": "llama",
        "host.name": "a",
        "otel.scope.name": "tests",
        "span_id": "cd" * 8,
    }


@pytest.mark.parametrize(
    ("given_record", "severity"),
    [
        ({"severityNumber": 1}, "debug"),
        ({"severityNumber": 8}, "debug"),
        ({"severityNumber": 9}, "info"),
        ({"severityNumber": 13}, "warning"),
        ({"severityNumber": 20}, "error"),
        ({"severityNumber": 24}, "critical"),
        ({"severityNumber": 99, "severityText": "WARN"}, "warning"),
        ({"severityText": "Fatal"}, "critical"),
        ({"severityText": "?"}, "info"),
        ({}, "info"),
    ],
)
def test_severities_are_the_sidecar_s(given_record: dict[str, Any], severity: str) -> None:
    ((_, found),) = read(export(given_record)).records
    assert found.severity == severity


def test_a_record_without_a_time_is_of_now_and_an_observed_one_of_then() -> None:
    found = read(export({}, {"observedTimeUnixNano": "2000000000"}))
    assert [record.timestamp for _, record in found.records] == [7.0, 2.0]


def test_bodies_are_texts_or_objects() -> None:
    values = [
        {"kvlistValue": {"values": [{"key": "tokens", "value": {"intValue": "5"}}]}},
        {"arrayValue": {"values": [{"boolValue": True}]}},
        {"doubleValue": 0.5},
        {},
    ]
    found = read(export(*({"body": value} for value in values)))
    assert [record.body for _, record in found.records] == [{"tokens": 5}, "[true]", "0.5", ""]


def test_too_many_records_and_malformed_ones_are_refused_whole() -> None:
    many = export(*({"severityNumber": 1} for _ in range(101)))
    with pytest.raises(TooManyItemsError, match="more than 100 log records"):
        read(many)
    for body in (b"[]", b'{"resourceLogs":[{}]}', b'{"resourceLogs":' + b"[" * 10_000, b"\xff"):
        with pytest.raises(BodyError):
            from_json(body, 100)
    with pytest.raises(BodyError, match="ExportLogsServiceRequest"):
        from_protobuf(b"\xff", 100)
    with pytest.raises(TooManyItemsError):
        from_protobuf(b"\x0a\x00" * 1000, 100)


def test_patterns_make_counters_and_events_of_records_and_refusals_name_their_place() -> None:
    translation = Translation(lambda: 100.0, 600.0)
    pattern = Pattern(
        "refused",
        regex={"message": expression("refused")},
        counter="refusals",
        labels={"model": "gen.ai.request.model"},
        event="refusal",
    )
    signal = logs(Limits(), Capture(translation.moment, translation, [pattern]), lambda: 7.0, "log")
    too_deep: dict[str, Any] = {"stringValue": "x"}
    for _ in range(40):
        too_deep = {"arrayValue": {"values": [too_deep]}}
    at = {"timeUnixNano": "50000000000"}
    request = export(
        {**at, "body": too_deep},
        {"timeUnixNano": "9000000000000"},
        {
            **at,
            "severityNumber": 17,
            "body": {"stringValue": "refused for a@example.com"},
            "attributes": attributes(gen_ai_request_model="llama"),
        },
        {**at, "body": {"stringValue": "fine"}},
    )
    parsed = signal.parsed(signal.decode(msgspec.json.encode(request), "application/json"))
    assert [refusal.index for refusal in parsed.refusals] == [0, 1]
    assert [index for index, _ in parsed.changes] == [2, 3]
    changes = dict(parsed.changes)[2]
    assert isinstance(changes, list)
    assert {change.family.name for change in changes if isinstance(change, Update)} == {
        "airis_events",
        "airis_log_records",
        "refusals",
    }
    event = parsed.events[2]
    assert (event.event_type, event.severity, event.source) == ("refusal", "error", "shop")
    assert event.message == "refused for [email]"


@pytest.mark.parametrize("media", [PROTOBUF, "application/json"])
@pytest.mark.parametrize("path", ["/v1/logs", "/otlp/v1/logs"])
def test_the_route_says_how_many_records_do_not_count(fresh: Sidecar, media: str, path: str) -> None:
    body = msgspec.json.encode(export({"severityNumber": 9}, {"timeUnixNano": str(2**63)}))
    if media == PROTOBUF:
        body = json_format.Parse(body, ExportLogsServiceRequest()).SerializeToString()
    answer = fresh.post(body, path, media)
    assert answer.status_code == 200
    if media == PROTOBUF:
        partial = ExportLogsServiceResponse.FromString(answer.content).partial_success
        assert (partial.rejected_log_records, "check the sender's clock" in partial.error_message) == (
            1,
            True,
        )
    else:
        assert answer.json()["partialSuccess"]["rejectedLogRecords"] == "1"
    assert fresh.value("airis_log_records_total", source="shop", result="unmatched") == 1
    assert fresh.value("airis_sidecar_items_total", kind="otlp_log_record", result="rejected") == 1


@SETTINGS
@given(request=requests(), at=st.integers(0, 400), junk=st.binary(max_size=4), whole=st.booleans())
def test_whatever_is_sent_is_answered(
    shared: Sidecar, request: ExportLogsServiceRequest, at: int, junk: bytes, whole: bool
) -> None:
    good = request.SerializeToString()
    body = good if whole else good[:at] + junk + good[at + len(junk) :]
    status = shared.post(body, "/otlp/v1/logs", PROTOBUF).status_code
    assert status == 200 if whole else status in (200, 400)

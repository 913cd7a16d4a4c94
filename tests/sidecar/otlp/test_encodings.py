"""Protobuf and JSON are one request: what one decodes to, so does the other."""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec
import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from airis_mon.sidecar.otlp import attributes, protobuf
from airis_mon.sidecar.otlp.metrics import JSON_METRICS
from tests.sidecar.conftest import NOW, Sidecar
from tests.sidecar.otlp.messages import PROTOBUF

SETTINGS = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["x", "x.total", "x_bucket", "le", "source", "gen_ai.client.operation.duration", "up", "x.created"]
)
INT64 = st.integers(-(2**63), 2**63 - 1)
UINT64 = st.integers(0, 2**64 - 1)
TIMES = st.sampled_from([int((NOW - 60) * 1e9), int((NOW - 30) * 1e9)]) | UINT64
COUNTS = st.integers(0, 9) | UINT64
FLOATS = st.floats() | st.floats(0, 1e6)

VALUES = st.recursive(
    st.builds(AnyValue, string_value=TEXT)
    | st.builds(AnyValue, bool_value=st.booleans())
    | st.builds(AnyValue, int_value=INT64)
    | st.builds(AnyValue, double_value=st.floats(allow_nan=False))
    | st.builds(AnyValue, bytes_value=st.binary(max_size=9))
    | st.just(AnyValue()),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda many: AnyValue(array_value=ArrayValue(values=many)))
        | st.lists(st.builds(KeyValue, key=TEXT, value=inner), max_size=3).map(
            lambda many: AnyValue(kvlist_value=KeyValueList(values=many))
        )
    ),
    max_leaves=6,
)
ATTRIBUTES = st.lists(st.builds(KeyValue, key=TEXT, value=VALUES), max_size=3)
EXEMPLARS = st.lists(
    st.builds(
        pb.Exemplar,
        time_unix_nano=TIMES,
        as_double=FLOATS,
        trace_id=st.binary(min_size=16, max_size=16),
        span_id=st.binary(min_size=8, max_size=8),
    ),
    max_size=2,
)
POINT: dict[str, Any] = {
    "time_unix_nano": TIMES,
    "attributes": ATTRIBUTES,
    "exemplars": EXEMPLARS,
    "flags": st.integers(0, 2),
}
NUMBERS = st.lists(
    st.builds(pb.NumberDataPoint, **POINT, as_double=FLOATS)
    | st.builds(pb.NumberDataPoint, **POINT, as_int=INT64)
    | st.builds(pb.NumberDataPoint, **POINT),
    max_size=3,
)


@st.composite
def histograms(draw: st.DrawFn) -> pb.HistogramDataPoint:
    """Points that agree with themselves more often than not."""
    bounds = sorted(draw(st.lists(st.sampled_from([0.1, 0.5, 1.0, 2.5]), max_size=3, unique=True)))
    counts = draw(st.lists(COUNTS, min_size=len(bounds) + 1, max_size=len(bounds) + 1) | st.lists(COUNTS))
    count = draw(st.just(min(sum(counts), 2**64 - 1)) | COUNTS)
    point = draw(st.builds(pb.HistogramDataPoint, **POINT, sum=st.floats(0, 100) | st.floats()))
    point.explicit_bounds.extend(bounds)
    point.bucket_counts.extend(counts)
    point.count = count
    return point


BUCKETS = st.builds(
    pb.ExponentialHistogramDataPoint.Buckets,
    offset=st.integers(-(2**31), 2**31 - 1) | st.integers(-20, 20),
    bucket_counts=st.lists(st.integers(0, 9), max_size=4),
)
EXPONENTIAL = st.builds(
    pb.ExponentialHistogramDataPoint,
    **POINT,
    count=COUNTS,
    sum=st.floats(),
    scale=st.integers(-12, 22),
    zero_count=COUNTS,
    positive=BUCKETS,
    negative=BUCKETS,
    zero_threshold=st.floats(),
)
TEMPORALITY = st.integers(0, 2)
DATA: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(dict, gauge=st.builds(pb.Gauge, data_points=NUMBERS)),
    st.builds(
        dict,
        sum=st.builds(
            pb.Sum, data_points=NUMBERS, aggregation_temporality=TEMPORALITY, is_monotonic=st.booleans()
        ),
    ),
    st.builds(
        dict,
        histogram=st.builds(
            pb.Histogram, data_points=st.lists(histograms(), max_size=2), aggregation_temporality=TEMPORALITY
        ),
    ),
    st.builds(
        dict,
        exponential_histogram=st.builds(
            pb.ExponentialHistogram,
            data_points=st.lists(EXPONENTIAL, max_size=2),
            aggregation_temporality=TEMPORALITY,
        ),
    ),
    st.just({}),
)


@st.composite
def requests(draw: st.DrawFn) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    for _ in range(draw(st.integers(0, 2))):
        of_resource = request.resource_metrics.add()
        of_resource.resource.attributes.extend(draw(ATTRIBUTES))
        of_scope = of_resource.scope_metrics.add()
        of_scope.scope.name = draw(TEXT)
        of_scope.scope.attributes.extend(draw(ATTRIBUTES))
        for _ in range(draw(st.integers(0, 3))):
            data = draw(DATA)
            of_scope.metrics.append(
                pb.Metric(name=draw(TEXT), unit=draw(TEXT), description=draw(TEXT), **data)
            )
    return request


def as_json(request: ExportMetricsServiceRequest) -> bytes:
    """The request in OTLP's JSON, which is protobuf's but for hexadecimal ids and numbered enums."""
    whole = json_format.MessageToDict(
        request, use_integers_for_enums=True, always_print_fields_with_no_presence=True
    )
    return msgspec.json.encode(hexadecimal(whole))


def hexadecimal(value: Any) -> Any:
    if isinstance(value, list):
        return [hexadecimal(one) for one in value]
    if isinstance(value, dict):
        return {
            key: base64.b64decode(one).hex() if key in ("traceId", "spanId") else hexadecimal(one)
            for key, one in value.items()
        }
    return value


def comparable(value: Any) -> str:
    """The model as text: NaN is itself there, and nested values are read."""

    def read(raw: Any) -> Any:
        return msgspec.json.decode(raw) if len(raw) else None

    def built(part: Any) -> Any:
        if isinstance(part, attributes.AnyValue):
            # Missing and empty lists are the same to protobuf.
            return ("value", repr(attributes.plain(part)), bool(read(part.array_value)))
        if isinstance(part, msgspec.Struct):
            return [type(part).__name__, *(built(getattr(part, name)) for name in part.__struct_fields__)]
        if isinstance(part, tuple):
            return [built(one) for one in part]
        return part

    return re.sub(r"-?\bnan\b", "nan", repr(built(value)))


@SETTINGS
@given(request=requests())
def test_both_encodings_decode_to_one_model(request: ExportMetricsServiceRequest) -> None:
    from_bytes = protobuf.metrics(request.SerializeToString(), 1000)
    from_json = JSON_METRICS.decode(as_json(request))
    assert comparable(from_bytes) == comparable(from_json)


@SETTINGS
@given(request=requests(), in_json=st.booleans())
def test_whatever_points_come_each_counts_or_is_refused(
    shared: Sidecar, request: ExportMetricsServiceRequest, in_json: bool
) -> None:
    answer = (
        shared.post(as_json(request), "/otlp/v1/metrics")
        if in_json
        else shared.post(request.SerializeToString(), "/otlp/v1/metrics", PROTOBUF)
    )
    assert answer.status_code == 200, answer.text


@SETTINGS
@given(request=requests(), at=st.integers(0, 400), junk=st.binary(max_size=4))
def test_requests_with_a_hole_are_answered(
    shared: Sidecar, request: ExportMetricsServiceRequest, at: int, junk: bytes
) -> None:
    good = request.SerializeToString()
    body = good[:at] + junk + good[at + len(junk) :]
    assert shared.post(body, "/v1/metrics", PROTOBUF).status_code in (200, 400)


@pytest.fixture(autouse=True, scope="module")
def _readable_in_the_end(shared: Sidecar) -> Any:
    yield
    assert list(text_string_to_metric_families(shared.metrics("application/openmetrics-text")))  # type: ignore[no-untyped-call]

"""OTLP's protobuf messages into the model.

Counted before they are converted: two bytes of body can be a message, and a hundred in memory.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec
from google.protobuf.message import DecodeError
from msgspec import UNSET
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1 import common_pb2 as common
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage

from airis_mon.sidecar.decoding import BodyError, Budget
from airis_mon.sidecar.otlp import metrics as model
from airis_mon.sidecar.otlp.attributes import LONGEST_NESTED, AnyValue, Attributes, KeyValue
from airis_mon.sidecar.otlp.resources import MOST_ATTRIBUTES, Resource, Scope


def metrics(body: bytes, limit: int) -> model.ExportMetrics:
    """Return a request; BodyError for what is none, TooManyItemsError for too many points or metrics."""
    try:
        request = ExportMetricsServiceRequest.FromString(body)
    except DecodeError as error:
        raise BodyError(f"no ExportMetricsServiceRequest: {error}") from None
    containers, points = Budget(2 * limit, "metrics"), Budget(limit, "data points")
    containers.spend(request.resource_metrics)
    found = []
    for of_resource in request.resource_metrics:
        containers.spend(of_resource.scope_metrics)
        scopes = []
        for of_scope in of_resource.scope_metrics:
            containers.spend(of_scope.metrics)
            converted = tuple(_metric(metric, points) for metric in of_scope.metrics)
            scopes.append(model.ScopeMetrics(converted, scope(of_scope.scope)))
        found.append(model.ResourceMetrics(tuple(scopes), resource(of_resource.resource)))
    return model.ExportMetrics(tuple(found))


def resource(message: ResourceMessage) -> Resource:
    """Return a resource."""
    return Resource(attributes(message.attributes))


def scope(message: common.InstrumentationScope) -> Scope:
    """Return a scope."""
    return Scope(message.name, attributes(message.attributes))


def attributes(messages: Iterable[common.KeyValue]) -> Attributes:
    """Return attributes, one more than are taken at most, so that it shows."""
    return tuple(KeyValue(pair.key, value(pair.value)) for pair in islice(messages, MOST_ATTRIBUTES + 1))


def value(message: common.AnyValue) -> AnyValue:
    """Return a value; BodyError for a nested one that is too large."""
    kind = message.WhichOneof("value")
    if kind == "string_value":
        return AnyValue(string_value=message.string_value)
    if kind == "int_value":
        return AnyValue(int_value=message.int_value)
    if kind == "double_value":
        return AnyValue(double_value=message.double_value)
    if kind == "bool_value":
        return AnyValue(bool_value=message.bool_value)
    if kind == "bytes_value":
        return AnyValue(bytes_value=_base64(message.bytes_value))
    if kind in ("array_value", "kvlist_value"):
        if message.ByteSize() > LONGEST_NESTED:
            raise BodyError(f"an attribute's nested value has more than {LONGEST_NESTED} bytes; split it")
        raw = msgspec.Raw(msgspec.json.encode(_nested(message)[_CAMEL[kind]]))
        return AnyValue(array_value=raw) if kind == "array_value" else AnyValue(kvlist_value=raw)
    return AnyValue()


_CAMEL = {
    "array_value": "arrayValue",
    "bool_value": "boolValue",
    "int_value": "intValue",
    "kvlist_value": "kvlistValue",
    "string_value": "stringValue",
}


def _nested(message: common.AnyValue) -> dict[str, Any]:
    """Return a value in OTLP's JSON form, as deep as protobuf lets it be, which is 100 levels."""
    kind = message.WhichOneof("value")
    if kind == "array_value":
        return {"arrayValue": {"values": [_nested(one) for one in message.array_value.values]}}
    if kind == "kvlist_value":
        pairs = [{"key": pair.key, "value": _nested(pair.value)} for pair in message.kvlist_value.values]
        return {"kvlistValue": {"values": pairs}}
    if kind == "double_value":
        number = message.double_value
        # NaN and Infinity are texts in JSON.
        return {"doubleValue": number if math.isfinite(number) else str(number)}
    if kind == "bytes_value":
        return {"bytesValue": _base64(message.bytes_value)}
    return {} if kind is None else {_CAMEL[kind]: getattr(message, kind)}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _metric(metric: pb.Metric, points: Budget) -> model.Metric:
    kind = metric.WhichOneof("data")
    named = (metric.name, metric.description, metric.unit)
    if kind == "gauge":
        points.spend(metric.gauge.data_points)
        return model.Metric(*named, gauge=model.Gauge(tuple(map(_number, metric.gauge.data_points))))
    if kind == "sum":
        of_sum = metric.sum
        points.spend(of_sum.data_points)
        numbers = tuple(map(_number, of_sum.data_points))
        return model.Metric(
            *named, sum=model.Sum(numbers, of_sum.aggregation_temporality, of_sum.is_monotonic)
        )
    if kind == "histogram":
        points.spend(metric.histogram.data_points)
        histograms = tuple(map(_histogram, metric.histogram.data_points))
        return model.Metric(
            *named, histogram=model.Histogram(histograms, metric.histogram.aggregation_temporality)
        )
    if kind == "exponential_histogram":
        exponential = metric.exponential_histogram
        points.spend(exponential.data_points)
        converted = tuple(map(_exponential, exponential.data_points))
        return model.Metric(
            *named,
            exponential_histogram=model.ExponentialHistogram(converted, exponential.aggregation_temporality),
        )
    if kind == "summary":
        points.spend(metric.summary.data_points)
        quantiles = tuple(model.NumberPoint(point.time_unix_nano) for point in metric.summary.data_points)
        return model.Metric(*named, summary=model.Summary(quantiles))
    return model.Metric(*named)


def _number(point: pb.NumberDataPoint) -> model.NumberPoint:
    kind = point.WhichOneof("value")
    return model.NumberPoint(
        time_unix_nano=point.time_unix_nano,
        attributes=attributes(point.attributes),
        exemplars=_exemplars(point.exemplars),
        flags=point.flags,
        as_double=point.as_double if kind == "as_double" else UNSET,
        as_int=point.as_int if kind == "as_int" else UNSET,
    )


def _histogram(point: pb.HistogramDataPoint) -> model.HistogramPoint:
    return model.HistogramPoint(
        time_unix_nano=point.time_unix_nano,
        attributes=attributes(point.attributes),
        exemplars=_exemplars(point.exemplars),
        flags=point.flags,
        count=point.count,
        sum=point.sum if point.HasField("sum") else UNSET,
        bucket_counts=tuple(point.bucket_counts),
        explicit_bounds=tuple(point.explicit_bounds),
    )


def _exponential(point: pb.ExponentialHistogramDataPoint) -> model.ExponentialPoint:
    return model.ExponentialPoint(
        time_unix_nano=point.time_unix_nano,
        attributes=attributes(point.attributes),
        exemplars=_exemplars(point.exemplars),
        flags=point.flags,
        count=point.count,
        sum=point.sum if point.HasField("sum") else UNSET,
        scale=point.scale,
        zero_count=point.zero_count,
        zero_threshold=point.zero_threshold,
        positive=_buckets(point.positive),
        negative=_buckets(point.negative),
    )


def _buckets(message: pb.ExponentialHistogramDataPoint.Buckets) -> model.Buckets:
    return model.Buckets(message.offset, tuple(message.bucket_counts))


def _exemplars(messages: Iterable[pb.Exemplar]) -> tuple[model.Exemplar, ...]:
    return tuple(
        model.Exemplar(
            time_unix_nano=message.time_unix_nano,
            as_double=message.as_double if message.WhichOneof("value") == "as_double" else UNSET,
            as_int=message.as_int if message.WhichOneof("value") == "as_int" else UNSET,
            trace_id=message.trace_id.hex(),
            span_id=message.span_id.hex(),
        )
        for message in islice(messages, model.MOST_EXEMPLARS)
    )

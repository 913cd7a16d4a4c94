"""OTLP's requests, written as its JSON form."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.sidecar.conftest import NOW

AT = str(int((NOW - 60) * 1e9))
"""A minute before the sidecar's time."""
PROTOBUF = "application/x-protobuf"


def attributes(**values: Any) -> list[dict[str, Any]]:
    """Texts, by names with `_` for `.`."""
    return [{"key": key.replace("_", "."), "value": {"stringValue": text}} for key, text in values.items()]


def number(value: float | str, at: str = AT, **attrs: Any) -> dict[str, Any]:
    return {"timeUnixNano": at, "asDouble": value, "attributes": attributes(**attrs)}


def histogram(bounds: list[float], counts: list[int], total: float, at: str = AT) -> dict[str, Any]:
    return {
        "timeUnixNano": at,
        "count": str(sum(counts)),
        "sum": total,
        "explicitBounds": bounds,
        "bucketCounts": [str(count) for count in counts],
    }


def gauge(name: str, *points: dict[str, Any], unit: str = "") -> dict[str, Any]:
    return {"name": name, "unit": unit, "gauge": {"dataPoints": list(points)}}


def counter(name: str, *points: dict[str, Any], unit: str = "", delta: bool = False) -> dict[str, Any]:
    data = {"dataPoints": list(points), "aggregationTemporality": 1 if delta else 2, "isMonotonic": True}
    return {"name": name, "unit": unit, "sum": data}


def distribution(name: str, *points: dict[str, Any], delta: bool = False) -> dict[str, Any]:
    data = {"dataPoints": list(points), "aggregationTemporality": 1 if delta else 2}
    return {"name": name, "unit": "s", "histogram": data}


def exponential(name: str, *points: dict[str, Any], delta: bool = False) -> dict[str, Any]:
    data = {"dataPoints": list(points), "aggregationTemporality": 1 if delta else 2}
    return {"name": name, "unit": "s", "exponentialHistogram": data}


def export(*metrics: dict[str, Any], scope: str = "", **resource: Any) -> dict[str, Any]:
    given = attributes(**({"service_name": "shop"} | resource))
    scoped = {"scope": {"name": scope}, "metrics": list(metrics)}
    return {"resourceMetrics": [{"resource": {"attributes": given}, "scopeMetrics": [scoped]}]}


def packed(request: dict[str, Any]) -> bytes:
    """The same request as protobuf; ids of traces are base64 there and hexadecimal in OTLP's JSON."""
    message = json_format.Parse(json.dumps(request), ExportMetricsServiceRequest())
    return message.SerializeToString()

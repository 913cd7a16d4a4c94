"""OTLP's answers, in the encoding of the request."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from aiohttp import web
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)

from airis_mon.sidecar.decoding import JSON
from airis_mon.sidecar.intake import Refusal

PROTOBUF = "application/x-protobuf"
LISTED = 10
"""Reasons that an answer spells out."""

# google.rpc.Code by status, as far as it says more than the status itself.
_CODES = {400: 3, 408: 4, 413: 8, 415: 3, 429: 8, 503: 14}


def taken(rejected: int, message: str, counted: str, media: str) -> web.Response:
    """Answer 200: all of it counts, but for `rejected`; `counted` is what the JSON form calls them."""
    if media == JSON:
        partial = {"partialSuccess": {counted: str(rejected), "errorMessage": message}} if rejected else {}
        return web.Response(body=msgspec.json.encode(partial), content_type=JSON)
    # Responses for metrics and for logs differ in names alone, which the bytes do not hold.
    response = ExportMetricsServiceResponse()
    if rejected:
        response.partial_success.rejected_data_points = rejected
        response.partial_success.error_message = message
    return web.Response(body=response.SerializeToString(), content_type=PROTOBUF)


def refused(status: int, message: str, media: str, headers: dict[str, str] | None = None) -> web.Response:
    """Answer that nothing counts, by a google.rpc.Status."""
    printable = message.encode("utf-8", "backslashreplace").decode()
    code = _CODES[status]
    if media == PROTOBUF:
        # A Status is a number and a text in the same places as in this message.
        body = ExportMetricsPartialSuccess(
            rejected_data_points=code, error_message=printable
        ).SerializeToString()
        return web.Response(status=status, body=body, content_type=PROTOBUF, headers=headers)
    content = msgspec.json.encode({"code": code, "message": printable})
    return web.Response(status=status, body=content, content_type=JSON, headers=headers)


def said(refusals: Sequence[Refusal]) -> str:
    """Return what is wrong with the first items, each reason once."""
    texts = dict.fromkeys(f"{refusal.error.field}: {refusal.error.message}" for refusal in refusals)
    listed = list(texts)[:LISTED]
    more = f"; and {len(texts) - LISTED} reasons more" if len(texts) > LISTED else ""
    return "; ".join(listed) + more

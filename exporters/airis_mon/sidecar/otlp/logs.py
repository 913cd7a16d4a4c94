"""The model of OTLP's logs, and its decoding from both encodings; field names are the protocol's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1 import logs_pb2 as pb

from airis_mon.sidecar.decoding import BodyError, Budget
from airis_mon.sidecar.otlp import protobuf
from airis_mon.sidecar.otlp.attributes import AnyValue, Attributes
from airis_mon.sidecar.otlp.resources import Resource, Scope

REQUEST = "ExportLogsServiceRequest"


class Record(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of a log."""

    time_unix_nano: int = 0
    """0 where it is not known."""
    observed_time_unix_nano: int = 0
    severity_number: int = 0
    severity_text: str = ""
    body: AnyValue = AnyValue()
    attributes: Attributes = ()
    trace_id: str = ""
    """Hexadecimal, unlike other bytes of protobuf in JSON."""
    span_id: str = ""
    event_name: str = ""


class ScopeLogs(msgspec.Struct, frozen=True, rename="camel"):
    """The records of one instrumentation."""

    log_records: tuple[Record, ...]
    scope: Scope = Scope()


class ResourceLogs(msgspec.Struct, frozen=True, rename="camel"):
    """The records of one process."""

    scope_logs: tuple[ScopeLogs, ...]
    resource: Resource = Resource()


class ExportLogs(msgspec.Struct, frozen=True, rename="camel"):
    """A request's body."""

    resource_logs: tuple[ResourceLogs, ...] = ()

    def groups(self) -> Iterator[tuple[Resource, Scope, tuple[Record, ...]]]:
        """Yield records together with whom they are of."""
        for of_resource in self.resource_logs:
            for of_scope in of_resource.scope_logs:
                yield of_resource.resource, of_scope.scope, of_scope.log_records


_JSON = msgspec.json.Decoder(ExportLogs, strict=False)


def from_json(body: bytes, limit: int) -> ExportLogs:
    """Return a request; BodyError for what is none, TooManyItemsError for too many records."""
    try:
        request = _JSON.decode(body)
    except RecursionError:
        raise BodyError("JSON is nested too deep") from None
    except ValueError as error:
        raise BodyError(f"no {REQUEST}: {error}") from None
    budget = Budget(limit, "log records")
    for of_resource in request.resource_logs:
        for of_scope in of_resource.scope_logs:
            budget.spend(of_scope.log_records)
    return request


def from_protobuf(body: bytes, limit: int) -> ExportLogs:
    """Return a request; BodyError for what is none, TooManyItemsError for too many records or scopes."""
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError as error:
        raise BodyError(f"no {REQUEST}: {error}") from None
    containers, records = Budget(2 * limit, "scopes"), Budget(limit, "log records")
    containers.spend(request.resource_logs)
    found = []
    for of_resource in request.resource_logs:
        containers.spend(of_resource.scope_logs)
        scopes = []
        for of_scope in of_resource.scope_logs:
            records.spend(of_scope.log_records)
            converted = tuple(map(_record, of_scope.log_records))
            scopes.append(ScopeLogs(converted, protobuf.scope(of_scope.scope)))
        found.append(ResourceLogs(tuple(scopes), protobuf.resource(of_resource.resource)))
    return ExportLogs(tuple(found))


def _record(message: pb.LogRecord) -> Record:
    given: dict[str, Any] = {
        "time_unix_nano": message.time_unix_nano,
        "observed_time_unix_nano": message.observed_time_unix_nano,
        "severity_number": message.severity_number,
        "severity_text": message.severity_text,
        "trace_id": message.trace_id.hex(),
        "span_id": message.span_id.hex(),
        "event_name": message.event_name,
    }
    return Record(
        **given, body=protobuf.value(message.body), attributes=protobuf.attributes(message.attributes)
    )

"""Records of OTLP's logs into those that the sidecar captures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from airis_mon.sidecar.intake import Refusal
from airis_mon.sidecar.items import ItemError
from airis_mon.sidecar.logs.record import LogRecord
from airis_mon.sidecar.otlp.attributes import Attributes, plain
from airis_mon.sidecar.otlp.logs import ExportLogs, Record
from airis_mon.sidecar.otlp.resources import UNNAMED, Resource, Scope, check_number

SERVICE = "service.name"
EVENT_NAME = "event.name"
SCOPE_NAME = "otel.scope.name"
SPAN_ID = "span_id"

_SEVERITIES = ("debug", "debug", "info", "warning", "error", "critical")
"""By fours of OpenTelemetry's numbers: TRACE, DEBUG, INFO, WARN, ERROR, FATAL."""
_TEXTS = {
    "trace": "debug",
    "debug": "debug",
    "info": "info",
    "notice": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
    "err": "error",
    "fatal": "critical",
    "critical": "critical",
}


@dataclass
class Received:
    """The records of a request, by their place in it."""

    records: list[tuple[int, LogRecord]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def received(request: ExportLogs, now: Callable[[], float]) -> Received:
    """Return the records of a request, and what is wrong with those that are none."""
    found = Received()
    index = 0
    for resource, scope, records in request.groups():
        # Once for all of its records: a resource may be large, and so may be their number.
        sender = _sender(resource, scope)
        for record in records:
            try:
                if isinstance(sender, ItemError):
                    raise sender
                found.records.append((index, _record(*sender, record, now)))
            except ItemError as error:
                found.refusals.append(Refusal(index, error))
            index += 1
    return found


def _sender(resource: Resource, scope: Scope) -> tuple[str, dict[str, Any]] | ItemError:
    """Return the source, and attributes of all its records; the error where they cannot be had."""
    try:
        given = _plain(resource.attributes, "resource.attributes")
    except ItemError as error:
        return error
    source = str(given.pop(SERVICE, "") or UNNAMED)
    common = {SCOPE_NAME: scope.name} if scope.name else {}
    return source, common | {key: one for key, one in given.items() if not key.startswith("telemetry.")}


def _record(source: str, common: dict[str, Any], record: Record, now: Callable[[], float]) -> LogRecord:
    own = {EVENT_NAME: record.event_name, SPAN_ID: record.span_id}
    attributes = {name: value for name, value in own.items() if value}
    attributes |= common | _plain(record.attributes, "attributes")
    nanoseconds = record.time_unix_nano or record.observed_time_unix_nano
    return LogRecord(
        timestamp=nanoseconds / 1e9 if nanoseconds else now(),
        body=_body(plain(record.body)),
        severity=_severity(record),
        source=source,
        attributes=attributes,
        trace_id=record.trace_id,
    )


def _plain(attributes: Attributes, field: str) -> dict[str, Any]:
    check_number(attributes, field)
    return {pair.key: plain(pair.value) for pair in attributes}


def _body(value: Any) -> str | Mapping[str, Any]:
    if isinstance(value, str | dict):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def _severity(record: Record) -> str:
    number = record.severity_number
    if 1 <= number <= 24:
        return _SEVERITIES[(number - 1) // 4]
    return _TEXTS.get(record.severity_text.lower(), "info")

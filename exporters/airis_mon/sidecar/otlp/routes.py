"""OTLP over HTTP: one route for each signal, and the paths that it shares with the sidecar's own items."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import msgspec
from aiohttp import web

from airis_mon.journal import JournalError
from airis_mon.sidecar.answers import not_kept
from airis_mon.sidecar.bodies import RequestError, body
from airis_mon.sidecar.decoding import JSON, BodyError, Budget, TooManyItemsError
from airis_mon.sidecar.intake import Intake, Refusal
from airis_mon.sidecar.items import Event
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.logs.capture import Capture
from airis_mon.sidecar.otlp import protobuf
from airis_mon.sidecar.otlp.answers import PROTOBUF, refused, said, taken
from airis_mon.sidecar.otlp.logs import from_json, from_protobuf
from airis_mon.sidecar.otlp.metrics import JSON_METRICS, ExportMetrics
from airis_mon.sidecar.otlp.records import Received, received
from airis_mon.sidecar.otlp.translation import MetricTranslation, Translated
from airis_mon.sidecar.senders import origin
from airis_mon.sidecar.translation import Change

T = TypeVar("T")

LARGE = 65_536
"""Bytes of a body from which on a thread decodes it; below, the thread costs more than it frees."""


MOST_OBJECTS = 400_000
"""Of a body in JSON, braces in texts among them: three bytes of body are one, and 130 in memory. An honest
point takes three for itself and an attribute."""


@dataclass(frozen=True)
class Parsed:
    """What a body comes to; indices count its points or records."""

    changes: Sequence[tuple[int, Change | list[Change]]]
    refusals: Sequence[Refusal] = ()
    events: Mapping[int, Event] = field(default_factory=dict)


@dataclass(frozen=True)
class Signal(Generic[T]):
    """Metrics, or logs."""

    kind: str
    """What the sidecar counts its items as."""
    key: str
    """The field that a JSON body begins with, and no item of the sidecar's own has."""
    counted: str
    """What the answer calls refused items in JSON."""
    decode: Callable[[bytes, str], T]
    """Takes a body and its media type; BodyError or TooManyItemsError. Runs in a thread."""
    parsed: Callable[[T], Parsed]
    """What that comes to; runs where the series are, in the event loop."""


def metrics(limits: Limits, translation: MetricTranslation, kind: str) -> Signal[Translated]:
    """Return the signal of metrics."""

    def decode(given: bytes, media: str) -> Translated:
        if media == PROTOBUF:
            request = protobuf.metrics(given, limits.items)
        else:
            request = _json(given)
            points = Budget(limits.items, "data points")
            for _, _, of_scope in request.groups():
                for metric in of_scope:
                    if metric.data is not None:
                        points.spend(metric.data.data_points)
        return translation.changes(request)

    def parsed(found: Translated) -> Parsed:
        return Parsed(found.changes, found.refusals)

    return Signal(kind, "resourceMetrics", "rejectedDataPoints", decode, parsed)


def logs(limits: Limits, capture: Capture, now: Callable[[], float], kind: str) -> Signal[Received]:
    """Return the signal of logs; `capture` makes of records what its patterns say."""

    def decode(given: bytes, media: str) -> Received:
        read = from_protobuf if media == PROTOBUF else from_json
        return received(read(given, limits.items), now)

    def parsed(found: Received) -> Parsed:
        captured = capture.changes(found.records)
        return Parsed(captured.changes, [*found.refusals, *captured.refusals], captured.events)

    return Signal(kind, "resourceLogs", "rejectedLogRecords", decode, parsed)


def _json(given: bytes) -> ExportMetrics:
    try:
        return JSON_METRICS.decode(given)
    except RecursionError:
        raise BodyError("JSON is nested too deep") from None
    except ValueError as error:
        raise BodyError(f"no ExportMetricsServiceRequest: {error}") from None


class Export(Generic[T]):
    """The route of one signal, as the handler of its POST."""

    def __init__(self, signal: Signal[T], intake: Intake, limits: Limits) -> None:
        self._signal = signal
        self._intake = intake
        self._limits = limits
        self._turn = asyncio.Semaphore(1)
        self._mark = msgspec.json.encode(signal.key)
        self._envelope = msgspec.json.Decoder(
            msgspec.defstruct("Envelope", [("field", msgspec.Raw)], rename={"field": signal.key})
        )

    async def post(self, request: web.Request) -> web.Response:
        """Take an export request in; the answer is OTLP's, whatever happens."""
        media = request.content_type
        if media not in (PROTOBUF, JSON):
            return refused(415, f"Content-Type is {PROTOBUF} or {JSON}", JSON)
        try:
            given = await body(request, _bounds(self._limits, media))
        except RequestError as error:
            response = refused(error.status, str(error), media)
            if error.status == 408:
                response.force_close()
            return response
        return await self.take(request, given)

    async def take(self, request: web.Request, given: bytes) -> web.Response:
        """Take a body in that was read already."""
        media = request.content_type
        try:
            sender = origin(request)
            parsed = self._signal.parsed(await self._decoded(given, media))
            outcome = await self._intake.take(
                self._signal.kind, parsed.changes, parsed.events, parsed.refusals, sender
            )
        except RequestError as error:
            return refused(error.status, str(error), media)
        except BodyError as error:
            return refused(400, str(error), media)
        except TooManyItemsError as error:
            return refused(413, str(error), media)
        except JournalError as error:
            status, message, headers = not_kept(error)
            return refused(status, message, media, headers)
        return taken(len(outcome.refusals), said(outcome.refusals), self._signal.counted, media)

    async def _decoded(self, given: bytes, media: str) -> T:
        """Return what a body holds; a large one is taken apart beside the event loop, one after the other.

        A collector's batch takes a fifth of a second, which nobody else should have to wait for.
        """
        if media == JSON and given.count(b"{") > MOST_OBJECTS:
            raise TooManyItemsError(f"more than {MOST_OBJECTS} objects in one body; send smaller batches")
        if len(given) <= LARGE:
            return self._signal.decode(given, media)
        async with self._turn:
            return await asyncio.to_thread(self._signal.decode, given, media)

    def reads(self, request: web.Request) -> bool:
        """Say whether the media type alone tells that a request is for this route."""
        return request.content_type == PROTOBUF

    def claims(self, given: bytes) -> bool:
        """Say whether JSON is an object with the signal's field at its top, which own items never have."""
        if self._mark not in given:
            return False
        try:
            self._envelope.decode(given)
        except (ValueError, RecursionError):
            return False
        return True


def _bounds(limits: Limits, media: str) -> Limits:
    if media != PROTOBUF:
        return limits
    return replace(limits, body_bytes=min(limits.body_bytes, limits.message_bytes))

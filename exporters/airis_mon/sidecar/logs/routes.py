"""`POST /v1/logs`: records as collectors send them; OTLP's logs come by the same path."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from airis_mon.sidecar.answers import answered, outcome, refused
from airis_mon.sidecar.bodies import body
from airis_mon.sidecar.decoding import JSON, MSGPACK, NDJSON
from airis_mon.sidecar.intake import Intake, Outcome, Refusal
from airis_mon.sidecar.items import ItemError
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.logs.bodies import objects
from airis_mon.sidecar.logs.capture import Capture
from airis_mon.sidecar.logs.record import LogRecord
from airis_mon.sidecar.logs.structured import Keys
from airis_mon.sidecar.observation import LOG_RECORD
from airis_mon.sidecar.routes import Guest
from airis_mon.sidecar.senders import origin

_MEDIA = (JSON, NDJSON, MSGPACK)


class LogRoute:
    """The handler: JSON objects in an array, in lines or one after the other, or msgpack.

    `guest` is another protocol on the path (OTLP), told by its media type or its first field.
    """

    def __init__(
        self,
        capture: Capture,
        intake: Intake,
        limits: Limits,
        now: Callable[[], float],
        *,
        durable: bool,
        guest: Guest | None = None,
    ) -> None:
        self._capture = capture
        self._intake = intake
        self._limits = limits
        self._now = now
        self._guest = guest
        self._success = 200 if durable else 202
        self._keys = Keys()

    async def post(self, request: web.Request) -> web.Response:
        """Take a body in: 200 where all of it counts, 400 where some does not."""
        if self._guest is not None and self._guest.reads(request):
            return await self._guest.post(request)
        if request.content_type not in _MEDIA:
            return refused(
                415, f"Content-Type `{request.content_type}` is not understood; send {', '.join(_MEDIA)}"
            )
        return await answered(self._taken(request))

    async def _taken(self, request: web.Request) -> web.Response:
        given = await body(request, self._limits)
        if self._guest is not None and self._guest.claims(given) and request.content_type == JSON:
            return await self._guest.take(request, given)
        return outcome(await self._take(request, given), self._success, self._limits.errors)

    async def _take(self, request: web.Request, given: bytes) -> Outcome:
        sender = origin(request)
        found = objects(given, request.content_type, self._limits.items)
        refusals = found.refusals
        records: list[tuple[int, LogRecord]] = []
        for index, item in found.items:
            try:
                records.append((index, self._keys.record(item, "", self._now())))
            except ItemError as error:
                refusals.append(Refusal(index, error))
        captured = self._capture.changes(records)
        return await self._intake.take(
            LOG_RECORD, captured.changes, captured.events, [*refusals, *captured.refusals], sender
        )

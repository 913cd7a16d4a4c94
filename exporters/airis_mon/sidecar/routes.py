"""`POST /v1/metrics`, `/v1/operations` and `/v1/events`: the HTTP that carries items, and its answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from aiohttp import hdrs, web

from airis_mon.journal import Origin
from airis_mon.sidecar.answers import answered, outcome, refused
from airis_mon.sidecar.bodies import body
from airis_mon.sidecar.decoding import JSON, MSGPACK, NDJSON, Decoding
from airis_mon.sidecar.intake import Intake, Outcome, Refusal
from airis_mon.sidecar.items import Event, ItemError
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.senders import origin
from airis_mon.sidecar.translation import Change

T = TypeVar("T")
_PLAIN = (JSON, NDJSON, MSGPACK)
"""As nearly everybody writes them; the rest is taken apart."""


class Guest(Protocol):
    """Another protocol on the same path, such as OTLP on /v1/metrics."""

    def reads(self, request: web.Request) -> bool:
        """Say whether the media type alone tells that a request is the guest's."""

    async def post(self, request: web.Request) -> web.Response:
        """Take such a request in."""

    def claims(self, given: bytes) -> bool:
        """Say whether a JSON body is the guest's."""

    async def take(self, request: web.Request, given: bytes) -> web.Response:
        """Take such a body in."""


class Route(Generic[T]):
    """One route, as the handler of its POST."""

    def __init__(
        self,
        kind: str,
        decoding: Decoding[T],
        change: Callable[[T], tuple[Change | list[Change], Event | None]],
        intake: Intake,
        limits: Limits,
        *,
        durable: bool,
        guest: Guest | None = None,
    ) -> None:
        self._kind = kind
        self._decoding = decoding
        self._change = change
        self._intake = intake
        self._limits = limits
        self._guest = guest
        # 202 is "accepted", which is all that can be said where a crash may still lose it.
        self._success = 200 if durable else 202

    async def post(self, request: web.Request) -> web.Response:
        """Take a body in: 200 where all of it counts, 400 where some does not, told by index and field."""
        refusal = _unsupported(request)
        if refusal is not None:
            if self._guest is not None and self._guest.reads(request):
                return await self._guest.post(request)
            return refused(415, refusal)
        return await answered(self._taken(request))

    async def _taken(self, request: web.Request) -> web.Response:
        given = await body(request, self._limits)
        if self._guest is not None and self._guest.claims(given) and request.content_type == JSON:
            return await self._guest.take(request, given)
        found = await self._take(given, request.content_type, origin(request))
        return outcome(found, self._success, self._limits.errors)

    async def _take(self, given: bytes, media: str, sender: Origin | None) -> Outcome:
        decoded = self._decoding.decode(given, media)
        refusals = [Refusal(index, error) for index, error in decoded.errors]
        changes: list[tuple[int, Change | list[Change]]] = []
        events: dict[int, Event] = {}
        for index, item in decoded.items:
            try:
                change, event = self._change(item)
            except ItemError as error:
                refusals.append(Refusal(index, error))
                continue
            changes.append((index, change))
            if event is not None:
                events[index] = event
        return await self._intake.take(self._kind, changes, events, refusals, sender)


def _unsupported(request: web.Request) -> str | None:
    if request.headers.get(hdrs.CONTENT_TYPE) in _PLAIN:
        return None
    if request.content_type not in (JSON, NDJSON, MSGPACK):
        given = request.headers.get(hdrs.CONTENT_TYPE)
        said = f"Content-Type `{given}` is not understood" if given else "there is no Content-Type"
        return f"{said}; send {JSON} (one object or an array), {NDJSON} (one object a line) or {MSGPACK}"
    try:
        charset = request.charset
    except ValueError:
        charset = "?"
    if charset is not None and charset.lower() not in ("utf-8", "utf8"):
        return f"charset `{charset}` is not understood; JSON is UTF-8"
    return None

"""`POST /v1/metrics` and `POST /v1/events`: the HTTP that carries items, and its answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec
from aiohttp import hdrs, web

from airis_mon.journal import JournalBusyError, JournalError, Origin
from airis_mon.sidecar.bodies import RequestError, body
from airis_mon.sidecar.decoding import JSON, MSGPACK, NDJSON, BodyError, Decoding, TooManyItemsError
from airis_mon.sidecar.intake import Intake, Outcome, Refusal
from airis_mon.sidecar.items import Event, ItemError
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.senders import origin
from airis_mon.sidecar.translation import Change

_LOG = logging.getLogger(__name__)


T = TypeVar("T")


class Route(Generic[T]):
    """One route, as the handler of its POST."""

    def __init__(
        self,
        kind: str,
        decoding: Decoding[T],
        change: Callable[[T], tuple[Change, Event | None]],
        intake: Intake,
        limits: Limits,
        *,
        durable: bool,
    ) -> None:
        self._kind = kind
        self._decoding = decoding
        self._change = change
        self._intake = intake
        self._limits = limits
        # 202 is "accepted", which is all that can be said where a crash may still lose it.
        self._success = 200 if durable else 202

    async def post(self, request: web.Request) -> web.Response:
        """Take a body in: 200 where all of it counts, 400 where some does not, told by index and field."""
        refusal = _unsupported(request)
        if refusal is not None:
            return _refused(415, refusal)
        try:
            sender = origin(request)
            outcome = await self._take(await body(request, self._limits), request.content_type, sender)
        except RequestError as error:
            answer = _refused(error.status, str(error))
            if error.status == 408:
                answer.force_close()
            return answer
        except BodyError as error:
            return _refused(400, str(error))
        except TooManyItemsError as error:
            return _refused(413, str(error))
        except JournalError as error:
            busy = isinstance(error, JournalBusyError)
            if not busy:
                _LOG.error("batch not kept", extra={"reason": str(error)})
            return _refused(
                429 if busy else 503,
                f"not kept, send it again: {error}",
                {hdrs.RETRY_AFTER: str(error.retry_after)},
            )
        return self._answer(outcome)

    async def _take(self, given: bytes, media: str, sender: Origin | None) -> Outcome:
        decoded = self._decoding.decode(given, media)
        refusals = [Refusal(index, error) for index, error in decoded.errors]
        changes: list[tuple[int, Change]] = []
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

    def _answer(self, outcome: Outcome) -> web.Response:
        answer: dict[str, object] = {"accepted": outcome.accepted, "rejected": len(outcome.refusals)}
        if outcome.duplicate:
            answer["duplicate"] = True
        if not outcome.refusals:
            return _json(self._success, answer)
        answer["errors"] = [
            {"index": refusal.index, "field": refusal.error.field, "message": refusal.error.message}
            for refusal in outcome.refusals[: self._limits.errors]
        ]
        if len(outcome.refusals) > self._limits.errors:
            answer["errors_not_listed"] = len(outcome.refusals) - self._limits.errors
        return _json(400, answer)


def _unsupported(request: web.Request) -> str | None:
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


def _refused(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """Answer that nothing of the body counts."""
    # Headers may hold bytes that are no UTF-8.
    printable = message.encode("utf-8", "backslashreplace").decode()
    error = {"index": None, "field": "", "message": printable}
    return _json(status, {"accepted": 0, "rejected": 0, "errors": [error]}, headers)


def _json(status: int, answer: object, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(answer), content_type=JSON, headers=headers)

"""`POST /v1/metrics` and `POST /v1/events`: the HTTP that carries items, and its answers."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec
from aiohttp import hdrs, web

from airis_mon.sidecar.decoding import JSON, NDJSON, BodyError, TooManyItemsError
from airis_mon.sidecar.intake import Intake, Outcome
from airis_mon.sidecar.journal import JournalError
from airis_mon.sidecar.limits import Limits

_LOG = logging.getLogger(__name__)


class Route:
    """One route, as the handler of its POST."""

    def __init__(self, intake: Intake[Any], limits: Limits, *, durable: bool) -> None:
        self._intake = intake
        self._errors = limits.errors
        self._body_seconds = limits.body_seconds
        # 202 is "accepted", which is all that can be said where a crash may still lose it.
        self._success = 200 if durable else 202

    async def post(self, request: web.Request) -> web.Response:
        """Take a body in: 202 where all of it counts, 400 where some does not, told by index and field."""
        refusal = _unsupported(request)
        if refusal is not None:
            return _refused(415, refusal)
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await request.read()
        except TimeoutError:
            answer = _refused(408, f"the body did not arrive within {self._body_seconds:g} s")
            answer.force_close()
            return answer
        try:
            outcome = await self._intake.take(body, request.content_type)
        except BodyError as error:
            return _refused(400, str(error))
        except TooManyItemsError as error:
            return _refused(413, str(error))
        except JournalError as error:
            _LOG.error("batch not kept", extra={"reason": str(error)})
            return _refused(503, f"not kept, send it again: {error}", {hdrs.RETRY_AFTER: "1"})
        return self._answer(outcome)

    def _answer(self, outcome: Outcome) -> web.Response:
        answer: dict[str, object] = {"accepted": outcome.accepted, "rejected": len(outcome.refusals)}
        if not outcome.refusals:
            return _json(self._success, answer)
        answer["errors"] = [
            {"index": refusal.index, "field": refusal.error.field, "message": refusal.error.message}
            for refusal in outcome.refusals[: self._errors]
        ]
        if len(outcome.refusals) > self._errors:
            answer["errors_not_listed"] = len(outcome.refusals) - self._errors
        return _json(400, answer)


def _unsupported(request: web.Request) -> str | None:
    if request.content_type not in (JSON, NDJSON):
        given = request.headers.get(hdrs.CONTENT_TYPE)
        said = f"Content-Type `{given}` is not understood" if given else "there is no Content-Type"
        return f"{said}; send {JSON} (one object or an array) or {NDJSON} (one object a line)"
    try:
        charset = request.charset
    except ValueError:
        charset = "?"
    if charset is not None and charset.lower() not in ("utf-8", "utf8"):
        return f"charset `{charset}` is not understood; JSON is UTF-8"
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()
    if encoding != "identity":
        return f"Content-Encoding `{encoding}` is not understood; send the body as it is"
    return None


def _refused(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """Answer that nothing of the body counts."""
    # Headers may hold bytes that are no UTF-8.
    printable = message.encode("utf-8", "backslashreplace").decode()
    error = {"index": None, "field": "", "message": printable}
    return _json(status, {"accepted": 0, "rejected": 0, "errors": [error]}, headers)


def _json(status: int, answer: object, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(answer), content_type=JSON, headers=headers)

"""Answers of the JSON routes: what counts, what does not, and what to do about it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable

import msgspec
from aiohttp import hdrs, web

from airis_mon.journal import JournalBusyError, JournalError
from airis_mon.sidecar.bodies import RequestError
from airis_mon.sidecar.decoding import JSON, BodyError, TooManyItemsError
from airis_mon.sidecar.intake import Outcome

_LOG = logging.getLogger(__name__)
_JSON: dict[str, str] = {hdrs.CONTENT_TYPE: JSON}


def refused(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """Answer that nothing of the body counts."""
    # Headers may hold bytes that are no UTF-8.
    printable = message.encode("utf-8", "backslashreplace").decode()
    error = {"index": None, "field": "", "message": printable}
    return answer(status, {"accepted": 0, "rejected": 0, "errors": [error]}, headers)


def not_kept(error: JournalError) -> tuple[int, str, dict[str, str]]:
    """Return status, reason and headers for a batch that the journal did not take; it may be sent again."""
    busy = isinstance(error, JournalBusyError)
    if not busy:
        _LOG.error("batch not kept", extra={"reason": str(error)})
    headers = {str(hdrs.RETRY_AFTER): str(error.retry_after)}
    return 429 if busy else 503, f"not kept, send it again: {error}", headers


def outcome(found: Outcome, success: int, listed: int) -> web.Response:
    """Answer what became of a batch: `success` where all of it counts, 400 with at most `listed` errors."""
    content: dict[str, object] = {"accepted": found.accepted, "rejected": len(found.refusals)}
    if found.duplicate:
        content["duplicate"] = True
    if not found.refusals:
        return answer(success, content)
    content["errors"] = [
        {"index": refusal.index, "field": refusal.error.field, "message": refusal.error.message}
        for refusal in found.refusals[:listed]
    ]
    if len(found.refusals) > listed:
        content["errors_not_listed"] = len(found.refusals) - listed
    return answer(400, content)


async def answered(work: Awaitable[web.Response]) -> web.Response:
    """Return the answer of what takes a body in, or that which says why nothing of the body counts."""
    try:
        return await work
    except RequestError as error:
        response = refused(error.status, str(error))
        if error.status == 408:
            response.force_close()
        return response
    except BodyError as error:
        return refused(400, str(error))
    except TooManyItemsError as error:
        return refused(413, str(error))
    except JournalError as error:
        return refused(*not_kept(error))


def answer(status: int, content: object, headers: dict[str, str] | None = None) -> web.Response:
    """Answer with JSON."""
    headers = _JSON if headers is None else {**headers, **_JSON}
    return web.Response(status=status, body=msgspec.json.encode(content), headers=headers)

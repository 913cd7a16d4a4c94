"""Answers of the JSON routes: what counts, what does not, and what to do about it."""

from __future__ import annotations

import logging

import msgspec
from aiohttp import hdrs, web

from airis_mon.journal import JournalBusyError, JournalError
from airis_mon.sidecar.decoding import JSON

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


def answer(status: int, content: object, headers: dict[str, str] | None = None) -> web.Response:
    """Answer with JSON."""
    headers = _JSON if headers is None else {**headers, **_JSON}
    return web.Response(status=status, body=msgspec.json.encode(content), headers=headers)

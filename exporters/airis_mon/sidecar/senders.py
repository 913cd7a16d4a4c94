"""How a sender numbers its batches, so that one that is sent again counts once."""

from __future__ import annotations

import hashlib

from aiohttp import web

from airis_mon.journal import Origin
from airis_mon.sidecar.bodies import RequestError

PRODUCER = "X-Airis-Producer"
EPOCH = "X-Airis-Epoch"
SEQUENCE = "X-Airis-Sequence"
IDEMPOTENCY_KEY = "Idempotency-Key"
_LONGEST_KEY = 256


def origin(request: web.Request) -> Origin | None:
    """Return who sends which batch, None where the sender does not number them; RequestError with 400.

    `X-Airis-Producer` (a name of its own, 1 to 128 characters), `X-Airis-Epoch` (its start, such as the Unix
    time; 0 without it) and `X-Airis-Sequence` (ascending). Or `Idempotency-Key`, any text of its own.
    """
    producer, key = request.headers.get(PRODUCER), request.headers.get(IDEMPOTENCY_KEY)
    if producer is None:
        for header in (EPOCH, SEQUENCE):
            if header in request.headers:
                raise RequestError(400, f"{header} means nothing without {PRODUCER}")
        return None if key is None else _by_key(key)
    if SEQUENCE not in request.headers:
        raise RequestError(400, f"{PRODUCER} needs {SEQUENCE}, which numbers the batches of this producer")
    try:
        return Origin(producer, _number(request, EPOCH), _number(request, SEQUENCE))
    except ValueError as error:
        raise RequestError(400, f"{PRODUCER}, {EPOCH}, {SEQUENCE}: {error}") from None


def _by_key(key: str) -> Origin:
    if not 1 <= len(key) <= _LONGEST_KEY:
        raise RequestError(400, f"{IDEMPOTENCY_KEY} has 1 to {_LONGEST_KEY} characters, not {len(key)}")
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    return Origin(f"key:{digest[:40]}", 0, 0)


def _number(request: web.Request, header: str) -> int:
    text = request.headers.get(header, "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise RequestError(400, f"{header} is a whole number from 0 to 2^63 - 1, not `{text[:40]!a}`")
    return int(text)

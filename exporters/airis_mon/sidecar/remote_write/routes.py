"""`POST /api/v1/write`: the HTTP of remote write, and its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from aiohttp import hdrs, web

from airis_mon.journal import JournalError
from airis_mon.sidecar.answers import not_kept
from airis_mon.sidecar.bodies import SNAPPY, RequestError, body
from airis_mon.sidecar.decoding import BodyError, TooManyItemsError
from airis_mon.sidecar.intake import Intake, Refusal
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.remote_write.requests import Written, version_1, version_2
from airis_mon.sidecar.remote_write.translation import SampleTranslation, Translated
from airis_mon.sidecar.senders import origin

WRITTEN = "X-Prometheus-Remote-Write-{}-Written"
"""How much of a 2.0 request counts, for Samples, Histograms and Exemplars."""
LISTED = 10
"""Reasons that an answer spells out."""

_PROTOBUF = "application/x-protobuf"
_MESSAGES: dict[str, Callable[[bytes, int], list[Written]]] = {
    "": version_1,
    "prometheus.WriteRequest": version_1,
    "io.prometheus.write.v2.Request": version_2,
}


class Receiver:
    """The route, as the handler of its POST."""

    def __init__(self, kind: str, translation: SampleTranslation, intake: Intake, limits: Limits) -> None:
        self._kind = kind
        self._translation = translation
        self._intake = intake
        self._limits = limits
        self._bounds = replace(limits, body_bytes=min(limits.body_bytes, limits.message_bytes))

    async def post(self, request: web.Request) -> web.Response:
        """Take a write in: 204 where all of it counts, 400 where some does not, told by series and reason."""
        decode = _MESSAGES.get(_message(request))
        if decode is None:
            known = ", ".join(f"{_PROTOBUF};proto={message}" for message in _MESSAGES if message)
            return web.Response(status=415, text=f"Content-Type is one of {known}\n")
        headers = _written(0, 0) if decode is version_2 else {}
        try:
            sender = origin(request)
            given = await body(request, self._bounds, SNAPPY)
            found = self._translation.changes(decode(given, self._limits.items))
            outcome = await self._intake.take(self._kind, found.changes, {}, found.refusals, sender)
        except RequestError as error:
            response = web.Response(status=error.status, text=f"{error}\n", headers=headers)
            if error.status == 408:
                response.force_close()
            return response
        except BodyError as error:
            return web.Response(status=400, text=f"{error}\n", headers=headers)
        except TooManyItemsError as error:
            return web.Response(status=413, text=f"{error}\n", headers=headers)
        except JournalError as error:
            _, message, retry = not_kept(error)
            # Never 429: Prometheus drops what was answered so, unless `retry_on_http_429` tells it not to.
            return web.Response(status=503, text=f"{message}\n", headers={**headers, **retry})
        if decode is version_2:
            headers = _written(*_counts(found, outcome.refusals))
        if not outcome.refusals:
            return web.Response(status=204, headers=headers)
        return web.Response(status=400, text=_said(outcome.refusals), headers=headers)


def _message(request: web.Request) -> str:
    """Return the message that the media type names; empty for none, `?` for another media type."""
    media, *parameters = request.headers.get(hdrs.CONTENT_TYPE, "").split(";")
    if media.strip().lower() != _PROTOBUF:
        return "?"
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "proto":
            return value.strip().strip('"') or "?"
    return ""


def _counts(found: Translated, refusals: tuple[Refusal, ...]) -> tuple[int, int]:
    """Return how many samples and exemplars count."""
    refused = len(refusals) - found.histograms
    return found.samples - refused, found.exemplars if not refused else 0


def _written(samples: int, exemplars: int) -> dict[str, str]:
    counts = {"Samples": samples, "Histograms": 0, "Exemplars": exemplars}
    return {WRITTEN.format(what): str(count) for what, count in counts.items()}


def _said(refusals: tuple[Refusal, ...]) -> str:
    """Return what is wrong, each reason once."""
    texts = list(dict.fromkeys(f"{refusal.error.field}: {refusal.error.message}" for refusal in refusals))
    more = [f"and {len(texts) - LISTED} reasons more"] if len(texts) > LISTED else []
    whole = "\n".join((f"{len(refusals)} refused, the rest counts", *texts[:LISTED], *more)) + "\n"
    return whole.encode("utf-8", "backslashreplace").decode()

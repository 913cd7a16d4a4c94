"""`GET /v1/events`, and what Grafana's JSON data sources ask for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import hdrs, web

from airis_mon.sidecar.answers import answer, refused
from airis_mon.sidecar.bodies import RequestError, body
from airis_mon.sidecar.events.keeper import Keeper
from airis_mon.sidecar.events.rows import Place, Query, Row, word
from airis_mon.sidecar.events.store import StoreError
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.translation import SEVERITIES

MOST = 1_000
"""Events of one answer."""
_PARAMETERS = ("from", "to", "event_type", "severity", "source", "limit", "cursor")


class ParameterError(ValueError):
    """What is wrong with a parameter of the URL."""


class EventRoutes:
    """The handlers."""

    def __init__(self, keeper: Keeper, limits: Limits) -> None:
        self._keeper = keeper
        self._limits = limits

    async def get(self, request: web.Request) -> web.Response:
        """Return events, newest first, with a cursor where there are more."""
        try:
            asked = query(_single(request))
            rows = await self._keeper.read(asked)
        except ParameterError as error:
            return refused(400, str(error))
        except StoreError as error:
            return _away(error)
        content: dict[str, object] = {"events": [msgspec.Raw(row.body.encode()) for row in rows]}
        if len(rows) == asked.limit:
            content["cursor"] = rows[-1].place.cursor()
        return answer(200, content)

    async def grafana(self, request: web.Request) -> web.Response:
        """Answer the test of a data source."""
        return answer(200, {"status": "ok"})

    async def annotations(self, request: web.Request) -> web.Response:
        """Return the events of a dashboard's range, as Grafana's Simple JSON data source has annotations.

        `annotation.query` chooses: `event_type=deploy&severity=critical`, in the words of GET /v1/events.
        """
        try:
            given = await body(request, self._limits)
            asked = _asked(given)
            rows = await self._keeper.read(asked)
        except RequestError as error:
            return refused(error.status, str(error))
        except ParameterError as error:
            return refused(400, str(error))
        except StoreError as error:
            return _away(error)
        return answer(200, [_annotation(row) for row in rows])


def _away(error: StoreError) -> web.Response:
    return refused(503, str(error), {str(hdrs.RETRY_AFTER): "5"})


def _single(request: web.Request) -> Mapping[str, str]:
    for name in request.query:
        if len(request.query.getall(name)) > 1:
            raise ParameterError(f"`{name}` is given more than once")
    return request.query


def query(parameters: Mapping[str, str]) -> Query:
    """Return what parameters ask for; ParameterError naming the one that is wrong, and what to write."""
    for name in parameters:
        if name not in _PARAMETERS:
            raise ParameterError(f"unknown parameter `{name[:100]}`; known are {', '.join(_PARAMETERS)}")

    def given(name: str, read: Callable[[str], Any]) -> Any:
        if name not in parameters:
            return None
        try:
            return read(parameters[name])
        except (ValueError, OverflowError) as error:
            raise ParameterError(f"`{name}`: {error}") from None

    limit = given("limit", _limit)
    return Query(
        since=given("from", _moment),
        until=given("to", _moment),
        event_type=given("event_type", word),
        severity=given("severity", _severity),
        source=given("source", word),
        before=given("cursor", Place.at),
        limit=100 if limit is None else limit,
    )


def _moment(text: str) -> float:
    try:
        moment = float(text)
    except ValueError:
        try:
            # In a URL a plus sign that is not escaped is a blank.
            found = datetime.fromisoformat(text.replace(" ", "+"))
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise ValueError(
                f"`{text[:50]}` is no time; write RFC 3339 with a zone, such as 2026-01-31T12:00:00Z, or "
                "seconds since 1970"
            ) from None
        moment = found.timestamp()
    if not math.isfinite(moment) or abs(moment) > 1e12:
        raise ValueError(f"`{text[:50]}` is out of range; write seconds since 1970")
    return moment


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
        raise ValueError(f"`{text[:50]}` is no whole number from 1 to {MOST}")
    return int(text)


def _severity(text: str) -> str:
    if text not in SEVERITIES:
        raise ValueError(f"`{text[:50]}` is none of {', '.join(SEVERITIES)}")
    return text


class _Range(msgspec.Struct, frozen=True):
    begin: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")


class _Annotation(msgspec.Struct, frozen=True):
    query: str | None = None


class _Request(msgspec.Struct):
    range: _Range
    annotation: _Annotation = _Annotation()


def _asked(given: bytes) -> Query:
    try:
        request = msgspec.json.decode(given, type=_Request)
    except (ValueError, RecursionError) as error:
        raise ParameterError(f"no request for annotations: {error}") from None
    pairs = [part.partition("=") for part in (request.annotation.query or "").split("&") if part.strip()]
    chosen = {name.strip(): value.strip() for name, _, value in pairs}
    return query({"limit": str(MOST), **chosen, "from": request.range.begin, "to": request.range.end})


def _annotation(row: Row) -> dict[str, object]:
    event = msgspec.json.decode(row.body)
    return {
        "time": round(row.place.timestamp * 1e3),
        "title": event["event_type"],
        "text": event.get("message", ""),
        "tags": [event["event_type"], event["severity"], event["source"]],
    }

"""What was sent to a sidecar as events: deploys that somebody told of, fallbacks, and the like."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime
from typing import Any

import requests

from airis_mon.analyzer.causes import Event, Kind
from airis_mon.cli.causes.happenings import Span
from airis_mon.cli.wording import printable
from airis_mon.http import cause

_DEPLOY = re.compile(r"deploy|release|rollout|rollback|config|scale|migrat", re.IGNORECASE)
"""What an event is called that somebody made happen."""
_TIMEOUT = 10.0
_LIMIT = 1000
_PAGES = 5
_WORDS = 60
"""Characters of an event's message that are told."""
_LARGEST, _PIECE = 16 << 20, 1 << 16


class ReportedError(Exception):
    """A sidecar that does not tell its events; the text says why."""


def reported(url: str, span: Span, session: requests.Session) -> list[Event]:
    """Return the first event of each kind and source in the window; ReportedError where none are told."""
    rows = _rows(url.rstrip("/"), span, session)
    usual = Counter(_kind(row) for at, row in rows if at < span.begin)
    hours = (span.begin - span.before) / 3600
    found: dict[tuple[str, str], Event] = {}
    for at, row in sorted(rows, key=lambda one: one[0]):
        key = _kind(row)
        if at >= span.begin and key not in found:
            kind, source = key
            said = str(row.get("message") or "")[:_WORDS]
            what = printable(f"event {kind} of {source}" + (f" ({said})" if said else ""))
            made: Kind = "deploy" if _DEPLOY.search(kind) else "event"
            found[key] = Event(at, made, what, usual[key] / hours)
    return list(found.values())


def _kind(row: dict[str, Any]) -> tuple[str, str]:
    return str(row.get("event_type", "")), str(row.get("source", ""))


def _rows(url: str, span: Span, session: requests.Session) -> list[tuple[float, dict[str, Any]]]:
    found: list[tuple[float, dict[str, Any]]] = []
    asked: dict[str, str] = {"from": str(span.before), "to": str(span.end + 1), "limit": str(_LIMIT)}
    for _ in range(_PAGES):
        answer = _answer(f"{url}/v1/events", asked, session)
        try:
            found += [(_time(row["timestamp"]), row) for row in answer["events"]]
            cursor = answer.get("cursor")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ReportedError(f"{url} answers with something that is no list of events") from error
        if not cursor:
            break
        asked["cursor"] = str(cursor)
    return found


def _answer(url: str, asked: dict[str, str], session: requests.Session) -> Any:
    body = bytearray()
    try:
        with session.get(url, params=asked, timeout=_TIMEOUT, allow_redirects=False, stream=True) as response:
            for part in response.iter_content(_PIECE):
                body += part
                if len(body) > _LARGEST:
                    raise ReportedError(f"{url} answers with more than {_LARGEST >> 20} MiB")
            if response.status_code != 200:
                raise ReportedError(f"{url} answers {response.status_code}; name a sidecar with --events.url")
    except requests.RequestException as error:
        raise ReportedError(f"{url} is not reachable: {printable(cause(error))[:200]}") from error
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ReportedError(f"{url} answers with something that is no list of events") from error


def _time(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    return datetime.fromisoformat(str(value)).timestamp()

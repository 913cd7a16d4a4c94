"""What a team's Prometheus says of itself: what it keeps, since when, and when it evaluates its rules."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests

from airis_mon.rules.replay import Selector
from airis_mon.spec import parse_duration

_TIMEOUT = 30.0
_DAY = 86_400
_POINTS, _REFINEMENTS = 500, 2
"""Points of one question for a beginning, and questions: of a week it is known to some seconds."""


def retention(session: requests.Session, url: str) -> float | None:
    """Return the seconds that a Prometheus keeps, None where it does not say."""
    said = _asked(session, f"{url}/api/v1/status/runtimeinfo", {})
    try:
        match = re.match(r"[0-9a-z]+", said["storageRetention"])  # `15d or 10GiB`
        return parse_duration(match[0]) if match is not None else None
    except (KeyError, TypeError, ValueError):
        return None


def version(session: requests.Session, url: str) -> tuple[int, int] | None:
    """Return the version of a Prometheus, None where it does not say."""
    said = _asked(session, f"{url}/api/v1/status/buildinfo", {})
    try:
        match = re.match(r"(\d{1,4})\.(\d{1,4})\.", said["version"])
        return (int(match[1]), int(match[2])) if match is not None else None
    except (KeyError, TypeError):
        return None


def started(session: requests.Session, url: str) -> float | None:
    """Return when a Prometheus was started (Unix seconds), None where it does not say."""
    said = _asked(session, f"{url}/api/v1/status/runtimeinfo", {})
    try:
        return datetime.fromisoformat(said["startTime"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None


@dataclass(frozen=True)
class Schedule:
    """When a Prometheus evaluates its groups of rules."""

    interval: float | None = None
    """Seconds from one evaluation to the next; None where it evaluates none of the groups."""
    offsets: Mapping[str, float] = field(default_factory=dict)
    """Group to the seconds by which it comes after whole intervals of the clock: each has its own."""


def schedule(session: requests.Session, url: str, groups: Collection[str]) -> Schedule:
    """Return when a Prometheus evaluates the named groups, as far as it has them."""
    said = _asked(session, f"{url}/api/v1/rules", {"exclude_alerts": "true"})
    intervals: Counter[float] = Counter()
    offsets: dict[str, float] = {}
    try:
        for group in said["groups"]:
            last = datetime.fromisoformat(group["lastEvaluation"])
            interval = float(group["interval"])
            if group["name"] in groups and interval > 0 and last.year > 1:
                intervals[interval] += 1
                offsets[group["name"]] = last.timestamp() % interval
    except (KeyError, TypeError, ValueError):
        return Schedule()
    usual = intervals.most_common(1)
    return Schedule(usual[0][0], offsets) if usual else Schedule()


def earliest(session: requests.Session, url: str, selectors: Sequence[Selector], at: float) -> float | None:
    """Return from when on (Unix seconds, within a quarter of a day) one of the selectors has samples.

    None where there are none within a year before `at`, or the server does not say.
    """
    for reach in ("365d:6h", "1d:5m"):
        found = []
        for selector in selectors:
            query = f"min(min_over_time(timestamp({selector})[{reach}]))"
            said = _asked(session, f"{url}/api/v1/query", {"query": query, "time": str(at)})
            try:
                found.append(float(said["result"][0]["value"][1]))
            except (KeyError, IndexError, TypeError, ValueError):
                continue
        if found:
            return min(found)
    return None


def oldest_scrape(session: requests.Session, url: str, since: float, until: float) -> float | None:
    """Return when a Prometheus scraped anything first (Unix seconds), between two times.

    That is the first where it had scraped before; None where it has not, or does not say.
    """
    begin, end, found = since, until, None
    for _ in range(_REFINEMENTS):
        step = max(1.0, (end - begin) / _POINTS)
        form = {"query": "min(timestamp(up))", "start": str(begin), "end": str(end), "step": str(step)}
        said = _asked(session, f"{url}/api/v1/query_range", form)
        try:
            at, value = said["result"][0]["values"][0]
            found = float(value)
        except (KeyError, IndexError, TypeError, ValueError):
            break
        if at <= since:
            return since
        begin, end = max(since, float(at) - step), float(at)
    return found


def _asked(session: requests.Session, url: str, form: dict[str, str]) -> Any:
    """Return the data of an answer; an empty mapping where there is none: nothing here is needed."""
    try:
        with session.get(url, params=form, timeout=_TIMEOUT) as answer:
            return json.loads(answer.content)["data"]
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return {}

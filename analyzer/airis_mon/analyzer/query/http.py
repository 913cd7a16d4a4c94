"""PromQL over Prometheus' HTTP API, within its limits."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import requests

from airis_mon.analyzer.query.querier import Frame, Labels, QueryError, grid

_POINTS_MAX = 10_000
"""Points asked for at once; Prometheus refuses more than 11,000."""
_SERIES_MAX = 10_000
"""Series that one expression may give: more is a missing `by` or selector, and would fill the memory."""
_BYTES_MAX = 256 * 1024 * 1024
_WORDS_MAX = 500


class HttpQuerier:
    """Asks one Prometheus-compatible server; one request at a time."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 30.0,
        session: requests.Session | None = None,
        points_max: int = _POINTS_MAX,
        series_max: int = _SERIES_MAX,
        bytes_max: int = _BYTES_MAX,
    ) -> None:
        """Prepare to ask `url`, the server's root; `timeout` in seconds is for each request."""
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._session = session or requests.Session()
        self._points_max = points_max
        self._series_max = series_max
        self._bytes_max = bytes_max

    def now(self) -> float:
        """Return the server's own time."""
        kind, result = self._ask("query", {"query": "time()"})
        if kind != "scalar" or not isinstance(result, list) or len(result) != 2:
            raise QueryError(f"{self._shown} answered `time()` with a {kind}")
        return _number(result[1])

    def range(self, expr: str, start: int, end: int, step: int) -> Frame:
        """Return the values from `start` to `end`, asking several times where one answer cannot hold them."""
        times = grid(start, end, step)
        rows: dict[Labels, np.ndarray] = {}
        for first in range(0, len(times), self._points_max):
            part = times[first : first + self._points_max]
            kind, result = self._ask(
                "query_range",
                {"query": expr, "start": str(part[0]), "end": str(part[-1]), "step": str(step)},
            )
            if kind != "matrix":
                raise QueryError(f"{self._shown} answered a range with a {kind}")
            for labels, points in self._series(result, "values"):
                row = rows.setdefault(labels, np.full(len(times), np.nan))
                for at, value in points:
                    column = (round(float(at)) - start) // step
                    if 0 <= column < len(times):
                        row[column] = _number(value)
            self._check(len(rows))
        return _frame(rows, times)

    def instant(self, expr: str, at: int) -> Frame:
        """Return the values at one time."""
        kind, result = self._ask("query", {"query": expr, "time": str(at)})
        if kind == "scalar":
            result = [{"metric": {}, "value": result}]
        elif kind != "vector":
            raise QueryError(f"{self._shown} answered an instant with a {kind}; series of numbers are needed")
        rows = {labels: np.array([_number(point[1])]) for labels, point in self._series(result, "value")}
        return _frame(rows, np.array([at], dtype=np.int64))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _series(self, result: Any, key: str) -> Iterable[tuple[Labels, Any]]:
        self._check(len(result))
        try:
            # Native histograms come under another key; they are no numbers.
            return [(tuple(sorted(one["metric"].items())), one[key]) for one in result if key in one]
        except (KeyError, TypeError, AttributeError) as error:
            raise QueryError(f"{self._shown} answered with something that is no series") from error

    def _check(self, count: int) -> None:
        if count > self._series_max:
            raise QueryError(
                f"the expression gives {count} series, at most {self._series_max} are read: "
                "keep fewer labels apart, or select fewer series"
            )

    def _ask(self, path: str, form: dict[str, str]) -> tuple[str, Any]:
        """Return the kind of result and the result."""
        try:
            with self._session.post(
                f"{self._url}/api/v1/{path}",
                data={**form, "timeout": f"{max(1, math.ceil(self._timeout))}s"},
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._body(response)
        except requests.RequestException as error:
            raise QueryError(f"{self._shown} is not reachable: {_cause(error)}") from error
        try:
            answer = json.loads(body)
            if answer["status"] == "success":
                return str(answer["data"]["resultType"]), answer["data"]["result"]
            words = f"{answer['errorType']}: {answer['error']}"
        except (ValueError, KeyError, TypeError) as error:
            words = body[:_WORDS_MAX].decode("utf-8", "replace").strip() or response.reason or ""
            raise QueryError(
                f"{self._shown} answered {response.status_code}, not in Prometheus' form: {words}"
            ) from error
        raise QueryError(f"{self._shown} answered {response.status_code}: {words[:_WORDS_MAX]}")

    def _body(self, response: requests.Response) -> bytes:
        parts, size = [], 0
        for part in response.iter_content(1 << 20):
            parts.append(part)
            size += len(part)
            if size > self._bytes_max:
                raise QueryError(f"{self._shown} answered with more than {self._bytes_max} bytes")
        return b"".join(parts)

    @property
    def _shown(self) -> str:
        parts = urlsplit(self._url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _frame(rows: dict[Labels, np.ndarray], times: np.ndarray) -> Frame:
    labels = tuple(sorted(rows))
    values = np.array([rows[one] for one in labels]).reshape(len(labels), len(times))
    return Frame(labels, times, values)


def _number(text: Any) -> float:
    """Return a finite number, or NaN: an infinite latency is an answer that says nothing."""
    try:
        number = float(text)
    except (TypeError, ValueError) as error:
        raise QueryError(f"{text!r} stands where a number should") from error
    return number if math.isfinite(number) else math.nan


def _cause(error: BaseException) -> str:
    while True:
        inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            return getattr(error, "strerror", None) or str(error) or type(error).__name__
        error = inner

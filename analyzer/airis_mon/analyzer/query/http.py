"""PromQL over Prometheus' HTTP API, within its limits."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import requests

from airis_mon.analyzer.access import Access
from airis_mon.analyzer.query.answers import Answer, AnswerError, points
from airis_mon.analyzer.query.querier import Frame, Labels, LimitError, Limits, QueryError, grid
from airis_mon.analyzer.query.table import Table
from airis_mon.http import cause, shown

_POINTS_MAX = 10_000
"""Points of a series that are asked for at once; Prometheus refuses more than 11,000."""
_POINTS_FIRST = 256
"""Points of a series that are asked for before it is known how many series there are."""
_GROWTH = 4
"""How many times as many are asked for next, at most: a fleet may begin in the middle of a past."""
_ANSWER_POINTS = 1_000_000
"""Points of all series that are asked for at once: some 30 MB; Prometheus itself reads up to 50 million."""
_LIMITS = Limits()
_PIECE = 1 << 20
_NESTED = 20
"""Errors within an error that are looked at."""
_LOCKED_OUT = "; say who we are with --prometheus.http-config"
_HINTS = {
    401: _LOCKED_OUT,
    403: _LOCKED_OUT,
    404: "; the address is the one that `/api/v1` follows on, such as http://prometheus:9090",
}
"""What to do about a status."""
_HEADERS = {
    # Prometheus takes ten times as long to answer compressed as to answer.
    "Accept-Encoding": "identity",
}


class HttpQuerier:
    """Asks one Prometheus-compatible server; threads may ask at the same time."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float = _LIMITS.seconds,
        session: requests.Session | None = None,
        sessions: Callable[[], requests.Session] = requests.Session,
        points_max: int = _POINTS_MAX,
        answer_points: int = _ANSWER_POINTS,
        series_max: int = _LIMITS.series,
        bytes_max: int = _LIMITS.bytes,
        flags: bool = False,
    ) -> None:
        """Prepare to ask `url`, the server's root; `timeout` in seconds is for each request.

        Without `session` each thread has one of its own, of `sessions`. `flags` says that both limits are
        those of flags, which are named where one is met.
        """
        self._url = url.rstrip("/")
        self._shown = shown(self._url)
        self._timeout = timeout
        self._points_max = points_max
        self._answer_points = answer_points
        self._series_max = series_max
        self._bytes_max = bytes_max
        self._flags = flags
        self._session = session
        self._sessions = sessions
        self._idle: deque[requests.Session] = deque()

    @classmethod
    def within(cls, url: str, limits: Limits, access: Access | None = None) -> HttpQuerier:
        """Return what asks a server within limits, as who `access` says."""
        return cls(
            url,
            timeout=limits.seconds,
            series_max=limits.series,
            bytes_max=limits.bytes,
            sessions=requests.Session if access is None else access.session,
            flags=True,
        )

    def now(self) -> float:
        """Return the server's own time."""
        answer = self._ask("query", {"query": "time()"})
        with self._told():
            if answer.kind == "scalar":
                return answer.scalar()
            if answer.kind == "vector":  # as VictoriaMetrics answers a number
                for _, number in answer.numbers():
                    return number
        raise QueryError(f"{self._shown} answered `time()` with a {answer.kind}")

    def range(self, expr: str, start: int, end: int, step: int) -> Frame:
        """Return the values from `start` to `end`, asking several times where one answer cannot hold them."""
        times = grid(start, end, step)
        table = Table(times)
        least = min(self._points_max, _POINTS_FIRST, self._answer_points)
        first, asked = 0, least
        while first < len(times):
            part = times[first : first + asked]
            form = {"query": expr, "start": str(part[0]), "end": str(part[-1]), "step": str(step)}
            try:
                answer = self._ask("query_range", form)
            except LimitError as error:
                if error.limit != "bytes" or asked <= least:
                    raise
                # More series begin in here than there were before.
                asked = max(least, asked // 2)
                continue
            if answer.kind != "matrix":
                raise QueryError(f"{self._shown} answered a range with a {answer.kind}")
            with self._told():
                found = list(answer.courses())
                self._check(len(found))
                table.reserve(len(found))
                for labels, raw in found:
                    table.add(labels, points(raw))
            self._check(table.rows)
            first += asked
            asked = max(1, min(self._points_max, _GROWTH * asked, self._answer_points // max(1, table.rows)))
        return table.frame()

    def instant(self, expr: str, at: int) -> Frame:
        """Return the values at one time."""
        answer = self._ask("query", {"query": expr, "time": str(at)})
        if answer.kind not in ("scalar", "vector"):
            raise QueryError(
                f"{self._shown} answered an instant with a {answer.kind}; series of numbers are needed"
            )
        with self._told():
            if answer.kind == "scalar":
                found: list[tuple[Labels, float]] = [((), answer.scalar())]
            else:
                found = sorted(answer.numbers())
        self._check(len(found))
        values = np.array([number for _, number in found], dtype=np.float64)
        return Frame(tuple(labels for labels, _ in found), np.array([at], dtype=np.int64), values[:, None])

    def close(self) -> None:
        """Close the connections."""
        while self._idle:
            self._idle.pop().close()

    def _check(self, count: int) -> None:
        if count > self._series_max:
            raise LimitError(
                "series",
                f"the expression gives {count} series, at most {self._series_max} are read: "
                f"keep fewer labels apart, or select fewer series{self._or('--query.max-series')}",
            )

    def _ask(self, path: str, form: dict[str, str]) -> Answer:
        """Return what was answered; QueryError where that was an error."""
        begun = False
        try:
            with (
                self._lent() as session,
                session.post(
                    f"{self._url}/api/v1/{path}",
                    data={**form, "timeout": f"{max(1, math.ceil(self._timeout))}s"},
                    headers=_HEADERS,
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                begun = True
                body = self._body(response)
                status = response.status_code
        except requests.RequestException as error:
            what = "ended its answer early" if begun else "is not reachable"
            text = f"{self._shown} {what}: {cause(error)}"
            raise (LimitError("timeout", text) if _late(error) else QueryError(text)) from error
        try:
            return Answer(body)
        except AnswerError as error:
            raise QueryError(f"{self._shown} answered {status}{error}{_HINTS.get(status, '')}") from error

    @contextmanager
    def _lent(self) -> Iterator[requests.Session]:
        """Lend a session to one thread at a time; there are as many as threads."""
        try:
            session = self._idle.pop()
        except IndexError:
            session = self._session or self._sessions()
        try:
            yield session
        finally:
            self._idle.append(session)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except AnswerError as error:
            raise QueryError(f"{self._shown} answered{error}") from error

    def _body(self, response: requests.Response) -> bytearray:
        body = bytearray()
        for part in response.iter_content(_PIECE):
            body += part
            if len(body) > self._bytes_max:
                text = f"{self._shown} answered with more than {self._bytes_max} bytes: select fewer series"
                raise LimitError("bytes", text + self._or("--query.max-bytes"))
        return body

    def _or(self, flag: str) -> str:
        """Return what else can be done about a limit, where it is a flag's."""
        return f", or raise {flag}" if self._flags else ""


def _late(error: BaseException | None) -> bool:
    """Tell whether it was time that had run out, at the beginning of an answer or in its middle."""
    for _ in range(_NESTED):
        if isinstance(error, requests.Timeout | TimeoutError):
            return True
        error = None if error is None else error.__cause__ or error.__context__
    return False

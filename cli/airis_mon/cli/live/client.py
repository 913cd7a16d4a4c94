"""Prometheus' HTTP API: questions with a deadline, answers with a limit, refusals in words."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from airis_mon.analyzer.access import Access
from airis_mon.http import cause
from airis_mon.rules.live import Facts, Sample
from airis_mon.spec import Problem, SpecError, parse_duration

LARGEST = 8 << 20
"""Bytes of one answer; what is asked for is counts."""
_SHOWN = 200
"""Characters that an error shows of what a server said, and of a question."""
_CONNECT = 5.0
_CHUNK = 1 << 16


_MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What comes of reading an answer that has another form."""


class LiveError(SpecError):
    """A server that cannot be asked; the text says why, and what to do."""

    def __init__(self, text: str) -> None:
        super().__init__([Problem(text)])


class Client:
    """Asks one server. Safe for several threads."""

    def __init__(self, url: str, access: Access, timeout: float) -> None:
        self.url = url.rstrip("/")
        self._access = access
        self._timeout = timeout
        self._local = threading.local()

    def vector(self, expression: str) -> Sequence[Sample]:
        """Return the series that an expression has now; LiveError where it cannot be asked."""
        result = self._result(expression)
        try:
            return [
                Sample(
                    {str(label): str(text) for label, text in series["metric"].items()},
                    float(series["value"][1]),
                )
                for series in result
                if "value" in series  # a native histogram has none
            ]
        except _MALFORMED as error:
            raise self._unreadable(expression) from error

    def times(self, selector: str, span: float) -> Sequence[float]:
        """Return the timestamps of one series over the last seconds, oldest first."""
        result = self._result(f"{selector}[{max(1, round(span))}s]")
        try:
            points = [series.get("values") or series.get("histograms") or () for series in result]
            return [float(point[0]) for point in points[0]] if points else ()
        except _MALFORMED as error:
            raise self._unreadable(selector) from error

    def facts(self) -> Facts:
        """Return what the server says of itself; one that only speaks the API of queries says nothing."""
        build, runtime = self._data("status/buildinfo"), self._data("status/runtimeinfo")
        flags, config = self._data("status/flags"), self._data("status/config")
        version = None
        if "application" not in build:  # Mimir has versions of its own
            match = re.match(r"v?(\d+)\.(\d+)", str(build.get("version", "")))
            version = (int(match[1]), int(match[2])) if match else None
        interval = re.search(r"^ *evaluation_interval: *(\S+)$", str(config.get("yaml", "")), re.MULTILINE)
        return Facts(
            version=version,
            retention=_seconds(str(runtime.get("storageRetention", "")).partition(" ")[0]),
            evaluation_interval=_seconds(interval[1]) if interval else None,
            lookback=_seconds(str(flags.get("query.lookback-delta", ""))),
        )

    def _result(self, expression: str) -> Sequence[dict[str, Any]]:
        data = self._ask("query", {"query": expression})
        result = data.get("result") if isinstance(data, dict) else None
        if not isinstance(result, list):
            raise self._unreadable(expression)
        return result

    def _unreadable(self, expression: str) -> LiveError:
        return LiveError(f"{self.url} answers `{expression[:_SHOWN]}` with something that is no result")

    def _data(self, path: str) -> dict[str, Any]:
        try:
            data = self._ask(path, None)
        except _UnknownError:
            return {}
        return data if isinstance(data, dict) else {}

    def _ask(self, path: str, form: dict[str, str] | None) -> Any:
        status, content_type, body = self._exchange(f"{self.url}/api/v1/{path}", form)
        if status in (401, 403):
            raise LiveError(
                f"{self.url} does not let us in (HTTP {status}); say who we are with --live.http-config"
            )
        if 300 <= status < 400:
            raise LiveError(f"{self.url} leads elsewhere (HTTP {status}); name the server itself")
        if form is None and status in (404, 405, 501):
            raise _UnknownError
        try:
            answer = json.loads(body)
            said = answer["status"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            kind = "HTML" if "html" in content_type else f"no JSON (HTTP {status})"
            raise LiveError(
                f"{self.url}/api/v1/{path} answers {kind}; write the root of a Prometheus,"
                " such as http://127.0.0.1:9090"
            ) from error
        if said != "success":
            question = f" to `{form['query'][:_SHOWN]}`" if form else ""
            raise LiveError(f"{self.url} says no{question}: {_words(answer.get('error'))}")
        return answer.get("data")

    def _exchange(self, url: str, form: dict[str, str] | None) -> tuple[int, str, bytes]:
        deadline = time.monotonic() + self._timeout
        timeouts = (min(_CONNECT, self._timeout), self._timeout)
        try:
            with self._session().request(
                "GET" if form is None else "POST",
                url,
                data=form,
                timeout=timeouts,
                stream=True,
                allow_redirects=False,
            ) as response:
                body = bytearray()
                for chunk in response.iter_content(_CHUNK):
                    body += chunk
                    if len(body) > LARGEST:
                        raise LiveError(
                            f"{url} answers with more than {LARGEST >> 20} MiB; that is no answer"
                        )
                    if time.monotonic() > deadline:
                        raise requests.Timeout
                return response.status_code, response.headers.get("Content-Type", ""), bytes(body)
        except requests.Timeout as error:
            raise LiveError(
                f"{self.url} did not answer within {self._timeout:g} s; give it longer with --live.timeout"
            ) from error
        except requests.exceptions.SSLError as error:
            raise LiveError(
                f"{self.url}: {_words(cause(error))}; "
                "name its authority in --live.http-config (tls_config.ca_file)"
            ) from error
        except requests.RequestException as error:
            raise LiveError(f"cannot reach {self.url}: {_words(cause(error))}") from error

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._access.session()
        return session


class _UnknownError(Exception):
    """A question that this server does not know."""


def checked_url(text: str) -> str:
    """Return the root of a server; ValueError, in words, where it is none."""
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(f"`{text[:_SHOWN]}` is no URL of Prometheus; write http://127.0.0.1:9090")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a password in a URL is seen by everybody on this machine; use --live.http-config")
    if parts.query or parts.fragment:
        raise ValueError(f"`{text[:_SHOWN]}` has more than a root; write it up to its path")
    return text


def _seconds(text: str) -> float | None:
    try:
        return parse_duration(text) or None
    except ValueError:
        return None


def _words(error: object) -> str:
    text = str(error)[:_SHOWN]
    return "".join(character if character.isprintable() else "\ufffd" for character in text)

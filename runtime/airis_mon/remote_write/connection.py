"""One receiver by its URL: a POST, and its answer or why there is none."""

from __future__ import annotations

import http.client
import threading
import time
import traceback
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import cramjam
import requests
from urllib3.exceptions import HTTPError

from airis_mon.http import cause, nested, shown
from airis_mon.remote_write.answers import Answer
from airis_mon.remote_write.negotiation import RESERVED

_ANSWER_MAX = 1024
"""Bytes of an answer that are told."""
_READ_MAX = 65_536
"""Bytes of an answer that are read, so that its connection can be kept; one that says more is hung up on."""


def user_agent() -> str:
    """Return the name that receivers see in their logs."""
    try:
        return f"airis-mon/{version('airis-mon')}"
    except PackageNotFoundError:
        return "airis-mon/unknown"


class Connection:
    """Posts requests to one URL, one after the other, over a connection that is kept as long as both want."""

    def __init__(
        self, url: str, headers: Mapping[str, str] | None = None, session: requests.Session | None = None
    ) -> None:
        """Send `headers` with every request; ValueError for one that is the protocol's own."""
        for name in headers or {}:
            if name.strip().lower() in RESERVED:
                raise ValueError(f"header {name}: remote write sets it itself; leave it out")
        self.shown = shown(url)
        self._url = url
        self._session = session or requests.Session()
        self._headers = {**(headers or {}), "User-Agent": user_agent()}
        self._turn = threading.Lock()
        self._kept = False
        """An answer was read to its end: the next request may find the connection still there."""

    def post(self, body: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
        """Send a message, compressed here; its answer, or status 0 and why there is none.

        Threads wait for each other: what one receiver is sent arrives in the order in which it was given.
        """
        packed = bytes(cramjam.snappy.compress_raw(body))
        with self._turn:
            began = time.monotonic()
            try:
                return self._answer(packed, headers, timeout)
            except requests.RequestException as error:
                again = self._kept and _hung_up(error)
                self._kept = False
                answer = self._none(error)
            left = timeout - (time.monotonic() - began)
            if not again or left <= 0:
                return answer
            # The receiver had hung up on the kept connection before it said anything, as a server does with
            # one that was idle for long. The same samples twice are the same samples, and no answer has to be
            # retried anyway: so it is asked again at once, on a new connection, and this is done once.
            try:
                return self._answer(packed, headers, left)
            except requests.RequestException as error:
                return self._none(error)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _answer(self, packed: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
        deadline = time.monotonic() + timeout
        with self._session.post(
            self._url,
            data=packed,
            headers={**self._headers, **headers},
            timeout=timeout,
            allow_redirects=False,
            stream=True,
        ) as response:
            told = {name.lower(): value for name, value in response.headers.items()}
            begin, self._kept = _read(response, deadline)
            words = "" if 200 <= response.status_code < 300 else begin.decode("utf-8", "replace").strip()
            text = f"{self.shown} answered {response.status_code}: {words or response.reason or ''}"
            return Answer(response.status_code, told, text)

    def _none(self, error: requests.RequestException) -> Answer:
        answer = Answer(0, {}, f"{self.shown} is not reachable: {cause(error)}")
        _let_go(error)
        return answer


def _read(response: requests.Response, deadline: float) -> tuple[bytes, bool]:
    """Return the begin of an answer, and whether its end was reached, which lets the connection be kept.

    The status says all that counts: an answer that breaks off, or takes its time, is left where it is.
    """
    if response.is_redirect:
        return response.content[:_ANSWER_MAX], True  # requests has read it, to know where it leads
    begin, size = b"", 0
    try:
        while part := response.raw.read1(_ANSWER_MAX, decode_content=True):
            begin += part[: _ANSWER_MAX - len(begin)]
            size += len(part)
            if size > _READ_MAX or time.monotonic() > deadline:
                return begin, False
    except (HTTPError, OSError) as error:
        return begin or f"(the answer broke off: {cause(error)})".encode(), False
    return begin, True


def _hung_up(error: requests.RequestException) -> bool:
    """Return whether the other side closed the connection without a word."""
    without_a_word = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
    return any(isinstance(one, without_a_word) for one in nested(error))


def _let_go(error: requests.RequestException) -> None:
    """Let go of what the failed request held: its frames and its error hold each other, and all connections.

    Without this, `close` would close them when the garbage is collected.
    """
    for one in nested(error):
        traceback.clear_frames(one.__traceback__)

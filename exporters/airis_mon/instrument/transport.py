"""One connection to one sidecar, over which batches are posted."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

PATH = "/v1/operations"
_AGAIN = (401, 403, 408, 429, 502, 503, 504)
"""Passwords are changed and certificates renewed while a process runs: no reason to lose anything."""
_LONGEST_WAIT = 300.0


class TransportError(Exception):
    """No answer was had: what was sent may have arrived, or not."""


@dataclass(frozen=True)
class Answer:
    """What a sidecar said."""

    status: int
    body: bytes
    wait: float
    """Seconds that it asks to wait for before the next attempt; 0 where it names none."""

    @property
    def again(self) -> bool:
        """Say whether the same batch may be taken at another time."""
        return self.status in _AGAIN

    @property
    def text(self) -> str:
        """Return what it said, to be shown."""
        return self.body[:500].decode("utf-8", "backslashreplace")


class Transport:
    """Posts to a sidecar; connects when it has to. Used by one thread, but for `interrupt`."""

    def __init__(
        self,
        url: str,
        timeout: float,
        headers: Mapping[str, str],
        user: tuple[str, str] | None,
        tls: ssl.SSLContext | None,
    ) -> None:
        """Take the sidecar's root; `timeout` is seconds for each step. ValueError for a URL that is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"`{url}` is no URL of a sidecar; write http://HOST:PORT or https://HOST:PORT")
        self._address = (parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
        self._path = parts.path.rstrip("/") + PATH
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._timeout = timeout
        self._headers = {"Content-Type": "application/x-ndjson", **headers}
        if user is not None:
            self._headers["Authorization"] = "Basic " + base64.b64encode(":".join(user).encode()).decode()
        self._connection: http.client.HTTPConnection | None = None

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a batch; TransportError where no answer comes."""
        try:
            connection = self._connected()
            connection.request("POST", self._path, body, {**self._headers, **headers})
            answer = connection.getresponse()
            said = answer.read(1_000_000)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # ValueError: a header that HTTP cannot carry. The sending thread must outlive it, to say so.
            self.close()
            host, port = self._address
            raise TransportError(f"cannot send to {host}:{port}: {error or type(error).__name__}") from None
        if answer.will_close:
            self.close()
        return Answer(answer.status, said, _seconds(answer.getheader("Retry-After")))

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._tls is None:
                self._connection = http.client.HTTPConnection(*self._address, timeout=self._timeout)
            else:
                self._connection = http.client.HTTPSConnection(
                    *self._address, timeout=self._timeout, context=self._tls
                )
        return self._connection

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def forget(self) -> None:
        """Let go of the connection without a word, in a child: it is its parent's."""
        self._connection = None

    def interrupt(self) -> None:
        """End a request that hangs: its batch keeps its number, and so counts once if it is sent again."""
        sock = getattr(self._connection, "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _seconds(retry_after: str | None) -> float:
    """Return what a Retry-After header asks for, at most five minutes; 0 where it names no seconds."""
    if retry_after is None or not (retry_after.isascii() and retry_after.strip().isdigit()):
        return 0.0
    return min(float(retry_after), _LONGEST_WAIT)

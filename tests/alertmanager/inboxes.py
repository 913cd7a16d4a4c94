"""Inboxes that really receive: an HTTP server and an SMTP server on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope


@dataclass(frozen=True)
class Post:
    """One webhook message; `at` is when it came, in Unix seconds."""

    path: str
    payload: dict[str, Any]
    at: float

    @property
    def status(self) -> str:
        return str(self.payload["status"])

    @property
    def monitors(self) -> set[str]:
        return {alert["labels"].get("monitor", "") for alert in self.payload["alerts"]}


class HttpInbox:
    """Takes every POST; `url` is its root."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.posts: list[Post] = []

    def about(self, monitor: str, path: str | None = None, status: str | None = None) -> list[Post]:
        return [
            post
            for post in self.posts
            if monitor in post.monitors and path in (None, post.path) and status in (None, post.status)
        ]


class SmtpInbox:
    """Takes every mail for `address` (host:port)."""

    def __init__(self) -> None:
        self.address = ""
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.original_content or b"", policy=policy.default))
        return "250 OK"


class _Server(ThreadingHTTPServer):
    # Many messages at one moment: with the usual 5 the sixth would come a second late.
    request_queue_size = 128


@contextmanager
def http_inbox() -> Iterator[HttpInbox]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.posts.append(Post(self.path, json.loads(body), time.time()))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        inbox = HttpInbox(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield inbox
        finally:
            server.shutdown()
            thread.join()


class _Controller(Controller):
    """Closes what is still open when it is stopped; aiosmtpd leaves that to the garbage collector."""

    def __init__(self, handler: SmtpInbox, **options: Any) -> None:
        self._sessions: list[SMTP] = []
        super().__init__(handler, **options)

    def factory(self) -> SMTP:
        self._sessions.append(SMTP(self.handler, **self.SMTP_kwargs))
        return self._sessions[-1]

    def stop(self, no_assert: bool = False) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(timeout=10)
        super().stop(no_assert)

    async def _close(self) -> None:
        assert self.server is not None
        self.server.close()
        for session in self._sessions:
            if isinstance(session.transport, asyncio.WriteTransport):
                session.transport.abort()
        for _ in range(3):  # a socket is closed in a later turn of the loop than its transport
            await asyncio.sleep(0)


@contextmanager
def smtp_inbox(port: int, **options: Any) -> Iterator[SmtpInbox]:
    """Start an SMTP server; `options` are those of aiosmtpd's SMTP, such as `tls_context`."""
    inbox = SmtpInbox()
    controller = _Controller(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    inbox.address = f"127.0.0.1:{port}"
    try:
        yield inbox
    finally:
        controller.stop()

"""A stand-in for the services that Alertmanager posts to: an HTTP server that keeps every request.

It answers as those services do where Alertmanager looks at the answer. It checks nothing; tests do.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWERS = {
    "/slack": (200, "text/plain", "ok"),
    "/pagerduty": (202, "application/json", '{"status": "success", "dedup_key": "x"}'),
}
"""Beginning of a path to status, type and body; anything else is answered with an empty 200."""


@dataclass(frozen=True)
class Request:
    """What was sent."""

    method: str
    path: str
    headers: Message
    body: str

    @property
    def payload(self) -> Any:
        return json.loads(self.body)


class StandIn:
    """Keeps every request; `url` is its root."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Request] = []

    def to(self, path: str) -> list[Request]:
        """Return the requests whose path begins so, in the order they came."""
        return [request for request in self.requests if request.path.startswith(path)]


@contextmanager
def stand_in() -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._take()

        do_PUT = do_GET = do_POST  # noqa: N815

        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            found.requests.append(Request(self.command, self.path, self.headers, body))
            known = (answer for begin, answer in ANSWERS.items() if self.path.startswith(begin))
            status, kind, text = next(known, (200, "text/plain", ""))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = StandIn(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()

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

JSON = "application/json"
ANSWERS = {
    "/slack": (200, "text/plain", "ok"),
    "/teams": (202, "text/plain", ""),
    "/pagerduty": (202, JSON, '{"status": "success", "dedup_key": "x"}'),
    "/opsgenie": (202, JSON, '{"result": "Request will be processed"}'),
    "/discord": (204, "text/plain", ""),
    "/telegram": (
        200,
        JSON,
        '{"ok": true, "result": {"message_id": 1, "date": 1, "chat": {"id": -100, "type": "group"}}}',
    ),
    "/sns": (
        200,
        "text/xml",
        '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1'
        "</MessageId></PublishResult></PublishResponse>",
    ),
    "/jira/rest/api/2/issue/OPS-1/transitions": (
        200,
        JSON,
        '{"transitions": [{"id": "31", "name": "Done"}]}',
    ),
    "/jira/rest/api/2/issue": (201, JSON, '{"id": "1", "key": "OPS-1"}'),
}
"""Beginning of a path to status, type and body, the first that fits; anything else gets an empty 200."""
_ISSUE = '{"key": "OPS-1", "fields": {"status": {"statusCategory": {"key": "new"}}}}'


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


def _answer(path: str, heard: StandIn) -> tuple[int, str, str]:
    if path == "/jira/rest/api/2/search":
        begun = any(request.path == "/jira/rest/api/2/issue" for request in heard.requests)
        issues = _ISSUE if begun else ""
        return 200, JSON, f'{{"total": {int(begun)}, "issues": [{issues}]}}'
    known = (answer for begin, answer in ANSWERS.items() if path.startswith(begin))
    return next(known, (200, "text/plain", ""))


@contextmanager
def stand_in() -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._take()

        do_PUT = do_GET = do_POST  # noqa: N815

        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            found.requests.append(Request(self.command, self.path, self.headers, body))
            status, kind, text = _answer(self.path, found)
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

"""A receiver that answers what a test asks for: what a healthy Prometheus cannot be made to say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cramjam

from tests.remote_write.wire import Decoded, decode


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    series: list[Decoded]


@dataclass(frozen=True)
class Reply:
    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


@dataclass
class Receiver:
    url: str
    requests: list[Request]


@contextmanager
def receiver(answer: Callable[[Request], Reply]) -> Iterator[Receiver]:
    requests: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            plain = bytes(cramjam.snappy.decompress_raw(body))
            request = Request(self.path, dict(self.headers), decode(plain))
            requests.append(request)
            reply = answer(request)
            text = reply.text.encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Receiver(f"http://127.0.0.1:{server.server_port}/api/v1/write", requests)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

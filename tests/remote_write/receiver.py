"""A receiver that answers what a test asks for: what a healthy Prometheus cannot be made to say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cramjam

from tests.remote_write.wire import Decoded, decode, decode_2


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    series: list[Decoded]
    body: bytes
    """As it came, compressed."""

    @property
    def version(self) -> str:
        return self.headers["X-Prometheus-Remote-Write-Version"]

    @property
    def samples(self) -> int:
        return sum(len(one.samples) for one in self.series)


@dataclass(frozen=True)
class Reply:
    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    written: int | None = None
    """Samples that a 2.0 receiver says it has written; by default all of a 2.0 request that it takes."""
    mute: bool = False
    """It says nothing of what it wrote, as receivers of 1.0 do."""


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
            second = "v2.Request" in self.headers["Content-Type"]
            series = decode_2(plain) if second else decode(plain)
            request = Request(self.path, dict(self.headers), series, body)
            requests.append(request)
            reply = answer(request)
            text = reply.text.encode()
            self.send_response(reply.status)
            written = request.samples if reply.written is None and reply.status < 300 else reply.written
            if second and written is not None and not reply.mute:
                self.send_header("X-Prometheus-Remote-Write-Samples-Written", str(written))
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

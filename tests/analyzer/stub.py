"""What a Prometheus answers, on a clock that the test moves, and faults that a healthy one does not show."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import cramjam
import numpy as np

from airis_mon.analyzer.query import Labels
from airis_mon.analyzer.query.fake import Course
from tests.remote_write.wire import decode

WRITE = "/api/v1/write"
Key = tuple[Any, ...]


@dataclass
class Prometheus:
    """Answers about its courses, whatever the expression, and keeps what is written to it."""

    courses: dict[Labels, Course]
    time: float
    fault: Callable[[str, dict[str, str]], bytes | None] = lambda path, form: None
    """Called before an answer: what it returns is sent as it is, and nothing else is done."""
    after: Callable[[str], None] = lambda path: None
    """Called when all of a request was read and stored, and before it is answered."""
    url: str = ""
    written: dict[Key, set[bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, form: dict[str, str]) -> Any:
        if form["query"] == "time()":
            return {"resultType": "scalar", "result": [self.time, str(self.time)]}
        if path.endswith("query"):
            times = np.array([int(form["time"])])
            kind, key = "vector", "value"
        else:
            times = np.arange(int(form["start"]), int(form["end"]) + 1, int(form["step"]))
            kind, key = "matrix", "values"
        result = []
        for labels, course in self.courses.items():
            values = [(int(at), repr(float(v))) for at, v in zip(times, course(times), strict=True) if v == v]
            if values:
                result.append({"metric": dict(labels), key: values[0] if kind == "vector" else values})
        return {"resultType": kind, "result": result}

    def store(self, body: bytes) -> None:
        for series in decode(bytes(cramjam.snappy.decompress_raw(body))):
            for at, number in series.samples:
                self.written.setdefault((at, *sorted(series.labels)), set()).add(number)


@contextmanager
def serving(there: Prometheus) -> Iterator[Prometheus]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            there.asked.append(self.path)
            if self.path == WRITE:
                self._written(body)
                return
            form = dict(parse_qsl(body.decode()))
            raw = there.fault(self.path, form)
            if raw is not None:
                self.wfile.write(raw)
                self.close_connection = True
                return
            text = json.dumps({"status": "success", "data": there.answer(self.path, form)})
            there.after(self.path)
            self._reply(200, text.encode())

        def _written(self, body: bytes) -> None:
            if "v2.Request" in self.headers["Content-Type"]:
                self._reply(415, b"remote write 1.0 alone")
                return
            there.store(body)
            there.after(self.path)
            self._reply(204, b"")

        def _reply(self, status: int, text: bytes) -> None:
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing: who asked was killed, which is what the test is about."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    there.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield there
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def season(at: np.ndarray) -> np.ndarray:
    return np.asarray(10 + 5 * np.sin(2 * math.pi * at / 86400) + np.sin(at * 12.9898) * 0.3)

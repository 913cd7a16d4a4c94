"""A real Prometheus with weeks of a fleet's history in it: filled by remote write, as fast as it takes it.

Messages are made of whole arrays, so that what takes time is the server's own work. One block holds the whole
past, because a head takes what is older than its newest sample only within half a block.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cramjam
import numpy as np
import requests
from numpy.typing import NDArray

from airis_mon.stack import ports, servers
from airis_mon.stack import prometheus as prometheus_command
from airis_mon.stack.processes import Process

Labels = tuple[tuple[str, str], ...]
"""Pairs sorted by name."""
Course = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""Timestamps in seconds -> values."""

_KEPT = 90 * 86400
_REQUEST_SAMPLES = 200_000
_FLAGS = (
    "--storage.tsdb.min-block-duration=70d",
    "--storage.tsdb.max-block-duration=70d",
    "--query.max-samples=100000000",
)


@contextmanager
def prometheus(given: Path | None = None) -> Iterator[str]:
    """Yield the URL of a Prometheus without a past, which is ended and removed afterwards."""
    server = servers.find("prometheus", given=given, cache=servers.default_cache(os.environ))
    with tempfile.TemporaryDirectory(prefix="airis-fleet-") as name:
        folder = Path(name)
        (folder / "prometheus.yml").write_text("{}\n", encoding="ascii")
        command = prometheus_command.command(
            server,
            config=folder / "prometheus.yml",
            data=folder / "data",
            address=f"127.0.0.1:{ports.free_port()}",
            retention=_KEPT,
            flags=_FLAGS,
        )
        process = Process(command, folder / "log")
        try:
            process.wait_ready()
            yield command.url
        finally:
            process.stop(deadline=0.0)


def fill(url: str, fleet: Sequence[tuple[Labels, Course]], times: NDArray[np.int64]) -> None:
    """Write the course of each series at `times`, in seconds and ascending."""
    at_once = max(1, _REQUEST_SAMPLES // len(times))
    message = _Samples(times)
    with requests.Session() as session:
        for first in range(0, len(fleet), at_once):
            body = b"".join(
                _field(0x0A, _labels(labels) + message.of(course(times)))
                for labels, course in fleet[first : first + at_once]
            )
            answer = session.post(
                f"{url}/api/v1/write",
                data=bytes(cramjam.snappy.compress_raw(body)),
                headers={"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"},
                timeout=120,
            )
            if answer.status_code >= 300:
                raise RuntimeError(f"Prometheus answered {answer.status_code}: {answer.text[:300]}")


class _Samples:
    """The samples of one series as bytes: all are of one size, since so are their timestamps."""

    def __init__(self, times: NDArray[np.int64]) -> None:
        stamps = np.frombuffer(b"".join(map(_varint, (times * 1000).tolist())), np.uint8)
        stamps = stamps.reshape(len(times), -1)
        size = 10 + stamps.shape[1]
        self._rows = np.empty((len(times), 2 + size), np.uint8)
        self._rows[:, 0], self._rows[:, 1] = 0x12, size
        self._rows[:, 2] = 0x09
        self._rows[:, 11] = 0x10
        self._rows[:, 12:] = stamps

    def of(self, values: NDArray[np.float64]) -> bytes:
        self._rows[:, 3:11] = np.ascontiguousarray(values, "<f8").view(np.uint8).reshape(-1, 8)
        return self._rows.tobytes()


def _labels(labels: Labels) -> bytes:
    pairs = ((name.encode(), value.encode()) for name, value in labels)
    return b"".join(_field(0x0A, _field(0x0A, name) + _field(0x12, value)) for name, value in pairs)


def _field(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)

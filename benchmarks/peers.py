"""The servers that ingest is measured beside: Debian's pushgateway and VictoriaMetrics, and our own sidecar.

Each is a real process on this machine's disk that takes the same events over HTTP, and each is killed with
SIGKILL right after its last answer and started anew: what is then still there is what an answer of it means.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import requests

from airis_mon.stack import debian
from airis_mon.stack.servers import default_cache

PACKAGES = ("prometheus-pushgateway", "victoria-metrics")
SERIES = 10
START_SECONDS = 60.0


@dataclass
class Peer:
    """One server, how it is spoken to, and what its documentation says of what it has answered."""

    name: str
    command: list[str]
    """`{port}` and `{folder}` stand for where it listens and what it keeps."""
    path: str
    content_type: str
    ready: str
    guarantee: str
    folder: Path = field(default_factory=Path)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it on its folder, and wait until it is ready."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        argv = [part.format(port=self.port, folder=self.folder) for part in self.command]
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if requests.get(f"http://{self.address}{self.ready}", timeout=5).status_code == 200:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.02)
        raise RuntimeError(f"{self.name} did not start")

    def kill(self) -> None:
        """End it as a power switch would end a process."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def body(self, events: int, connection: int) -> bytes:
        """Return so many events as this server takes them."""
        return lines(events, connection)

    def counted(self) -> int | None:
        """Return how many events it can tell of; None where it keeps the latest value alone."""
        return None

    def wire(self, events: int, connection: int) -> bytes:
        """Return a whole HTTP request."""
        body = self.body(events, connection)
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {self.content_type}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Sidecar(Peer):
    """Our own."""

    def body(self, events: int, connection: int) -> bytes:
        """Return counter increments and observations, half and half."""
        now = datetime.now(UTC).isoformat()
        items = [
            {
                "timestamp": now,
                "source": "bench",
                "metric_type": "counter" if number % 2 else "performance",
                "metric_name": "operations" if number % 2 else "inference_time",
                "value": 1 if number % 2 else 12.5,
                "unit": "" if number % 2 else "milliseconds",
                "tags": {"region": f"region-{(connection + number) % SERIES}", "model": "llama"},
            }
            for number in range(1, events + 1)
        ]
        return json.dumps(items).encode()

    def counted(self) -> int:
        """Return the increments and observations that are exposed."""
        text = requests.get(f"http://{self.address}/metrics", timeout=30).text
        names = ("operations_total{", "inference_time_seconds_count{")
        found = (line for line in text.splitlines() if line.startswith(names))
        return round(sum(float(line.rpartition(" ")[2]) for line in found))


class Pushgateway(Peer):
    """No aggregator: the latest value of each series is what it has."""

    def body(self, events: int, connection: int) -> bytes:
        """Return one sample a series, as a text that names a series twice is refused."""
        return b"".join(sorted(set(lines(events, connection, distinct=True).splitlines(keepends=True))))


class VictoriaMetrics(Peer):
    """A store of samples: each event is one."""

    def counted(self) -> int:
        """Return the samples that it exports."""
        parameters = {"match[]": '{source="bench"}', "reduce_mem_usage": "1"}
        answer = requests.get(
            f"http://{self.address}/api/v1/export", params=parameters, timeout=120, stream=True
        )
        return sum(len(json.loads(line)["values"]) for line in answer.iter_lines() if line)


def lines(events: int, connection: int, distinct: bool = False) -> bytes:
    """Return one sample an event in Prometheus' text, each of its own series where `distinct`."""
    texts = []
    for number in range(1, events + 1):
        name, value = ("operations", 1) if number % 2 else ("inference_time_seconds", 0.0125)
        region = f"region-{(connection + number) % SERIES}"
        own = f',event="{number}"' if distinct else ""
        texts.append(f'{name}{{source="bench",region="{region}",model="llama"{own}}} {value}\n')
    return "".join(texts).encode()


@contextmanager
def peer(made: Peer) -> Iterator[Peer]:
    """Yield a server that runs on a folder of its own; ended and cleared away afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        made.folder = Path(folder)
        made.start()
        try:
            yield made
        finally:
            made.kill()


def sidecar(*options: str) -> Peer:
    """Return our own, with every feature on."""
    return Sidecar(
        name="sidecar",
        command=[
            *(sys.executable, "-m", "airis_mon.cli", "sidecar", "--web.listen-address=127.0.0.1:{port}"),
            "--storage.path={folder}",
            *options,
        ],
        path="/v1/metrics",
        content_type="application/json",
        ready="/-/ready",
        guarantee="on disk when answered, counted once",
    )


def others() -> list[Peer]:
    """Return the peers, Debian's packages unpacked into the user's cache where they are not there yet."""
    cache = default_cache(os.environ)

    def program(package: str) -> str:
        folder = debian.folder(package, cache, lambda text: print(f"  {text}", file=sys.stderr), PACKAGES)
        return str(folder / "usr" / "bin" / package)

    return [
        Pushgateway(
            name="pushgateway",
            command=[
                program("prometheus-pushgateway"),
                *("--web.listen-address=127.0.0.1:{port}", "--persistence.file={folder}/kept"),
            ],
            path="/metrics/job/bench",
            content_type="text/plain; version=0.0.4",
            ready="/-/ready",
            guarantee="in memory when answered, on disk after 5 minutes; the latest value alone",
        ),
        VictoriaMetrics(
            name="victoriametrics",
            command=[
                program("victoria-metrics"),
                *("-httpListenAddr=127.0.0.1:{port}", "-storageDataPath={folder}", "-retentionPeriod=1"),
            ],
            path="/api/v1/import/prometheus",
            content_type="text/plain",
            ready="/health",
            guarantee="in memory when answered, on disk a few seconds later; a batch sent again counts again",
        ),
    ]

"""What the durable sidecar takes in: events a second in batches of 100, and requests of a single event.

One real process with `--storage.path` on this machine's disk, every feature on; the client shares its cores
and is as cheap as can be: bodies made beforehand, raw streams, connections kept. An event counts when its 200
has come back, that is after fdatasync. What is counted at the end is compared with what was answered.

    python -m benchmarks.ingest [--seconds N] [--connections N]

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import requests

BATCH = 100
SERIES = 10


def request(events: int, connection: int) -> bytes:
    """Return a whole HTTP request of so many counter increments."""
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
    body = json.dumps(items).encode()
    head = (
        f"POST /v1/metrics HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def load(address: str, events: int, connections: int, seconds: float) -> tuple[int, list[float]]:
    """Return how many events were acknowledged, and how long each request took, in seconds."""
    host, _, port = address.rpartition(":")
    end = time.perf_counter() + seconds
    acknowledged = 0
    durations: list[float] = []

    async def connection(number: int) -> None:
        nonlocal acknowledged
        reader, writer = await asyncio.open_connection(host, int(port))
        wire = request(events, number)
        while (begin := time.perf_counter()) < end:
            writer.write(wire)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"the sidecar answers {head[:200]!r}")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            durations.append(time.perf_counter() - begin)
            acknowledged += events
        writer.close()

    await asyncio.gather(*(connection(number) for number in range(connections)))
    return acknowledged, durations


@contextmanager
def sidecar(*options: str) -> Iterator[str]:
    """Yield the address of a durable sidecar."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "airis_mon.cli", "sidecar", "--web.listen-address=127.0.0.1:0"),
                f"--storage.path={folder}",
                *options,
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stderr is not None
            said = map(json.loads, process.stderr)
            address = next(line["address"] for line in said if line["msg"] == "listening")
            while requests.get(f"http://{address}/-/ready", timeout=5).status_code != 200:
                time.sleep(0.01)
            yield address
        finally:
            process.terminate()
            process.communicate(timeout=30)


def counted(address: str) -> int:
    """Return the increments and observations that the sidecar exposes."""
    lines = requests.get(f"http://{address}/metrics", timeout=30).text.splitlines()
    names = ("operations_total{", "inference_time_seconds_count{")
    return round(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(names)))


def measure(seconds: float, connections: int) -> dict[str, object]:
    """Return the figures; RuntimeError where what is counted is not what was acknowledged."""
    with sidecar() as address:
        run = asyncio.run
        warm, _ = run(load(address, BATCH, connections, 1.0))
        began = time.perf_counter()
        batched, durations = run(load(address, BATCH, connections, seconds))
        took = time.perf_counter() - began
        began = time.perf_counter()
        single, singles = run(load(address, 1, connections, seconds))
        took_single = time.perf_counter() - began
        found, sent = counted(address), warm + batched + single
    if found != sent:
        raise RuntimeError(f"{sent} events were acknowledged, {found} are counted")
    return {
        "events_per_second": round(batched / took),
        "p99_ms": round(statistics.quantiles(durations, n=100)[98] * 1e3, 1),
        "single_per_second": round(single / took_single),
        "single_p99_ms": round(statistics.quantiles(singles, n=100)[98] * 1e3, 1),
        "acknowledged_and_counted": found,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each of the two loads")
    parser.add_argument("--connections", type=int, default=16)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.seconds, arguments.connections)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

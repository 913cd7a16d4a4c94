"""What a sidecar's memory is bounded by: series, hostile labels, overload.

- `mib_100k_series`: resident memory of a real process with 100,000 series, a third each of counters, gauges
  and histograms of 14 buckets, after a scrape.
- `mib_10m_label_values`: by how much it grows while ten million distinct label values are sent to it.
- `overload_*`: a process that may use 512 MiB (a control group; without one an address space of that size on
  top of what it maps at the start) is offered ten times the connections that saturate it, each sending again
  at once, whatever it is answered. `overload_p99_ms` is the 99th percentile of what was accepted.

    python -m benchmarks.memory [--values N] [--seconds N]

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
import uvloop

from benchmarks.exposition import ROOMY, fill
from benchmarks.peers import Peer, peer, sidecar

MIB = 1024 * 1024
BATCH = 10_000
OVERLOAD = 10
SATURATING = 16
LIMIT = 512 * MIB
CONTROL_GROUPS = Path("/sys/fs/cgroup/memory")


def resident_mib(server: Peer) -> float:
    """Return the resident memory of a server's process."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def series() -> dict[str, float]:
    """Return what 100,000 series take."""
    with peer(sidecar(*ROOMY)) as server:
        fill(f"http://{server.address}")
        answer = requests.get(f"http://{server.address}/metrics", timeout=60)
        if answer.text.count("\n") < 600_000:
            raise RuntimeError("the series are not there")
        return {"mib_100k_series": round(resident_mib(server), 1)}


def label_values(values: int) -> dict[str, float]:
    """Return by how much a server grows while so many label values come in."""
    with peer(sidecar()) as server, requests.Session() as session:
        url = f"http://{server.address}/v1/metrics"
        send(session, url, 0)
        before = resident_mib(server)
        for first in range(BATCH, values + BATCH, BATCH):
            answer = send(session, url, first)
        if answer.status_code != 400 or "label sets already" not in answer.text:
            raise RuntimeError(f"values beyond the limit are answered {answer.status_code}")
        text = requests.get(f"http://{server.address}/metrics", timeout=60).text
        if text.count("\nhostile_total{") > BATCH:
            raise RuntimeError("more series than the limit allows")
        return {"label_values": values, "mib_10m_label_values": round(resident_mib(server) - before, 1)}


def send(session: requests.Session, url: str, first: int) -> requests.Response:
    """Send a batch of which each item has a label value of its own."""
    items = ",".join(
        f'{{"timestamp":"2026-01-01T00:00:00Z","source":"bench","metric_type":"counter",'
        f'"metric_name":"hostile","value":1,"tags":{{"user":"user-{number}"}}}}'
        for number in range(first, first + BATCH)
    )
    body = f"[{items}]".encode()
    return session.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=60)


@contextmanager
def limited(server: Peer) -> Iterator[str]:
    """Bound a running server's memory; yields how. What it asks for beyond kills it, or fails it."""
    assert server.process is not None
    group = CONTROL_GROUPS / f"airis-{uuid.uuid4().hex[:8]}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(LIMIT), encoding="ascii")
        (group / "cgroup.procs").write_text(str(server.process.pid), encoding="ascii")
    except OSError:
        status = Path(f"/proc/{server.process.pid}/statm").read_text(encoding="ascii")
        mapped = int(status.split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, (mapped + LIMIT, mapped + LIMIT))
        yield "address space"
        return
    try:
        yield "control group"
    finally:
        server.kill()
        group.rmdir()


async def overload(address: str, wires: list[bytes], seconds: float) -> tuple[list[float], int]:
    """Send again and again over each connection; return how long accepted ones took, and the refused."""
    host, _, port = address.rpartition(":")
    end = time.perf_counter() + seconds
    accepted: list[float] = []
    refused = 0

    async def connection(wire: bytes) -> None:
        nonlocal refused
        while time.perf_counter() < end:
            try:
                reader, writer = await asyncio.open_connection(host, int(port))
                while (begin := time.perf_counter()) < end:
                    writer.write(wire)
                    head = (await reader.readuntil(b"\r\n\r\n")).lower()
                    length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
                    await reader.readexactly(int(length))
                    if head.startswith(b"http/1.1 200"):
                        accepted.append(time.perf_counter() - begin)
                    elif head.startswith((b"http/1.1 429", b"http/1.1 503")):
                        refused += 1
                    else:
                        raise RuntimeError(f"the sidecar answers {head[:200]!r}")
                writer.close()
            except (OSError, asyncio.IncompleteReadError):
                # Cut off, as an overloaded server may; but not for ever.
                refused += 1
                await asyncio.sleep(0.01)

    await asyncio.gather(*map(connection, wires))
    return accepted, refused


def overloaded(seconds: float) -> dict[str, object]:
    """Return how a process of bounded memory fares under ten times what saturates it."""
    with peer(sidecar()) as server:
        wires = [server.wire(100, number) for number in range(OVERLOAD * SATURATING)]
        with limited(server) as how:
            process = server.process
            assert process is not None
            accepted, refused = uvloop.run(overload(server.address, wires, seconds))
            killed = process.poll() is not None
            grown = None if killed else round(resident_mib(server), 1)
    if len(accepted) < 100:
        raise RuntimeError(f"{len(accepted)} requests were accepted, {refused} refused")
    return {
        "overload_p99_ms": round(statistics.quantiles(accepted, n=100)[98] * 1e3, 1),
        "overload_killed": killed,
        "overload_accepted_events_per_second": round(100 * len(accepted) / seconds),
        "overload_refused_requests": refused,
        "overload_mib": grown,
        "overload_limit_by": how,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory")
    parser.add_argument("--values", type=int, default=10_000_000, help="distinct label values")
    parser.add_argument("--seconds", type=float, default=30.0, help="of overload")
    arguments = parser.parse_args()
    figures: dict[str, object] = dict(series())
    print(json.dumps(figures), flush=True)
    figures.update(label_values(arguments.values))
    print(json.dumps(figures), flush=True)
    figures.update(overloaded(arguments.seconds))
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())

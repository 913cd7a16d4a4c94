"""What the durable sidecar takes in: events a second in batches of 100, and requests of a single event.

One real process with `--storage.path` on this machine's disk, every feature on; the client shares its cores
and is as cheap as can be: bodies made beforehand, raw streams, connections kept. An event counts when its
answer has come back, that is after fdatasync. Beside it, in turns, the same events go to Debian's pushgateway
and VictoriaMetrics (`peers`). At the end each is killed with SIGKILL and started anew: `kept_after_kill` is
the part of what it had acknowledged that is then still counted, null where it keeps no count.

    python -m benchmarks.ingest [--seconds N] [--rounds N] [--connections N]

The last line is one JSON object. It fails where the sidecar counts anything but what it acknowledged.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import uvloop

from benchmarks.peers import Peer, others, peer, sidecar

BATCH = 100
SINGLE = 4
"""Times as many connections send single events: a client that waits for each answer is one of many."""


@dataclass
class Load:
    """What one server has answered."""

    acknowledged: int = 0
    per_second: list[float] = field(default_factory=list)
    """Events, by round."""
    durations: list[float] = field(default_factory=list)
    """Of each request, in seconds."""

    @property
    def p99_ms(self) -> float:
        return round(statistics.quantiles(self.durations, n=100)[98] * 1e3, 1)


async def send(address: str, wires: list[bytes], seconds: float) -> list[float]:
    """Send each wire over a connection of its own, again and again; return how long each request took."""
    host, _, port = address.rpartition(":")
    end = time.perf_counter() + seconds
    durations: list[float] = []

    async def connection(wire: bytes) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        while (begin := time.perf_counter()) < end:
            writer.write(wire)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if not head.startswith((b"http/1.1 200", b"http/1.1 204")):
                raise RuntimeError(f"{address} answers {head[:200]!r}")
            _, named, rest = head.partition(b"content-length: ")
            if named:
                await reader.readexactly(int(rest.partition(b"\r\n")[0]))
            durations.append(time.perf_counter() - begin)
        writer.close()

    await asyncio.gather(*map(connection, wires))
    return durations


def run(server: Peer, load: Load, events: int, connections: int, seconds: float) -> None:
    """Load a server for one round."""
    wires = [server.wire(events, number) for number in range(connections)]
    began = time.perf_counter()
    durations = uvloop.run(send(server.address, wires, seconds))
    took = time.perf_counter() - began
    load.acknowledged += events * len(durations)
    load.per_second.append(events * len(durations) / took)
    load.durations += durations


def kept_after_kill(server: Peer, acknowledged: int) -> float | None:
    """Kill, start anew, and return which part of what was acknowledged is still counted."""
    server.kill()
    server.start()
    counted = server.counted()
    return None if counted is None else round(counted / acknowledged, 4)


def measure(seconds: float, rounds: int, connections: int) -> dict[str, object]:
    """Return the figures; RuntimeError where what is counted is not what was acknowledged."""
    with ExitStack() as stack:
        servers = [stack.enter_context(peer(made)) for made in (sidecar(), *others())]
        ours = servers[0]
        batched = {server.name: Load() for server in servers}
        single, warm = Load(), Load()
        run(ours, warm, BATCH, connections, 1.0)
        for _ in range(rounds):
            for server in servers:
                run(server, batched[server.name], BATCH, connections, seconds / rounds)
            run(ours, single, 1, SINGLE * connections, seconds / rounds)
        acknowledged = warm.acknowledged + batched[ours.name].acknowledged + single.acknowledged
        if ours.counted() != acknowledged:
            raise RuntimeError(f"{acknowledged} events were acknowledged, {ours.counted()} are counted")
        batched[ours.name].acknowledged = acknowledged
        figures = {
            server.name: {
                "events_per_second": round(statistics.median(batched[server.name].per_second)),
                "p99_ms": batched[server.name].p99_ms,
                "kept_after_kill": kept_after_kill(server, batched[server.name].acknowledged),
                "guarantee": server.guarantee,
            }
            for server in servers
        }
    own = figures.pop(ours.name)
    if own["kept_after_kill"] != 1:
        raise RuntimeError(f"after SIGKILL {own['kept_after_kill']} of what was acknowledged is counted")
    return {
        **own,
        "single_per_second": round(statistics.median(single.per_second)),
        "single_p99_ms": single.p99_ms,
        "acknowledged_and_counted": acknowledged,
        "peers": figures,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each load")
    parser.add_argument("--rounds", type=int, default=5, help="in which the loads take turns")
    parser.add_argument("--connections", type=int, default=16)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.seconds, arguments.rounds, arguments.connections)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

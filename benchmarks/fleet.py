"""A fleet of series read from a real Prometheus, scored, forecast and written back, cycle after cycle.

Each series belongs to a service of ten; all are scored, and forecast a day ahead. History lies in Prometheus
at a point every five minutes. Cycles are run by an analyzer process of its own, a minute of the server's time
apart, at the service's default schedule; that time is told by us, so that nobody waits for it. It begins at
a quarter of a day, when there is most to do: models are fitted anew, whole pasts are learnt from for the next
quarter, and forecasts far ahead are made. Seconds are those of the clock: the server's work is in them, and
whatever else the machine does.

- `fleet_seconds`: the slowest cycle once everything is learnt, of `CYCLES`, among them one that fits anew;
  the larger of two shapes: a query for each service (of 10 series), and one for each thousand series.
- `cold_seconds`: from the start of a process that knows nothing to a cycle that scored every series.
- `fleet_rss_mib`: the most memory that the analyzer's process ever had, cold start included.
- `growth_seconds`: of the processors, for a cycle of each of `growth_series` (`SIZES`).
- `growth_exponent`: how the time of a cycle grows with series, by least squares of the logarithms over
  `SIZES`; 1 is linear. Seconds are those of processors, the analyzer's and Prometheus', since others on the
  machine change them little. Of those fleets history is `GROWTH_DAYS` long: learning is not what is compared.

    python -m benchmarks.fleet [--series N] [--days N] [--prometheus BIN]

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import requests
from numpy.typing import NDArray

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.query import Frame, HttpQuerier
from airis_mon.analyzer.schedule import LEARN_INTERVAL, Schedule
from airis_mon.remote_write import Delivery, HttpWriter
from benchmarks import store

SERIES = 10_000
DAYS = 7
SIZES = (1_000, 3_000, 10_000, 50_000)
GROWTH_DAYS = 2
SHAPES = {"many": 10, "few": 1_000}
"""Series of one query."""
CYCLES = tuple(range(120, 840, 60))
"""Seconds after the end of the history that a cold start saw; at 600 models are fitted anew."""
GROWTH_CYCLES = (120, 180, 240, 660, 720, 780)
"""Likewise, of fleets that grow and of several workers: fewer, since one of 50,000 series takes a minute."""
DAY = 86400
SCRAPE = 300
_DEADLINE = 1800


@dataclass(frozen=True)
class Run:
    """What one analyzer process was told, and what came of it."""

    cold: float
    """Seconds until every series was scored."""
    cycles: tuple[float, ...]
    """Seconds of each cycle after that."""
    processor: float
    """Processor seconds of such a cycle, the server's included."""
    rss: float
    """MiB, at most."""
    written: int
    """Samples of the last cycle."""


class Clocked:
    """A querier whose server is asked about the past, as if it were now."""

    def __init__(self, inner: HttpQuerier) -> None:
        """Ask `inner`."""
        self._inner = inner
        self.time = 0.0

    def now(self) -> float:
        """Return the time that was set, having asked for the server's as the service would."""
        self._inner.now()
        return self.time

    def range(self, expr: str, start: int, end: int, step: int) -> Frame:
        """Ask."""
        return self._inner.range(expr, start, end, step)

    def instant(self, expr: str, at: int) -> Frame:
        """Ask."""
        return self._inner.instant(expr, at)

    def close(self) -> None:
        """Close."""
        self._inner.close()


def fleet(count: int) -> list[tuple[store.Labels, store.Course]]:
    """Return as many series, each with a day's season, noise, and a level that walks."""
    chance = np.random.default_rng(1)
    noise = np.cumsum(chance.normal(0, 0.02, 60_000)) + chance.normal(0, 0.3, 60_000)
    made: list[tuple[store.Labels, store.Course]] = []
    for number in range(count):
        service = number // SHAPES["many"]
        labels = {
            "__name__": "fleet_latency_seconds",
            "instance": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}:8080",
            "job": "serving",
            "namespace": f"team-{service % 50}",
            "pod": f"chat-{service}-7d9f8b6c5-{number:05d}",
            "region": "eu-central-1",
            "service": f"chat-{service}",
            "group": f"g{number // SHAPES['few']}",
        }
        first, size = int(chance.integers(0, 40_000)), float(chance.uniform(1, 10))

        def course(times: NDArray[np.int64], first: int = first, size: float = size) -> NDArray[np.float64]:
            season = size * np.sin(2 * np.pi * times / DAY + first)
            return np.asarray(100 + season + noise[first : first + len(times)])

        made.append((tuple(sorted(labels.items())), course))
    return made


def queries(shape: str, count: int, days: int, run: int) -> list[Query]:
    """Return the queries that read so many series."""
    label = "service" if shape == "many" else "group"
    name = "chat-{}" if shape == "many" else "g{}"
    return [
        Query(
            monitor=name.format(number),
            # Each run writes series of its own: a second value for a moment is refused.
            model=f"run-{run}",
            signal="latency",
            expr=f'fleet_latency_seconds{{{label}="{name.format(number)}"}}',
            unit="seconds",
            history=days * DAY,
            horizons=(DAY,),
        )
        for number in range(count // SHAPES[shape])
    ]


def analyzer(url: str, shape: str, count: int, days: int, end: int, run: int, *cycles: int) -> Run:
    """Run cycles in this process, which has done nothing else."""
    there = Clocked(HttpQuerier(url, timeout=600.0))
    writer = HttpWriter(Delivery(f"{url}/api/v1/write", timeout=60.0), budget=600.0)
    cycle = Cycle(there, writer, Schedule(), concurrency=4)
    watched = queries(shape, count, days, run)
    there.time = end + 60
    began = time.monotonic()
    written = _complete(cycle, watched, count)
    cold = time.monotonic() - began
    times = []
    used = _processor(url)
    for after in cycles:
        there.time = end + after
        began = time.monotonic()
        written = _complete(cycle, watched, count)
        times.append(time.monotonic() - began)
    used = (_processor(url) - used) / len(cycles)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Run(cold, tuple(times), used, rss, written)


def _complete(cycle: Cycle, watched: Sequence[Query], scored: int) -> int:
    """Run a cycle that has to score everything, and return how many samples it wrote."""
    outcome = cycle.run(watched)
    if not outcome.complete or outcome.scored != scored:
        said = [*(failure.text for failure in outcome.failures[:3]), *outcome.written.errors[:3]]
        raise RuntimeError(f"{outcome.scored} of {scored} series were scored: {'; '.join(said)}")
    return outcome.written.sent


def _processor(url: str) -> float:
    """Return the processor seconds that this process and the server have used."""
    lines = requests.get(f"{url}/metrics", timeout=60).text.splitlines()
    server = next(line for line in lines if line.startswith("process_cpu_seconds_total "))
    return time.process_time() + float(server.rpartition(" ")[2])


def apart(
    url: str, shape: str, count: int, days: int, end: int, run: int, cycles: Sequence[int] = CYCLES
) -> Run:
    """Run cycles in a new process, so that its memory is its own."""
    arguments = ["--analyzer", url, shape, *map(str, (count, days, end, run, *cycles))]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fleet", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        timeout=_DEADLINE,
        check=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    found = json.loads(done.stdout.splitlines()[-1])
    told = Run(**{**found, "cycles": tuple(found["cycles"])})
    print(
        f"  {count} series, {shape} queries, {days} days: cold {told.cold:.1f} s, "
        f"cycles {min(told.cycles):.2f} to {max(told.cycles):.2f} s ({told.processor:.2f} s of processors), "
        f"{told.rss:.0f} MiB, {told.written} samples a cycle",
        flush=True,
    )
    return told


def exponent(counts: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the slope of the line through the logarithms."""
    return float(np.polyfit(np.log(counts), np.log(seconds), 1)[0])


def measure(
    count: int = SERIES,
    days: int = DAYS,
    sizes: Sequence[int] = SIZES,
    binary: Path | None = None,
) -> dict[str, object]:
    """Return the figures."""
    with store.prometheus(binary) as url:
        end = (int(time.time()) - 3600) // LEARN_INTERVAL * LEARN_INTERVAL
        stop = end + 1200
        made = fleet(max(count, *sizes))
        began = time.monotonic()
        store.fill(url, made[:count], np.arange(end - days * DAY, stop, SCRAPE))
        store.fill(url, made[count:], np.arange(end - GROWTH_DAYS * DAY, stop, SCRAPE))
        print(f"  {len(made)} series filled in {time.monotonic() - began:.0f} s", flush=True)
        shapes = [apart(url, shape, count, days, end, run) for run, shape in enumerate(SHAPES)]
        runs = enumerate(sizes, len(SHAPES))
        grown = [apart(url, "many", size, GROWTH_DAYS, end, run, GROWTH_CYCLES) for run, size in runs]
    return {
        "fleet_series": count,
        "fleet_days": days,
        "fleet_seconds": round(max(max(run.cycles) for run in shapes), 2),
        "fleet_rss_mib": round(max(run.rss for run in shapes), 1),
        "cold_seconds": round(max(run.cold for run in shapes), 1),
        "growth_series": list(sizes),
        "growth_seconds": [round(run.processor, 2) for run in grown],
        "growth_exponent": round(exponent(sizes, [run.processor for run in grown]), 3),
    }


def parser(program: str) -> argparse.ArgumentParser:
    """Return what reads the options of a run."""
    made = argparse.ArgumentParser(prog=program)
    made.add_argument("--series", type=int, default=SERIES, help="of the fleet (default: %(default)s)")
    made.add_argument("--days", type=int, default=DAYS, help="of its history (default: %(default)s)")
    made.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="of the fleets that grow")
    made.add_argument("--prometheus", type=Path, help="the program (default: PATH, else Debian's)")
    made.add_argument("--analyzer", nargs="+", help=argparse.SUPPRESS)
    return made


def main(argv: Sequence[str]) -> int:
    """Measure, or be the analyzer that is measured."""
    found = parser("python -m benchmarks.fleet").parse_args(argv)
    if found.analyzer:
        url, shape, *numbers = found.analyzer
        print(json.dumps(asdict(analyzer(url, shape, *map(int, numbers)))))
        return 0
    print(json.dumps(measure(found.series, found.days, found.sizes, found.prometheus)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

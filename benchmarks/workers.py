"""One cycle of a fleet in one process, and in several that share its queries as `--workers` has them do.

Each of them reads from one real Prometheus and writes back, at a time that it is told, all at once; a cycle
has ended when the last of them has. Series and queries are those of `benchmarks.fleet`: ten series each.

- `workers_seconds`: seconds of the clock of a cycle, by the number of workers, the mean of some cycles
  (`fleet.GROWTH_CYCLES`).
- `workers_processor`: processor seconds of such a cycle, Prometheus' own included.
- `workers_rss_mib`: memory of all of them together, at most.
- `workers_load`: load of the machine before each number of workers began: seconds of the clock say little
  where others had the processors.

    python -m benchmarks.workers [--series N] [--days N] [--workers N ...] [--prometheus BIN]

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
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import requests

from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.query import HttpQuerier
from airis_mon.analyzer.schedule import Schedule
from airis_mon.analyzer.shards import Shard
from airis_mon.remote_write import Delivery, HttpWriter
from benchmarks import fleet, record, store

SERIES = 10_000
DAYS = 2
WORKERS = (1, 2)
_PER_QUERY = fleet.SHAPES["many"]


def worker(url: str, count: int, days: int, run: int, shard: Shard) -> None:
    """Judge a share at each time that is read from stdin, and tell what that took."""
    there = fleet.Clocked(HttpQuerier(url, timeout=600.0))
    writer = HttpWriter(Delivery(f"{url}/api/v1/write", timeout=60.0), budget=600.0)
    cycle = Cycle(there, writer, Schedule(), concurrency=4)
    watched = shard.of(fleet.queries("many", count, days, run))
    for line in sys.stdin:
        there.time = float(line)
        began = time.process_time()
        outcome = cycle.run(watched)
        if not outcome.complete or outcome.scored != _PER_QUERY * len(watched):
            raise RuntimeError(f"{outcome.scored} series of {len(watched)} queries were scored")
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([time.process_time() - began, rss]), flush=True)


class Crew:
    """Processes that judge together."""

    def __init__(self, ends: ExitStack, url: str, count: int, days: int, run: int, workers: int) -> None:
        """Start so many, each with its share of all."""
        self._url = url
        self._processes = [
            ends.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.workers", "--worker", url]
                    + [str(number) for number in (count, days, run, index, workers)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                )
            )
            for index in range(workers)
        ]

    def judge(self, at: int) -> tuple[float, float, float]:
        """Return seconds of the clock, of processors, and MiB of memory."""
        before, began = self._served(), time.monotonic()
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(f"{at}\n")
            process.stdin.flush()
        told = []
        for process in self._processes:
            assert process.stdout is not None
            told.append(json.loads(process.stdout.readline()))
        seconds = time.monotonic() - began
        used = sum(one[0] for one in told) + self._served() - before
        return seconds, used, sum(one[1] for one in told)

    def end(self) -> None:
        """Let all of them end."""
        for process in self._processes:
            process.communicate(timeout=60)

    def _served(self) -> float:
        lines = requests.get(f"{self._url}/metrics", timeout=60).text.splitlines()
        found = next(line for line in lines if line.startswith("process_cpu_seconds_total "))
        return float(found.rpartition(" ")[2])


def measure(
    count: int = SERIES, days: int = DAYS, numbers: Sequence[int] = WORKERS, binary: Path | None = None
) -> dict[str, object]:
    """Return the figures."""
    found: dict[str, dict[str, float]] = {"seconds": {}, "processor": {}, "rss_mib": {}, "load": {}}
    with store.prometheus(binary) as url:
        end = (int(time.time()) - 3600) // 600 * 600
        store.fill(url, fleet.fleet(count), np.arange(end - days * fleet.DAY, end + 1200, fleet.SCRAPE))
        for run, workers in enumerate(numbers):
            load = os.getloadavg()[0]
            with ExitStack() as ends:
                crew = Crew(ends, url, count, days, run, workers)
                cold, *_ = crew.judge(end + 60)
                cycles = [crew.judge(end + after) for after in fleet.GROWTH_CYCLES]
                crew.end()
            seconds, used, memory = (np.array(one) for one in zip(*cycles, strict=True))
            found["seconds"][str(workers)] = round(float(seconds.mean()), 2)
            found["processor"][str(workers)] = round(float(used.mean()), 2)
            found["rss_mib"][str(workers)] = round(float(memory.max()), 1)
            found["load"][str(workers)] = round(load, 1)
            print(
                f"  {workers} workers: cold {cold:.1f} s, cycles {seconds.min():.2f} to {seconds.max():.2f}"
                f" s ({used.mean():.2f} s of processors), {memory.max():.0f} MiB, load {load:.1f} before",
                flush=True,
            )
    return {"workers_series": count, **{f"workers_{name}": values for name, values in found.items()}}


def main(argv: Sequence[str]) -> int:
    """Measure, or be one of the workers that are measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers")
    parser.add_argument("--series", type=int, default=SERIES, help="of the fleet (default: %(default)s)")
    parser.add_argument("--days", type=int, default=DAYS, help="of its history (default: %(default)s)")
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS, help="how many there are in turn")
    parser.add_argument("--prometheus", type=Path, help="the program (default: PATH, else Debian's)")
    parser.add_argument("--worker", nargs=6, help=argparse.SUPPRESS)
    record.add_argument(parser)
    options = parser.parse_args(argv)
    if options.worker:
        url, *given = options.worker
        count, days, run, index, of = map(int, given)
        worker(url, count, days, run, Shard(index, of))
        return 0
    figures = measure(options.series, options.days, options.workers, options.prometheus)
    record.keep(options.record, figures)
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

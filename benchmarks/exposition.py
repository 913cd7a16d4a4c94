"""How fast 100,000 series become text, and how long a scrape of them keeps ingest waiting.

A third each of counters, gauges and histograms of 14 buckets, so some 600,000 lines.

- `ratio`: median of the rounds' ratios beside prometheus-client's `generate_latest` of the same values, the
  text of labels kept from the round before, as in a process that is scraped; the two texts have to be
  equal.
- `ingest_pause_ms`: a real sidecar with as many series is scraped by another process, gzip included, while
  single events are sent to it one after the other; the longest time that one of them took, median of the
  scrapes. `ingest_calm_ms` is the longest one of as many without a scrape: what the machine adds.

    python -m benchmarks.exposition

The last line is one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time

import requests
from prometheus_client import CollectorRegistry, generate_latest

from airis_mon.exporters.series import GEN_AI_DURATION_BUCKETS
from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.entries import Batch
from airis_mon.sidecar.exposition import Exposition
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.series import Family
from airis_mon.sidecar.translation import Update
from benchmarks.ingest import send
from benchmarks.peers import peer, sidecar

SERIES = 99_999
ROUNDS = 3
FAMILIES = (
    Family("requests", "counter", "Requests."),
    Family("usage_ratio", "gauge", "Usage."),
    Family("duration_seconds", "histogram", "Duration.", GEN_AI_DURATION_BUCKETS),
)
ROOMY = ("--limit.series=200000", "--limit.series-per-metric=100000", "--limit.items=20000")
FETCH = """
import sys, time, requests
head = {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"}
began = time.perf_counter()
answer = requests.get(sys.argv[1], headers=head, timeout=60)
assert answer.status_code == 200 and answer.text.endswith("# EOF\\n"), answer.status_code
print(time.perf_counter() - began, answer.text.count("\\n"))
"""


def filled() -> Aggregates:
    """Return the series, each with a value."""
    aggregates = Aggregates(Limits(series=SERIES, series_per_metric=SERIES))
    batch = Batch()
    for number in range(SERIES):
        labels = (("model", f"model-{number}"), ("region", "eu-west"), ("source", "bench"))
        update = Update(FAMILIES[number % 3], labels, number / 7, 0.0)
        batch.add(aggregates.admit(update), update)
    batch.apply(aggregates, 1, 0.0)
    return aggregates


def texts() -> dict[str, object]:
    """Return the figures of making text; RuntimeError where the two texts differ."""
    aggregates = filled()
    registry = CollectorRegistry()
    registry.register(aggregates)
    exposition = Exposition(aggregates)
    ratios, longest, own = [], 0.0, []
    for _ in range(ROUNDS + 1):
        slices, began = [], time.perf_counter()
        before = began
        for text in exposition.slices(False, ()):
            slices.append(text.encode())
            now = time.perf_counter()
            longest = max(longest, now - before)
            before = now
        ours = time.perf_counter() - began
        began = time.perf_counter()
        theirs = generate_latest(registry)
        ratios.append((time.perf_counter() - began) / ours)
        own.append(ours)
        if b"".join(slices) != theirs:
            raise RuntimeError("the two texts differ")
    return {
        "series": SERIES,
        "ratio": round(statistics.median(ratios[1:]), 1),
        "ratio_cold": round(ratios[0], 1),
        "seconds": round(statistics.median(own[1:]), 3),
        "slice_ms": round(longest * 1e3, 1),
    }


def fill(url: str) -> None:
    """Fill a sidecar with the series."""
    kinds = (("requests", "counter"), ("usage", "quality"), ("duration", "latency"))
    for first in range(0, SERIES, 10_000):
        items = [
            {
                "timestamp": "2026-01-01T00:00:00Z",
                "source": "bench",
                "metric_type": kinds[number % 3][1],
                "metric_name": kinds[number % 3][0],
                "value": number / 7,
                "unit": "s" if number % 3 == 2 else "",
                "tags": {"model": f"model-{number}", "region": "eu-west"},
            }
            for number in range(first, min(first + 10_000, SERIES))
        ]
        answer = requests.post(f"{url}/v1/metrics", json=items, timeout=60)
        if answer.status_code != 200:
            raise RuntimeError(answer.text[:500])


def pauses() -> dict[str, object]:
    """Return how long single events wait while a real process is scraped."""
    with peer(sidecar(*ROOMY)) as server:
        address, wire = server.address, [server.wire(1, 0)]
        fill(f"http://{address}")
        paused, calm, took, lines = [], [], [], 0
        for _ in range(ROUNDS + 1):
            scraper = subprocess.Popen(
                [sys.executable, "-c", FETCH, f"http://{address}/metrics"], stdout=subprocess.PIPE, text=True
            )
            durations: list[float] = []
            while scraper.poll() is None:
                durations += asyncio.run(send(address, wire, 0.1))
            assert scraper.stdout is not None
            seconds, _, counted = scraper.stdout.read().partition(" ")
            if scraper.returncode:
                raise RuntimeError("the scrape failed")
            took.append(float(seconds))
            lines = int(counted)
            paused.append(max(durations))
            alone: list[float] = []
            while len(alone) < len(durations):
                alone += asyncio.run(send(address, wire, 0.1))
            calm.append(max(alone))
    return {
        "lines": lines,
        "scrape_seconds": round(statistics.median(took[1:]), 2),
        "ingest_pause_ms": round(statistics.median(paused[1:]) * 1e3, 1),
        "ingest_calm_ms": round(statistics.median(calm[1:]) * 1e3, 1),
    }


if __name__ == "__main__":
    print(json.dumps(texts() | pauses()))
    sys.exit(0)

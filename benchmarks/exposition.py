"""How fast 100,000 series become text, beside prometheus-client's `generate_latest` of the same values.

A third each of counters, gauges and histograms of 14 buckets, so some 600,000 lines. `ratio`: median of the
rounds' ratios, the text of labels kept from the round before, as in a process that is scraped. `slice_ms`:
the longest time that one slice holds the event loop, which is how long ingest waits.

    python -m benchmarks.exposition

The last line is one JSON object.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

from prometheus_client import CollectorRegistry, generate_latest

from airis_mon.exporters.series import GEN_AI_DURATION_BUCKETS
from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.entries import Batch
from airis_mon.sidecar.exposition import Exposition
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.series import Family
from airis_mon.sidecar.translation import Update

SERIES = 99_999
ROUNDS = 3
FAMILIES = (
    Family("requests", "counter", "Requests."),
    Family("usage_ratio", "gauge", "Usage."),
    Family("duration_seconds", "histogram", "Duration.", GEN_AI_DURATION_BUCKETS),
)


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


def measure() -> dict[str, object]:
    """Return the figures; RuntimeError where the two texts differ."""
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


if __name__ == "__main__":
    print(json.dumps(measure()))
    sys.exit(0)

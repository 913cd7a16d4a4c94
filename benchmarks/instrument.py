"""What one instrumented operation costs, beside the same updates written by hand with prometheus-client.

One full LLM operation: counters of input, output and cached tokens, histograms of its duration and of the
time to its first chunk. By hand that is five updates; ours also keeps the two histograms of token sizes. What
ours defers is counted in: each round ends with everything added up.

- `ratio_labels`: how many times as long it takes by hand with a `labels()` look-up per update, as most people
  write it; `ratio_cached`: the same with children looked up beforehand, the least prometheus-client can take.
- `operation_us`: one `record(...)`; `call_us`: the same operation as `with llm.call() as call: ...`.
- `lost_updates`: of 8 threads that record while another scrapes.
- `pending_kib`: memory of what waits to be added up when nobody scrapes, after a million operations.

Rounds are interleaved and a ratio is the median of their ratios: what else runs touches all sides alike.

    python -m benchmarks.instrument

The last line is one JSON object.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from airis_mon.exporters import series
from airis_mon.instrument import LLM, Instruments

OPERATIONS = 10_000
ROUNDS = 15
THREADS = 8
MODEL = ("chat", "provider", "model")
LABELS = (series.GEN_AI_OPERATION_NAME, series.GEN_AI_PROVIDER_NAME, series.GEN_AI_REQUEST_MODEL)
Round = Callable[[], None]


def instrument() -> tuple[LLM, CollectorRegistry]:
    registry = CollectorRegistry()
    return Instruments(registry=registry).llm(model="model", provider="provider"), registry


def recorded() -> Round:
    """Return a round of `record`."""
    llm, registry = instrument()

    def run() -> None:
        record = llm.record
        for number in range(OPERATIONS):
            record(number / 1e4, 1000 + number, 200, 64, time_to_first_chunk=number / 1e5)
        list(registry.collect())

    return run


def called() -> Round:
    """Return a round of `with`."""
    llm, registry = instrument()

    def run() -> None:
        for number in range(OPERATIONS):
            with llm.call() as call:
                call.first_token()
                call.tokens(input=1000 + number, output=200, cached=64)
        list(registry.collect())

    return run


def by_hand(lookup: bool) -> Round:
    """Return a round of the same five updates by prometheus-client alone."""
    registry = CollectorRegistry()
    usage = (*LABELS, series.GEN_AI_TOKEN_MODALITY)

    def histogram(name: str, labels: tuple[str, ...]) -> Any:
        return Histogram(name, "help", labels, buckets=series.GEN_AI_DURATION_BUCKETS, registry=registry)

    families: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (histogram("duration", (*LABELS, series.ERROR_TYPE)), (*MODEL, "")),
        (histogram("first_chunk", LABELS), MODEL),
        (Counter("input", "help", usage, registry=registry), (*MODEL, "text")),
        (Counter("output", "help", usage, registry=registry), (*MODEL, "text")),
        (Counter("cached", "help", usage, registry=registry), (*MODEL, "text")),
    )
    children = [family.labels(*values) for family, values in families]
    (f0, v0), (f1, v1), (f2, v2), (f3, v3), (f4, v4) = families
    c0, c1, c2, c3, c4 = children

    def looked_up() -> None:
        for number in range(OPERATIONS):
            f0.labels(*v0).observe(number / 1e4)
            f1.labels(*v1).observe(number / 1e5)
            f2.labels(*v2).inc(1000 + number)
            f3.labels(*v3).inc(200)
            f4.labels(*v4).inc(64)
        list(registry.collect())

    def cached() -> None:
        for number in range(OPERATIONS):
            c0.observe(number / 1e4)
            c1.observe(number / 1e5)
            c2.inc(1000 + number)
            c3.inc(200)
            c4.inc(64)
        list(registry.collect())

    return looked_up if lookup else cached


def microseconds(run: Round) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) / OPERATIONS * 1e6


def lost_updates() -> int:
    """Return by how many the totals miss what eight threads have recorded while a ninth scraped."""
    llm, registry = instrument()
    done = threading.Event()

    def work() -> None:
        for _ in range(OPERATIONS):
            llm.record(0.5, 10, 20, 5)

    def scrape() -> None:
        while not done.is_set():
            list(registry.collect())

    scraper = threading.Thread(target=scrape)
    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in (scraper, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    scraper.join()
    wanted = THREADS * OPERATIONS
    found = {
        sample.name: sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.labels.get(series.GEN_AI_TOKEN_MODALITY, "text") == "text" and "le" not in sample.labels
    }
    missing = (
        wanted - found[f"{series.GEN_AI_OPERATION_DURATION}_count"],
        10 * wanted - found[series.GEN_AI_INPUT_TOKENS],
        20 * wanted - found[series.GEN_AI_OUTPUT_TOKENS],
        5 * wanted - found[series.GEN_AI_CACHE_READ_TOKENS],
    )
    return round(sum(map(abs, missing)))


def pending_kib() -> float:
    """Return the most memory that a million operations hold while nobody scrapes."""
    llm, _ = instrument()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(100 * OPERATIONS):
        llm.record(number / 1e4, number, number)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return round((most - before) / 1024, 1)


def measure() -> dict[str, float]:
    """Return the figures."""
    sides = {"operation": recorded(), "call": called(), "labels": by_hand(True), "cached": by_hand(False)}
    for run in sides.values():
        microseconds(run)  # warm up
    rounds = [{name: microseconds(run) for name, run in sides.items()} for _ in range(ROUNDS)]
    result = {f"{name}_us": round(statistics.median(each[name] for each in rounds), 2) for name in sides}
    for other in ("labels", "cached"):
        ratios = [each[other] / each["operation"] for each in rounds]
        result[f"ratio_{other}"] = round(statistics.median(ratios), 2)
    return {**result, "lost_updates": lost_updates(), "pending_kib": pending_kib()}


if __name__ == "__main__":
    print(json.dumps(measure()))
    sys.exit(0)

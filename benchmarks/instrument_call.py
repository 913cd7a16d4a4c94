"""What an instrumented call costs, beside the same updates written by hand with prometheus-client.

Both record a successful model call with its tokens: one duration histogram, two token counters, two token
histograms. `labels`: as most people write it, a label lookup per update. `children`: looked up once before,
the least that prometheus-client can take. Rounds are interleaved, and the ratio is the median of the rounds'
ratios: what else runs on the machine touches all sides alike.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from airis_mon.exporters import series
from airis_mon.instrument import Instruments

CALLS = 5_000
ROUNDS = 15
MODEL = ("chat", "provider", "model")
LABELS = (series.GEN_AI_OPERATION_NAME, series.GEN_AI_PROVIDER_NAME, series.GEN_AI_REQUEST_MODEL)


def instrumented() -> Callable[[], None]:
    """Return one call through airis_mon.instrument."""
    llm = Instruments(registry=CollectorRegistry()).llm(model="model", provider="provider")

    def call() -> None:
        with llm.call() as running:
            running.tokens(input=1000, output=200)

    return call


def by_hand(lookup: bool) -> Callable[[], None]:
    """Return the same updates by prometheus-client alone."""
    registry = CollectorRegistry()

    def histogram(name: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, "help", labels, buckets=buckets, registry=registry)

    families: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (
            histogram("duration", (*LABELS, series.ERROR_TYPE), series.GEN_AI_DURATION_BUCKETS),
            (*MODEL, ""),
        ),
        (
            Counter("input", "help", (*LABELS, series.GEN_AI_TOKEN_MODALITY), registry=registry),
            (*MODEL, "text"),
        ),
        (
            Counter("output", "help", (*LABELS, series.GEN_AI_TOKEN_MODALITY), registry=registry),
            (*MODEL, "text"),
        ),
        (histogram("input_size", LABELS, series.GEN_AI_TOKEN_BUCKETS), MODEL),
        (histogram("output_size", LABELS, series.GEN_AI_TOKEN_BUCKETS), MODEL),
    )
    children = [family.labels(*values) for family, values in families]

    def call() -> None:
        began = time.perf_counter()
        found = [family.labels(*values) for family, values in families] if lookup else children
        duration, used, made, used_size, made_size = found
        duration.observe(time.perf_counter() - began)
        used.inc(1000)
        made.inc(200)
        used_size.observe(1000)
        made_size.observe(200)

    return call


def microseconds(call: Callable[[], None]) -> float:
    """Return the mean time of a call in one round."""
    began = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - began) / CALLS * 1e6


def measure() -> dict[str, float]:
    """Return microseconds per call and the two ratios."""
    sides = {"instrument": instrumented(), "labels": by_hand(True), "children": by_hand(False)}
    for call in sides.values():
        microseconds(call)  # warm up
    rounds = [{name: microseconds(call) for name, call in sides.items()} for _ in range(ROUNDS)]
    result = {f"{name}_us": round(statistics.median(each[name] for each in rounds), 2) for name in sides}
    for other in ("labels", "children"):
        ratios = [each["instrument"] / each[other] for each in rounds]
        result[f"ratio_to_{other}"] = round(statistics.median(ratios), 2)
    return result

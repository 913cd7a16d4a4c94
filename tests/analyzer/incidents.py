"""Incidents whose cause is known: a model's signals by the minute, what pushed them, and what misleads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.causes import Event, Signal, Window

STEP, COLUMNS, DAYS = 60, 75, 3
KINDS = ("deploy", "surge", "saturation", "dependency", "restart")
_END = 20_000 * 86400
_LEVELS = {
    "request_rate": (20, 0.05), "input_tokens_rate": (4000, 0.06), "output_tokens_rate": (2000, 0.06),
    "kv_cache_usage": (0.4, 0.04), "requests_running": (12, 0.06), "requests_waiting": (0.5, 0.3),
    "queue_time_p95": (0.05, 0.2), "time_to_first_token_p95": (0.4, 0.06),
    "time_per_output_token_p95": (0.04, 0.04), "request_duration_p95": (6, 0.05),
    "search/request_rate": (50, 0.05), "search/error_ratio": (0.002, 0.3),
    "search/request_duration_p95": (0.02, 0.06), "error_ratio": (0.002, 0.3),
}  # fmt: skip
"""Usual value, and noise as a part of it."""
_CHAIN = (
    ("input_tokens_rate", 0, 1, 1.5), ("output_tokens_rate", 1, 2, 1.0), ("requests_running", 1, 3, 2.0),
    ("kv_cache_usage", 2, 4, 1.0), ("requests_waiting", 3, 6, 20.0), ("queue_time_p95", 4, 7, 20.0),
    ("time_to_first_token_p95", 5, 8, 5.0),
)  # fmt: skip
"""What too much load does, one after the other: earliest and latest minute, and size."""


@dataclass(frozen=True)
class Incident:
    """One of them."""

    kind: str
    cause: str
    """What the name of the true candidate begins with."""
    begins: float
    """When users felt it."""
    symptom: Signal
    signals: tuple[Signal, ...]
    events: tuple[Event, ...]
    window: Window


def incident(seed: int) -> Incident:
    """Return an incident, one of five kinds, with up to two events and perhaps a signal that mislead."""
    rng = np.random.default_rng(seed)
    kind = str(rng.choice(KINDS))
    count = DAYS * 1440 + COLUMNS
    values = _quiet(rng, count)
    began = count - COLUMNS + int(rng.integers(20, 45))
    felt = began
    events: list[Event] = []

    def time(column: int) -> float:
        return float(_END - (count - 1 - column) * STEP)

    def push(name: str, at: int, size: float, ramp: int = 2) -> None:
        values[name] *= 1 + size * np.clip((np.arange(count) - at) / ramp, 0, 1)

    def soon(least: int, most: int) -> int:
        return int(rng.integers(least, most + 1))

    if kind in ("deploy", "restart"):
        cause = "version changed" if kind == "deploy" else "instance restarted"
        events.append(Event(time(began), "deploy" if kind == "deploy" else "restart", cause))
        felt = began + soon(0, 4)
        push("request_duration_p95", felt + soon(0, 2), rng.uniform(0.5, 2))
        push("requests_running", felt + soon(0, 3), rng.uniform(0.5, 1.5))
    elif kind in ("surge", "saturation"):
        cause = "request_rate" if kind == "surge" else "kv_cache_usage"
        push(cause, began, rng.uniform(0.8, 2), soon(2, 8))
        for name, least, most, size in _CHAIN if kind == "surge" else _CHAIN[4:]:
            push(name, began + soon(least, most), size * rng.uniform(0.7, 1.3), 3)
        felt = began + soon(5, 10)
    else:
        cause = "search/"
        push("search/request_duration_p95", began, rng.uniform(2, 10))
        push("search/error_ratio", began + soon(0, 2), rng.uniform(10, 50))
        felt = began + soon(1, 5)
        push("request_duration_p95", felt + soon(0, 2), rng.uniform(0.5, 2))
    push("error_ratio", felt, rng.uniform(8, 40))

    for _ in range(soon(0, 2)):
        other = str(rng.choice(["alert", "event", "restart", "deploy"], p=[0.4, 0.4, 0.1, 0.1]))
        events.append(Event(time(count - soon(1, COLUMNS)), other, f"other {other}"))  # type: ignore[arg-type]
    if rng.random() < 0.5:
        free = [name for name in _LEVELS if name != "error_ratio" and not name.startswith(cause)]
        push(str(rng.choice(free)), count - soon(5, COLUMNS), rng.uniform(0.5, 1))
    noticed = time(min(count - 1, felt + soon(3, 10)))
    signals = tuple(Signal(name, row, outside=name == "request_rate") for name, row in values.items())
    window = Window(_END, STEP, COLUMNS, noticed)
    return Incident(kind, cause, time(felt), signals[-1], signals[:-1], tuple(events), window)


def _quiet(rng: np.random.Generator, count: int) -> dict[str, NDArray[np.float64]]:
    """Return days of every signal, by day and night, with noise that has a memory."""
    noise = rng.normal(0, 0.7, (len(_LEVELS), count))
    for n in range(1, count):
        noise[:, n] += 0.7 * noise[:, n - 1]
    day = 1 + 0.4 * np.sin(2 * np.pi * np.arange(count) * STEP / 86400)
    return {
        name: level * (np.ones(count) if name.endswith("error_ratio") else day) * np.exp(part * row)
        for (name, (level, part)), row in zip(_LEVELS.items(), noise, strict=True)
    }

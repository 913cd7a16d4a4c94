"""Monitors whose rules the tests look at."""

from __future__ import annotations

from airis_mon.spec import (
    Alerting,
    Anomaly,
    Errors,
    Forecast,
    Latency,
    Model,
    Monitor,
    Objective,
    Source,
)

DAY = 86400.0


def chat() -> Monitor:
    """Everything at once, over the usual 30 days and over one week."""
    return Monitor(
        "support-chat",
        Model("llama-3-70b", "1.2.0"),
        Source("vllm", {"job": "vllm", "model_name": "llama-3-70b"}),
        (
            Objective("availability", 0.999, 30 * DAY, Errors()),
            Objective("first-token", 0.99, 30 * DAY, Latency("time_to_first_token", 0.5)),
            Objective("whole-answer", 0.95, 7 * DAY, Latency("request_duration", 30.0)),
        ),
        (
            Anomaly("time_to_first_token_p95", direction="up", severity="page", duration=600.0),
            Anomaly("kv_cache_usage", by=("instance",)),
        ),
        (Forecast("kv_cache_usage", DAY, 1.0), Forecast("request_rate", 7 * DAY)),
        Alerting("ml-platform", "standard", runbook="https://runbooks.example.com/chat"),
    )


def small(objective: Objective, *, contract: str = "otel-genai", scrape_interval: float = 15.0) -> Monitor:
    """One objective and nothing else."""
    source = Source(contract, {"job": "small"}, scrape_interval=scrape_interval)
    return Monitor("small", Model("tiny"), source, (objective,))


def mutated() -> Monitor:
    """One of each kind, small enough to be proven a few hundred times."""
    return Monitor(
        "digits",
        Model("digits"),
        Source("vllm", {"job": "digits", "model_name": "digits"}),
        (
            Objective("availability", 0.999, 30 * DAY, Errors()),
            Objective("fast", 0.99, 30 * DAY, Latency("time_to_first_token", 1.0)),
        ),
        (Anomaly("time_to_first_token_p95"),),
        (Forecast("kv_cache_usage", DAY, 0.9),),
        Alerting("vision", runbook="https://runbooks.example.com/digits"),
    )

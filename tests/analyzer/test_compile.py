"""Monitors to the analyzer's configuration, and the configuration read back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airis_mon.analyzer.compile import artefacts, watched
from airis_mon.analyzer.config import decode
from airis_mon.analyzer.forecasting.candidates import Candidates
from airis_mon.spec import (
    Alerting,
    Anomaly,
    Bundle,
    Canary,
    Forecast,
    Location,
    Model,
    Monitor,
    Origin,
    PageBudget,
    Source,
    SpecError,
)

CHAT = Monitor(
    name="chat",
    model=Model("llama"),
    source=Source("vllm", {"job": "vllm"}),
    anomalies=(
        Anomaly("time_to_first_token_p95", direction="up"),
        Anomaly("error_ratio", window=600, by=("pod",), history=3 * 86400.0),
    ),
    forecasts=(
        Forecast("kv_cache_usage", horizon=86400),
        Forecast("time_to_first_token_p95", horizon=86400, history=35 * 86400.0),
        Forecast("time_to_first_token_p95", horizon=3600),
    ),
    alerting=Alerting(page_budget=PageBudget(3, 7 * 86400.0)),
)


def test_every_signal_is_one_query_and_forecasts_join_their_anomaly() -> None:
    (artefact,) = artefacts(Bundle((CHAT,)))
    assert artefact.path == "analyzer/analyzer.yaml"
    first, errors, cache = decode(artefact.text, artefact.path).queries
    assert (first.monitor, first.model, first.signal) == ("chat", "llama", "time_to_first_token_p95")
    assert first.expr.startswith("histogram_quantile(0.95, ")
    assert (first.direction, first.score, first.horizons) == ("up", True, (3600, 86400))
    assert first.history == 35 * 86400
    assert first.unit == "seconds"
    assert first.false_pages_per_week == 1.5
    assert (errors.signal, errors.by, errors.history, errors.ratio) == (
        "error_ratio",
        ("pod",),
        3 * 86400,
        True,
    )
    assert "[10m]" in errors.expr
    assert "by (pod)" in errors.expr
    assert (cache.signal, cache.score, cache.horizons, cache.direction) == (
        "kv_cache_usage", False, (86400,), "both",
    )  # fmt: skip


def test_candidates_of_a_forecast_are_handed_on() -> None:
    asking = Forecast("kv_cache_usage", horizon=7200, candidates=("ets", "theta"), time_budget=2.5)
    (artefact,) = artefacts(Bundle((replace(CHAT, forecasts=(*CHAT.forecasts, asking)),)))
    *others, cache = decode(artefact.text, artefact.path).queries
    assert cache.candidates == ((7200, Candidates(("ets", "theta"), 2.5)),)
    assert all(query.candidates == () for query in others)


def test_equal_documents_give_equal_bytes() -> None:
    assert artefacts(Bundle((CHAT,))) == artefacts(Bundle((replace(CHAT),)))


def test_nothing_to_watch_is_a_configuration_too() -> None:
    (artefact,) = artefacts(Bundle())
    assert decode(artefact.text, "analyzer.yaml").queries == ()


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"anomalies": (Anomaly("error_ration"),)}, "spec.anomalies[0].of", "did you mean `error_ratio`?"),
        ({"forecasts": (Forecast("zzz", 60),)}, "spec.forecasts[0].of", "known are request_rate"),
        ({"source": Source("vlm", {"a": "b"})}, "spec.source.contract", "did you mean `vllm`?"),
        (
            {"anomalies": (Anomaly("error_ratio"), Anomaly("error_ratio", direction="up"))},
            "spec.anomalies[1].of",
            "`direction: both`",
        ),
        (
            {"anomalies": (Anomaly("error_ratio"),), "forecasts": (Forecast("error_ratio", 60, window=60),)},
            "spec.forecasts[0].window",
            "the same window",
        ),
        (
            {"forecasts": (Forecast("error_ratio", 60), Forecast("error_ratio", 60))},
            "spec.forecasts[1].horizon",
            "keep one of them",
        ),
        ({"anomalies": (Anomaly("error_ratio", by=("monitor",)),)}, "spec.anomalies[0].by", "leave it out"),
    ],
)
def test_what_cannot_be_watched_is_located(change: dict[str, object], path: str, words: str) -> None:
    place = Location("chat.yaml", 7, 11, "  of: ...")
    monitor = replace(CHAT, **{"origin": Origin("chat.yaml", {path: place}), "forecasts": (), **change})  # type: ignore[arg-type]
    with pytest.raises(SpecError) as raised:
        artefacts(Bundle((monitor,)))
    (problem,) = raised.value.problems
    assert (problem.path, problem.location) == (path, place)
    assert words in str(problem)


def test_a_monitor_whose_rules_do_all_of_it_leaves_nothing_to_watch() -> None:
    assert watched(Bundle((CHAT,)))
    silent = replace(CHAT, anomalies=(), forecasts=())
    assert not watched(Bundle((replace(CHAT, engine="rules"), silent)))
    compared = replace(silent, canary=Canary({"version": "1"}, {"version": "2"}))
    assert watched(Bundle((compared,)))
    assert not watched(Bundle((replace(compared, engine="rules"),)))


def test_the_same_signal_by_other_labels_is_another_watch() -> None:
    monitor = replace(
        CHAT, anomalies=(Anomaly("error_ratio"), Anomaly("error_ratio", by=("pod",))), forecasts=()
    )
    (artefact,) = artefacts(Bundle((monitor,)))
    assert len(decode(artefact.text, "f").queries) == 2

"""Alerts on bounds: what is emitted for them, and that promtool finds what is broken in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from airis_mon.analyzer import compile as analyzer
from airis_mon.exporters.contracts import CONTRACTS
from airis_mon.rules.collection import groups
from airis_mon.rules.compile import artefacts
from airis_mon.spec import Alerting, Band, Bundle, Level, Model, Monitor, Past, Source, Threshold
from airis_mon.stack.servers import Server
from tests.mutation.rules import mutants
from tests.rules.test_proofs import failure, write


def held(*thresholds: Threshold, contract: str = "vllm") -> Monitor:
    return Monitor(
        "chat",
        Model("llama"),
        Source(contract, {"job": "vllm", "model_name": "llama"}),
        alerting=Alerting("platform", runbook="https://runbooks.example.com/{{ chat }}"),
        thresholds=thresholds,
    )


USUAL = held(
    Threshold("kv_cache_usage", "above", Level(0.9), by=("instance",)),
    Threshold("error_ratio", "above", Level(0.2), window=600.0, severity="page", duration=120.0),
    Threshold("request_rate", "below", Level(0.5), duration=0.0),
    Threshold("queue_time_mean", "above", Level(2.0)),
    Threshold("time_to_first_token_p95", "above", Level(1.5), by=("zone", "instance")),
)


DRAWN = held(
    Threshold("kv_cache_usage", "above", Past(0.99, times=1.5), by=("instance",)),
    Threshold("request_rate", "below", Past(0.01, over=14 * 86400.0, times=0.5), severity="page"),
    Threshold("time_to_first_token_p95", "above", Past(0.5, over=3600.0, times=3.0), duration=0.0),
    Threshold("queue_time_mean", "above", Band(), by=("zone", "instance")),
    Threshold("error_ratio", "below", Band()),
)


def rules(monitor: Monitor, kind: str) -> list[dict[str, Any]]:
    return [rule for group in groups(monitor) for rule in group.rules if kind in rule]


def alert(monitor: Monitor, signal: str) -> dict[str, Any]:
    (found,) = [
        rule
        for rule in rules(monitor, "alert")
        if (rule["alert"], rule["labels"].get("for")) == ("ModelThreshold", signal)
    ]
    return found


def signals(contract: str) -> Monitor:
    return held(
        *(
            Threshold(signal, "above", Level(0.001), by=("zone",) if place % 2 else ())
            for place, signal in enumerate(CONTRACTS[contract].signals())
        ),
        contract=contract,
    )


def test_a_threshold_compares_what_is_recorded_of_its_signal() -> None:
    (recorded,) = [rule for rule in rules(USUAL, "record") if rule["record"] == "airis:signal:over10m"]
    assert recorded["labels"] == {"for": "error_ratio", "model": "llama", "monitor": "chat"}
    found = alert(USUAL, "error_ratio")
    assert found["expr"] == 'airis:signal:over10m{monitor="chat",for="error_ratio",dimensions=""} > 0.2'
    assert (found["for"], found["labels"]["severity"]) == ("2m", "page")


def test_a_message_says_value_and_threshold() -> None:
    annotations = alert(USUAL, "error_ratio")["annotations"]
    assert annotations["summary"] == "chat: error_ratio is above 0.2"
    assert annotations["description"] == (
        'error_ratio is {{ $value | printf "%.4g" }} (ratio); its threshold is above 0.2.'
    )


def test_a_message_about_the_past_says_how_many_times_it_is() -> None:
    annotations = alert(DRAWN, "kv_cache_usage")["annotations"]
    assert annotations["description"] == (
        'kv_cache_usage is {{ $value | printf "%.4g" }} times the 99% quantile of its past 7d; '
        "its threshold is above 1.5 times."
    )


def test_the_analyzer_is_asked_for_a_band_and_for_nothing_that_rules_know_themselves() -> None:
    (configuration,) = analyzer.artefacts(Bundle(monitors=(DRAWN,)))
    queries = yaml.safe_load(configuration.text)["queries"]
    assert [(query["for"], query["by"], query["score"]) for query in queries] == [
        ("queue_time_mean", ["zone", "instance"], False),
        ("error_ratio", [], False),
    ]


def test_a_signal_that_several_thresholds_are_about_is_recorded_once() -> None:
    both = held(
        Threshold("kv_cache_usage", "above", Level(0.8)),
        Threshold("kv_cache_usage", "above", Level(0.95), severity="page"),
    )
    recorded = [rule["record"] for rule in rules(both, "record")]
    assert recorded.count("airis:signal:over5m") == 1
    held_against = [rule for rule in rules(both, "alert") if rule["alert"] == "ModelThreshold"]
    assert [rule["labels"]["severity"] for rule in held_against] == ["ticket", "page"]


def test_groups_stay_small_enough_for_mimir() -> None:
    many = tuple(Threshold("request_rate", "above", Level(1.0), window=60.0 + n) for n in range(45))
    sizes = {group.name: len(group.rules) for group in groups(held(*many))}
    assert [sizes[f"airis-mon:chat:signals{end}"] for end in ("", "-2", "-3")] == [20, 20, 6]
    assert [sizes[f"airis-mon:chat:thresholds{end}"] for end in ("", "-2", "-3")] == [20, 20, 5]


def test_a_paging_threshold_makes_silence_page() -> None:
    for severity in ("page", "ticket"):
        monitor = held(replace(USUAL.thresholds[0], severity=severity))
        absent = next(rule for rule in rules(monitor, "alert") if rule["alert"] == "ModelSignalAbsent")
        assert absent["labels"]["severity"] == severity


@pytest.mark.parametrize(
    "monitor", [USUAL, signals("otel-genai"), signals("airis")], ids=["usual", "llm", "own"]
)
def test_every_proof_of_a_bound_holds(monitor: Monitor, promtool: Server, tmp_path: Path) -> None:
    tests = write(tmp_path, artefacts(monitor))
    assert [found for test in tests if (found := failure(promtool, tmp_path, test))] == []


@pytest.mark.parametrize("monitor", [USUAL, DRAWN], ids=["usual", "drawn"])
def test_no_broken_bound_passes_its_proofs(monitor: Monitor, promtool: Server, tmp_path: Path) -> None:
    everything = [
        mutant for mutant in mutants(monitor) if ":signals " in mutant.what or ":thresholds " in mutant.what
    ]
    chosen = everything[3 :: len(everything) // 16]
    with ThreadPoolExecutor(2) as pool:
        survived = list(pool.map(lambda mutant: mutant.survives(promtool, tmp_path), chosen))
    assert [mutant.what for mutant, alive in zip(chosen, survived, strict=True) if alive] == []

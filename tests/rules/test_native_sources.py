"""Sources whose histograms are native: every signal, objective and panel reads them, and each is proven."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from airis_mon.analyzer import compile as analyzer
from airis_mon.exporters.contracts import CONTRACTS
from airis_mon.grafana import compile as grafana
from airis_mon.rules.collection import groups
from airis_mon.rules.compile import Ruler, artefacts, prover
from airis_mon.spec import (
    Anomaly,
    Bundle,
    Errors,
    Latency,
    Level,
    Model,
    Monitor,
    Objective,
    Source,
    SpecError,
    Threshold,
)
from airis_mon.stack.servers import Server
from tests.rules.monitors import DAY
from tests.rules.test_proofs import failure, write

NEW = Ruler((3, 0))
WITH_HISTOGRAMS = [name for name, contract in CONTRACTS.items() if contract.distributions]
CLASSIC = re.compile(r"\w_(bucket|count|sum)\{")


def monitor(contract: str = "otel-genai", *signals: str) -> Monitor:
    """Everything that reads histograms; signals are kept apart in turn."""
    return Monitor(
        "native",
        Model("tiny"),
        Source(contract, {"job": "native"}, native_histograms=True),
        (
            Objective("up", 0.99, 7 * DAY, Errors()),
            Objective("fast", 0.99, 7 * DAY, Latency("request_duration", 0.4)),
        ),
        (Anomaly("request_duration_p95", by=("zone",)),),
        thresholds=tuple(
            Threshold(signal, "above", Level(0.001), by=("zone",) if place % 2 else ())
            for place, signal in enumerate(signals)
        ),
    )


@pytest.mark.parametrize("contract", WITH_HISTOGRAMS)
def test_every_proof_holds_where_promtool_can_write_it_down(
    contract: str, promtool: Server, tmp_path: Path
) -> None:
    whole = monitor(contract, *CONTRACTS[contract].signals())
    if promtool.version[:2] < prover([whole]):
        whole = monitor(contract)
        assert any(
            "parse error" in (failure(promtool, tmp_path, test) or "")
            for test in write(tmp_path, artefacts(whole, target=NEW))
        )
        return
    tests = write(tmp_path, artefacts(whole, target=NEW))
    assert [found for test in tests if (found := failure(promtool, tmp_path, test))] == []


@pytest.mark.parametrize("contract", WITH_HISTOGRAMS)
def test_nothing_reads_a_classic_series(contract: str) -> None:
    whole = monitor(contract, *CONTRACTS[contract].signals())
    rules = [str(rule["expr"]) for group in groups(whole) for rule in group.rules]
    bundle = Bundle((whole,))
    read = [*rules, *(file.text for file in (*analyzer.artefacts(bundle), *grafana.artefacts(whole)))]
    assert [found[0] for text in read for found in CLASSIC.finditer(text)] == []
    assert any("histogram_quantile(0.95, sum" in text for text in read)


def test_a_prometheus_that_keeps_none_is_told_once_for_the_source() -> None:
    with pytest.raises(SpecError) as caught:
        artefacts(monitor())
    (problem,) = caught.value.problems
    assert problem.path == "spec.source.native_histograms"
    assert problem.message == "Prometheus 2.42 keeps native histograms only behind a feature flag"
    assert "--prometheus-version 3.0" in str(problem.hint)


def test_a_source_without_histograms_of_its_own_has_none_that_are_native() -> None:
    whole = replace(
        monitor(), source=Source("promql", native_histograms=True), objectives=(), anomalies=(), thresholds=()
    )
    with pytest.raises(SpecError) as caught:
        artefacts(whole, target=NEW)
    assert [problem.path for problem in caught.value.problems] == ["spec.source.native_histograms"]


def test_a_quantile_may_be_held_against_more_than_the_last_boundary() -> None:
    high = replace(
        monitor(), thresholds=(Threshold("request_duration_p99", "above", Level(1e6)),), objectives=()
    )
    assert artefacts(high, target=NEW)
    with pytest.raises(SpecError, match="is never above"):
        artefacts(replace(high, source=replace(high.source, native_histograms=False)), target=NEW)

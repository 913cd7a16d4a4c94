"""Latencies on native histograms: any threshold, where Prometheus and promtool are new enough."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from airis_mon.rules.compile import OLDEST, Ruler, artefacts, prover
from airis_mon.spec import Errors, Latency, Monitor, Objective, SpecError
from airis_mon.stack.servers import Server
from tests.rules.monitors import DAY, small
from tests.rules.test_proofs import failure, write

NEW = Ruler((3, 0))


def monitor(below: float, days: float = 30) -> Monitor:
    """A promise on a duration at which no bucket ends."""
    return replace(
        small(Objective("fast", 0.99, days * DAY, Latency("request_duration", below, native=True))),
        name="native",
    )


@pytest.mark.parametrize("below", [0.4, 0.5, 7.3])
def test_every_proof_holds_where_promtool_can_write_it_down(
    below: float, promtool: Server, tmp_path: Path
) -> None:
    tests = write(tmp_path, artefacts(monitor(below), target=NEW))
    failed = [found for test in tests if (found := failure(promtool, tmp_path, test))]
    if promtool.version[:2] >= prover([monitor(below)]):
        assert failed == []
    else:
        assert failed
        assert all("parse error" in found for found in failed)


def test_a_prometheus_that_keeps_none_is_told_where_it_is_asked_for() -> None:
    with pytest.raises(SpecError) as caught:
        artefacts(monitor(0.4))
    (problem,) = caught.value.problems
    assert problem.path == "spec.objectives[0].latency.native"
    assert problem.message == "Prometheus 2.42 keeps native histograms only behind a feature flag"
    assert "--prometheus-version 3.0" in str(problem.hint)


def test_only_native_histograms_need_a_newer_promtool() -> None:
    classic = small(Objective("up", 0.99, 30 * DAY, Errors()))
    assert prover([classic]) == OLDEST
    assert prover([classic, monitor(0.4)]) == (3, 0)


def test_what_was_in_no_bucket_is_counted_at_the_very_threshold() -> None:
    rules = artefacts(monitor(0.4), target=NEW)[0].text
    assert "histogram_fraction(-Inf, 0.4, sum(rate(gen_ai_client_operation_duration_seconds{" in rules
    assert "_bucket" not in rules

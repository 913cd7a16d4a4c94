"""Features that are held against a reference."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest
import requests
import yaml
from prometheus_client import CollectorRegistry

from airis_mon.instrument import Instruments, Reference
from airis_mon.rules import series
from airis_mon.rules.compile import artefacts
from airis_mon.rules.proofs.features import js_distance, psi
from airis_mon.spec import (
    Distribution,
    Drift,
    Errors,
    Latency,
    Model,
    Monitor,
    Objective,
    Quality,
    Source,
    SpecError,
)
from airis_mon.stack.servers import Server
from tests.mutation.rules import mutants
from tests.rules.monitors import DAY
from tests.rules.test_on_prometheus import exposition
from tests.rules.test_proofs import failure, write
from tests.waiting import until

AGE = Distribution("age", (("(-Inf, 18]", 0.2), ("(18, +Inf)", 0.8), ("missing", 0.0)))
ODD = Distribution("a $1", (('$0 \\"b"', 0.5), ("é{{x}}", 0.3), ("other", 0.2), ("missing", 0.0)))
UP = Objective("up", 0.99, 30 * DAY, Errors())
FAST = Objective("fast", 0.99, 30 * DAY, Latency("request_duration", 1.0))


def monitor(*features: Distribution, objectives: tuple[Objective, ...] = (), **drift: Any) -> Monitor:
    """A monitor of nothing but features."""
    return Monitor(
        "letters",
        Model("letters-model"),
        Source("airis", {"job": "letters"}),
        objectives,
        drift=Drift("reference.json", rows=10_000, distributions=features or (AGE,), **drift),
    )


@pytest.mark.parametrize(
    "about",
    [
        monitor(objectives=(UP, Objective("right", 0.9, 7 * DAY, Quality()), FAST)),
        monitor(ODD, AGE, window=7 * DAY, at_most=0.1),
        monitor(window=3600.0, selector={"job": "gateway", "instance": "a:1"}),
        replace(monitor(window=25 * 3600.0), source=Source("airis", {"job": "a"}, scrape_interval=100.0)),
    ],
    ids=["page and ticket", "odd names", "elsewhere", "read seldom"],
)
def test_every_proof_holds(about: Monitor, promtool: Server, tmp_path: Path) -> None:
    tests = write(tmp_path, artefacts(about))
    assert [found for test in tests if (found := failure(promtool, tmp_path, test))] == []


def test_no_rule_about_drift_is_broken_unnoticed(promtool: Server, tmp_path: Path) -> None:
    about = monitor(objectives=(UP,))
    found = [mutant for mutant in mutants(about) if ":drift" in mutant.what and "ready" not in mutant.what]
    chosen = found[3 :: len(found) // 16]
    assert [mutant.what for mutant in chosen if mutant.survives(promtool, tmp_path)] == []


@pytest.mark.parametrize(
    ("moved", "scale", "expected", "js"),
    [
        (0.1, 1.0, 0.0096, 0.0416),
        (0.2, 1.0, 0.0383, 0.0830),
        (0.3, 1.0, 0.0861, 0.1240),
        (0.5, 1.0, 0.2377, 0.2047),
        (1.0, 1.0, 0.9261, 0.3914),
        (0.0, 1.25, 0.0638, 0.1069),
        (0.0, 1.5, 0.1935, 0.1855),
        (0.0, 2.0, 0.4908, 0.2932),
    ],
)
def test_distances_that_proofs_expect_are_those_of_the_closed_form(
    moved: float, scale: float, expected: float, js: float
) -> None:
    """Ten bins of equal share of a normal distribution, and another one that falls into them."""
    edges = [-math.inf, *(NormalDist().inv_cdf(part / 10) for part in range(1, 10)), math.inf]
    cumulated = [NormalDist(moved, scale).cdf(edge) for edge in edges]
    now = [high - low for low, high in itertools.pairwise(cumulated)]
    assert psi(now, [0.1] * 10) == pytest.approx(expected, abs=6e-5)
    assert js_distance(now, [0.1] * 10) == pytest.approx(js, abs=6e-5)


def test_drift_pages_with_promises_about_answers_alone() -> None:
    def severities(*objectives: Objective) -> list[str]:
        found = yaml.safe_load(artefacts(monitor(objectives=objectives))[0].text)["groups"]
        rules = [rule for group in found for rule in group["rules"]]
        return [rule["labels"]["severity"] for rule in rules if rule.get("alert") == series.DRIFT_ALERT]

    assert severities() == ["ticket"]
    assert severities(FAST) == ["ticket"]
    assert severities(UP, FAST) == ["page", "ticket"]


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        (replace(monitor(), drift=Drift("r.json")), "the reference r.json was not read"),
        (
            replace(monitor(), drift=Drift("r.json", rows=149, distributions=(AGE,))),
            "make it of 150 rows or more",
        ),
    ],
)
def test_a_reference_that_nothing_can_be_held_against_is_refused(about: Monitor, expected: str) -> None:
    with pytest.raises(SpecError, match=expected):
        artefacts(about)


class Application:
    """Ten predictions between two scrapes, of people of an age."""

    def __init__(self, reference: Reference) -> None:
        self.registry = CollectorRegistry()
        self.predictor = Instruments(registry=self.registry).predictor(model="letters", reference=reference)
        self.ages = [10.0] * 2 + [30.0] * 8

    def work(self) -> None:
        for age in self.ages:
            with self.predictor.call() as call:
                call.features({"age": age})


@pytest.mark.slow
def test_features_that_change_are_told_on_a_real_prometheus(
    tmp_path: Path, prometheus_server: Callable[..., Any]
) -> None:
    told = {"rows": 10_000, "features": {"age": {"edges": [18], "shares": [0.2, 0.8]}}}
    application = Application(Reference.parse(json.dumps(told).encode(), "reference.json"))
    about = replace(
        monitor(window=24.0, at_most=0.5), source=Source("airis", {"job": "letters"}, scrape_interval=0.5)
    )
    rules = tmp_path / "letters.rules.yaml"
    rules.write_text(artefacts(about)[0].text, encoding="utf-8")
    with exposition(application) as address:
        server = prometheus_server(
            config={
                "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
                "rule_files": [str(rules)],
                "scrape_configs": [{"job_name": "letters", "static_configs": [{"targets": [address]}]}],
            }
        )

        def value(expression: str) -> float | None:
            answer = requests.get(f"{server.url}/api/v1/query", {"query": expression}, timeout=5).json()
            found = answer["data"]["result"]
            return float(found[0]["value"][1]) if found else None

        def drifting() -> bool:
            firing = f'ALERTS{{alertname="{series.DRIFT_ALERT}",alertstate="firing",feature="age"}}'
            return value(firing) is not None

        # Enough of them to be judged, and as they always were.
        until(lambda: (value(series.OBSERVATIONS) or 0) > 60, seconds=60)
        assert value(series.PSI) == pytest.approx(0.0, abs=0.001)
        assert not drifting()
        application.ages = [10.0] * 6 + [30.0] * 4
        until(drifting, seconds=60)
        expected = psi([0.6, 0.4, 0.0], [0.2, 0.8, 0.0])
        until(lambda: (value(series.PSI) or 0) > 0.98 * expected, seconds=90)
        assert value(series.PSI) == pytest.approx(expected, rel=0.02)

"""Monitors without a contract: their objectives alone know what an operation is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from airis_mon.rules import series
from airis_mon.rules.collection import groups
from airis_mon.rules.compile import artefacts
from airis_mon.spec import Events, Model, Monitor, Objective, Source
from airis_mon.stack.servers import Server
from tests.mutation.rules import mutants
from tests.rules.monitors import DAY
from tests.rules.test_proofs import failure, write

GATEWAY = Monitor(
    "gateway",
    Model("gateway"),
    Source("promql"),
    (
        Objective(
            "answered",
            0.999,
            30 * DAY,
            Events(
                total='sum(rate(answers_total{job="gateway"}[$window]))',
                bad='sum(rate(answers_total{job="gateway",code=~"5.."}[$window]))',
            ),
        ),
        Objective(
            "quick",
            0.99,
            7 * DAY,
            Events(
                total='sum(rate(answer_seconds_count{job="gateway"}[$window]))',
                good='sum(rate(answer_seconds_bucket{job="gateway",le="0.5"}[$window]))',
            ),
        ),
    ),
)


def test_every_proof_holds(promtool: Server, tmp_path: Path) -> None:
    tests = write(tmp_path, artefacts(GATEWAY))
    assert [found for test in tests if (found := failure(promtool, tmp_path, test))] == []


def test_silence_of_each_objective_pages_as_soon_as_an_outage_of_it_would() -> None:
    rules = [rule for group in groups(GATEWAY) for rule in group.rules]
    silence = {
        rule["labels"]["objective"]: rule for rule in rules if rule.get("alert") == series.ABSENT_ALERT
    }
    assert {name: (rule["labels"]["severity"], rule["for"]) for name, rule in silence.items()} == {
        "answered": ("page", "5m"),
        "quick": ("page", "2m1s"),
    }


def test_no_broken_alert_on_silence_passes_its_proofs(promtool: Server, tmp_path: Path) -> None:
    # A sample; `make mutate` breaks everything.
    broken = [one for one in mutants(GATEWAY) if one.what.startswith("airis-mon:gateway:absence")][1::3]
    with ThreadPoolExecutor(2) as pool:
        survived = list(pool.map(lambda mutant: mutant.survives(promtool, tmp_path), broken))
    assert len(broken) > 8
    assert [mutant.what for mutant, alive in zip(broken, survived, strict=True) if alive] == []

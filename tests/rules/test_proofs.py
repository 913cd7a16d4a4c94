"""promtool runs what was generated."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from airis_mon.rules.compile import artefacts
from airis_mon.spec import (
    Alerting,
    Anomaly,
    Artefact,
    Errors,
    Forecast,
    Fresh,
    Latency,
    Model,
    Monitor,
    Objective,
    Quality,
)
from airis_mon.stack.servers import Server
from tests.mutation.rules import mutants
from tests.rules.monitors import DAY, chat, mutated, small


def failure(promtool: Server, folder: Path, test: str) -> str:
    """Return what promtool says of a test that fails, else nothing."""
    done = subprocess.run(
        [str(promtool.path), "test", "rules", str(folder / test)],
        cwd=promtool.cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def write(folder: Path, written: tuple[Artefact, ...]) -> list[str]:
    """Write the files side by side and return the names of the tests."""
    names = []
    for artefact in written:
        name = artefact.path.rpartition("/")[2]
        (folder / name).write_text(artefact.text, encoding="utf-8")
        names.append(name)
    return [name for name in names if name.endswith(".test.yaml")]


TEMPLATES = replace(
    small(Objective("up", 0.999, 30 * DAY, Errors())),
    name="templates",
    model=Model('a {{ $value }} "b"'),
    alerting=Alerting("{{ team }}", runbook="https://example.com/{{x}}"),
    anomalies=(Anomaly("request_rate", by=("zone",), duration=0.0), Anomaly("error_ratio", duration=30.0)),
    forecasts=(Forecast("request_rate", 600.0, 0.5), Forecast("request_rate", 3600.0, 12345.678)),
)

MONITORS = [
    chat(),
    TEMPLATES,
    replace(
        small(Objective("day", 0.99, DAY, Errors()), contract="airis", scrape_interval=2.0), name="one-day"
    ),
    replace(small(Objective("low", 0.8215, 28 * DAY, Errors()), contract="vllm"), name="low"),
    replace(
        small(Objective("odd", 0.93, 1.37 * DAY, Latency("request_duration", 0.64)), scrape_interval=3.0),
        name="odd",
    ),
    replace(
        small(Objective("one", 0.99, DAY, Errors(), fewest_failures=1), scrape_interval=2.0),
        name="single",
    ),
    replace(
        small(Objective("many", 0.99, DAY, Errors(), fewest_failures=70_000), scrape_interval=2.0),
        name="many-failures",
    ),
    replace(
        small(Objective("right", 0.95, DAY, Quality()), contract="airis", scrape_interval=2.0), name="quality"
    ),
    replace(small(Objective("fresh", 0.99, 30 * DAY, Fresh("updated_seconds", 600.0))), name="freshness"),
    replace(
        small(Objective("fresh", 0.93, 1.37 * DAY, Fresh("updated_seconds", 7.0)), scrape_interval=3.0),
        name="odd-freshness",
    ),
    replace(small(Objective("long", 0.9999999, 366 * DAY, Errors())), name="long"),
]


@pytest.mark.parametrize("monitor", MONITORS, ids=lambda monitor: monitor.name)
def test_every_proof_holds(monitor: Monitor, promtool: Server, tmp_path: Path) -> None:
    tests = write(tmp_path, artefacts(monitor))
    assert [found for test in tests if (found := failure(promtool, tmp_path, test))] == []


@pytest.mark.parametrize(
    "target", [0.835, 0.84, 0.87, 0.9, 0.92, 0.9305, 0.931, 0.95, 0.97, 0.99, 0.999, 0.99999]
)
@pytest.mark.parametrize("days", [1, 3, 7, 28, 30])
def test_every_target_has_an_outage_and_a_slow_burn(target: float, days: int) -> None:
    written = artefacts(small(Objective("up", target, days * DAY, Errors()), scrape_interval=2.0))
    (burn,) = [found for found in written if re.search(r"/burn-.*\.test\.yaml", found.path)]
    names = {case["name"].partition(": ")[2] for case in yaml.safe_load(burn.text)["tests"]}
    assert {
        "each tier at its threshold",
        "an outage, and its repair",
        "a slow burn through a counter reset",
    } <= names


MUTANTS = 36


def test_no_broken_rule_passes_its_proofs(promtool: Server, tmp_path: Path) -> None:
    # A sample; `make mutate` breaks everything.
    everything = list(mutants(mutated()))
    chosen = everything[11 :: len(everything) // MUTANTS]
    with ThreadPoolExecutor(2) as pool:
        survived = list(pool.map(lambda mutant: mutant.survives(promtool, tmp_path), chosen))
    assert len(chosen) >= MUTANTS
    assert [mutant.what for mutant, alive in zip(chosen, survived, strict=True) if alive] == []


def test_the_proofs_hold_for_the_rules_that_are_broken_above(promtool: Server, tmp_path: Path) -> None:
    # What a mutant is compared with: without it, a broken test file would find every mutant.
    tests = write(tmp_path, artefacts(mutated()))
    assert len(tests) == 6
    assert [test for test in tests if failure(promtool, tmp_path, test)] == []

"""The alert on a new version, proven whatever labels tell the versions apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from airis_mon.rules.compile import artefacts
from airis_mon.spec import Canary, Errors, Monitor, Objective
from airis_mon.stack.servers import Server
from tests.mutation.rules import mutants
from tests.rules.monitors import DAY, small
from tests.rules.test_proofs import failure, write


def monitor(canary: Canary) -> Monitor:
    """A monitor of nothing but two versions."""
    return replace(small(Objective("up", 0.99, 30 * DAY, Errors())), objectives=(), canary=canary)


VERSIONS = Canary({"version": "1"}, {"version": "2"})


@pytest.mark.parametrize(
    "canary",
    [
        VERSIONS,
        Canary({"version": '1 "old" \\ {{x}}', "zone": "a"}, {"version": "2"}, severity="page"),
    ],
    ids=["usual", "strange"],
)
def test_every_proof_holds(canary: Canary, promtool: Server, tmp_path: Path) -> None:
    tests = write(tmp_path, artefacts(monitor(canary)))
    assert [found for test in tests if (found := failure(promtool, tmp_path, test))] == []


def test_the_alert_is_not_broken_unnoticed(promtool: Server, tmp_path: Path) -> None:
    found = [mutant for mutant in mutants(monitor(VERSIONS)) if "ModelCanaryWorse" in mutant.what]
    chosen = found[:: max(1, len(found) // 8)]
    assert len(chosen) >= 8
    assert [mutant.what for mutant in chosen if mutant.survives(promtool, tmp_path)] == []

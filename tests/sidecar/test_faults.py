"""The fault harness itself: it finds nothing in a sound sidecar, and would find something in another."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def faults(*words: str) -> tuple[int, dict[str, int]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", *words],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def test_a_sound_sidecar_loses_nothing_and_counts_nothing_twice() -> None:
    code, result = faults("--trials=3", "--seed=7")
    assert code == 0, result
    assert (result["trials"], result["lost"], result["counted_twice"]) == (3, 0, 0)
    assert (result["went_back"], result["manual_steps"]) == (0, 0)
    assert result["batches"] > 20


def test_without_numbers_the_ledger_notices() -> None:
    code, result = faults("--trials=1", "--seed=7", "--sabotage=deduplication")
    assert code == 1
    assert result["counted_twice"] > 0


@pytest.mark.slow
def test_killed_many_times() -> None:
    code, result = faults("--trials=40", "--seed=3")
    assert code == 0, result
    assert result["trials"] == 40

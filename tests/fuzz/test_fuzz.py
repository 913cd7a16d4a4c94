"""The fuzz harness itself: it finds a planted crash, keeps it, and finds nothing in a sound decoder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import PLANTED, targets


def fuzz(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *words], capture_output=True, text=True, timeout=200, check=False
    )


@pytest.mark.slow
def test_a_planted_crash_is_found_and_kept(tmp_path: Path) -> None:
    done = fuzz("planted", "--seconds=60", "--seed=1", f"--keep={tmp_path}")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["crashed"] == ["planted"]
    (kept,) = tmp_path.iterdir()
    with pytest.raises(KeyError, match="planted"):
        PLANTED.decode(kept.read_bytes())
    assert fuzz("planted", f"--again={kept}").returncode == 1


@pytest.mark.slow
def test_a_sound_decoder_is_not_accused(tmp_path: Path) -> None:
    done = fuzz("accept", "--seconds=2", f"--keep={tmp_path}")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["executions"] > 100
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", targets())
def test_seeds_are_good_input_or_refused_as_documented(name: str) -> None:
    target = targets()[name]
    assert target.seeds
    for seed in target.seeds:
        try:
            target.decode(seed)
        except target.documented:
            continue

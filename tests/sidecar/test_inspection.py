from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sidecar.conftest import event, metric
from tests.sidecar.test_durable import NOW, running

NUMBERED = {"X_Airis_Producer": "worker-1", "X_Airis_Epoch": "7", "X_Airis_Sequence": "1"}


def journal(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "airis_mon.cli", "journal", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of two records, left by a kill."""
    made = tmp_path_factory.mktemp("journal")
    with running(made) as sidecar:
        sidecar.post([metric(timestamp=NOW, metric_type="counter", value=2)] * 3, **NUMBERED)
        sidecar.post(event(timestamp=NOW, message="out"), "/v1/events")
        sidecar.process.kill()
    return made


def test_fsck_tells_a_sound_journal_by_its_code(folder: Path) -> None:
    done = journal("fsck", folder)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "sound")
    assert "2 records, sequences 1 to 2" in done.stdout


def test_fsck_tells_what_is_damaged(folder: Path, tmp_path: Path) -> None:
    (segment,) = folder.glob("*.segment")
    data = bytearray(segment.read_bytes())
    data[70] ^= 1
    (tmp_path / segment.name).write_bytes(data)
    done = journal("fsck", tmp_path)
    assert done.returncode == 1
    assert f"{segment.name}: bytes 20 to" in done.stdout
    assert "1 records, sequences 2 to 2" in done.stdout


def test_dump_is_a_line_of_json_each(folder: Path) -> None:
    first, second = map(json.loads, journal("dump", folder).stdout.splitlines())
    assert (first["sequence"], first["producer"], first["epoch"], first["number"]) == (1, "worker-1", 7, 1)
    assert first["entries"][0][2] == [6.0]
    assert second["events"][0]["message"] == "out"


def test_replay_adds_up(folder: Path) -> None:
    assert 'thing_total{source="tests"} 6.0\n' in journal("replay", folder).stdout


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    done = journal("fsck", tmp_path / "nowhere")
    assert done.returncode == 1
    assert "nowhere is no folder; give that of --storage.path" in done.stderr

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airis_mon.remote_write import STALE, DeadLetters, HttpWriter, Refusal, Sample
from tests.remote_write.receiver import Reply, receiver


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def refusal(value: float = 1.0, reason: str = "out of order", pod: str = "a") -> Refusal:
    return Refusal((("__name__", "yhat"), ("pod", pod)), 1000, value, reason)


def test_what_was_refused_is_written_with_the_reason(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "dead.jsonl", now=lambda: 12.3456)
    with receiver(lambda request: Reply(400, text="out of order\nat 7")) as there:
        writer = HttpWriter(there.url, refused=letters)
        writer.write([Sample({"__name__": "yhat", "pod": "a"}, 1000, 0.1)])
        writer.write([Sample({"__name__": "not a name"}, 1000, float("inf"))])
    first, second = read(tmp_path / "dead.jsonl")
    assert "400: out of order\nat 7" in first.pop("reason")
    assert first == {
        "told": 12.346,
        "labels": {"__name__": "yhat", "pod": "a"},
        "timestamp_ms": 1000,
        "value": "0.1",
        "doubtful": False,
    }
    assert second["value"] == "+Inf"
    assert "not a name" in second["reason"]
    assert (letters.kept, letters.lost, letters.error) == (2, 0, "")


def test_of_a_partial_write_every_sample_is_doubtful(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "dead.jsonl")
    with receiver(lambda request: Reply(400, written=1)) as there:
        result = HttpWriter(there.url, refused=letters).write(
            [Sample({"__name__": "yhat", "pod": pod}, 1000, 1.0) for pod in "ab"]
        )
    assert (result.sent, result.dropped) == (1, 1)
    assert [line["doubtful"] for line in read(tmp_path / "dead.jsonl")] == [True, True]


def test_what_could_not_be_delivered_is_written_as_well(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "dead.jsonl")
    with receiver(lambda request: Reply(503)) as there:
        HttpWriter(there.url, refused=letters, sleep=lambda seconds: True).write(
            [Sample({"__name__": "yhat"}, 1000, STALE)]
        )
    (line,) = read(tmp_path / "dead.jsonl")
    assert line["value"] == "stale"
    assert "given up" in line["reason"]


def test_both_files_together_stay_within_their_size(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "dead.jsonl", max_bytes=4000)
    for number in range(100):
        letters([refusal(float(number))])
    letters([refusal(float(number)) for number in range(100, 150)])
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["dead.jsonl", "dead.jsonl.1"]
    assert all(file.stat().st_size <= 2000 for file in files)
    kept = [float(line["value"]) for file in files[::-1] for line in read(file)]
    assert kept == [float(number) for number in range(150 - len(kept), 150)]
    assert letters.kept == 150


def test_a_disk_that_takes_nothing_is_counted_and_told(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "nowhere" / "dead.jsonl")
    letters([refusal(), refusal()])
    assert (letters.kept, letters.lost) == (0, 2)
    assert "nowhere" in letters.error
    (tmp_path / "nowhere").mkdir()
    letters([refusal()])
    assert (letters.kept, letters.lost, letters.error) == (1, 2, "")


def test_a_disk_that_takes_nothing_is_told_once_and_again_when_it_takes_some(tmp_path: Path) -> None:
    folder, heard = tmp_path / "later", list[str]()
    letters = DeadLetters(folder / "dead.jsonl", turned=heard.append)
    letters([refusal(), refusal()])
    letters([refusal()])
    assert heard == [f"{folder / 'dead.jsonl'}: No such file or directory"]
    folder.mkdir()
    letters([refusal()])
    letters([refusal()])
    assert heard[1:] == [""]


def test_a_file_that_cannot_be_written_is_found_before_anything_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        DeadLetters(tmp_path / "absent" / "dead.jsonl").open()
    with pytest.raises(IsADirectoryError):
        DeadLetters(tmp_path).open()
    file = tmp_path / "dead.jsonl"
    file.write_text("{}\n")
    DeadLetters(file).open()
    assert file.read_text() == "{}\n"


def test_a_line_that_a_kill_cut_off_takes_no_other_along(tmp_path: Path) -> None:
    (tmp_path / "dead.jsonl").write_text('{"told": 1')
    DeadLetters(tmp_path / "dead.jsonl")([refusal(pod="\ud800")])
    cut, whole = (tmp_path / "dead.jsonl").read_text().splitlines()
    assert cut == '{"told": 1'
    assert json.loads(whole)["labels"]["pod"] == "\ud800"

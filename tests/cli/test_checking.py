import json
from pathlib import Path

import pytest

from airis_mon.cli.documents import LARGEST, load
from airis_mon.spec import Latency, SpecError
from tests.cli.conftest import Run
from tests.cli.documents import monitor


def test_good_documents_are_counted(airis_mon: Run, documents: list[str]) -> None:
    done = airis_mon("check", *documents)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1 monitor, 1 receiver, 1 escalation policy: no problems\n"


def test_all_problems_of_all_files_come_at_once(airis_mon: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(
        monitor("a").replace("direction: up", "directoin: up").replace(", escalation: standard", "")
    )
    second.write_text(monitor("b").replace("640ms", "600ms").replace(", escalation: standard", ""))
    missing = tmp_path / "missing.yaml"
    done = airis_mon("check", first, second, missing)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "did you mean `direction`?" in done.stderr
    assert f"--> {first}:11:" in done.stderr
    assert "0.64" in done.stderr or "640ms" in done.stderr  # the boundary to take instead
    assert f"--> {second}:9:" in done.stderr
    assert f"cannot read {missing}: No such file or directory" in done.stderr
    assert done.stderr.endswith("\n3 problems in 3 files\n")


def test_what_a_contract_refuses_is_told_beside_what_cannot_be_read(airis_mon: Run, tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(
        monitor()
        .replace("direction: up", "directoin: up")
        .replace("640ms", "600ms")
        .replace(", escalation: standard", "")
    )
    done = airis_mon("check", file)
    assert "did you mean `direction`?" in done.stderr
    assert "no bucket of `time_to_first_token` ends at 600ms" in done.stderr
    assert done.stderr.endswith("\n2 problems in 1 file\n")


def test_problems_as_json_carry_their_place(airis_mon: Run, tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(monitor().replace("contract:", "contrakt:"))
    done = airis_mon("check", "--format", "json", file)
    problems = json.loads(done.stdout)
    assert done.returncode == 1
    assert {"severity", "message", "file", "line", "column", "path", "hint"} == set(problems[0])
    assert {problem["file"] for problem in problems} == {str(file)}
    assert 6 in {problem["line"] for problem in problems}


def test_no_problems_as_json_is_an_empty_list(airis_mon: Run, documents: list[str]) -> None:
    done = airis_mon("check", "--format", "json", *documents)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_a_file_named_twice_is_read_once(documents: list[str]) -> None:
    assert len(load([*documents, *documents]).monitors) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: \xff\n", "is not UTF-8"),
        (b"#" * (LARGEST + 1), "is larger than 1 MiB"),
    ],
)
def test_a_file_that_is_no_text_is_a_problem_like_any_other(
    tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "m.yaml"
    file.write_bytes(content)
    with pytest.raises(SpecError, match=message) as raised:
        load([file])
    assert len(raised.value.problems) == 1
    location = raised.value.problems[0].location
    assert location is not None
    assert location.line == (2 if "UTF" in message else 1)


def test_a_folder_is_told_apart_from_a_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is a folder"):
        load([tmp_path])


def test_a_latency_that_may_be_moved_is_a_warning_with_the_effective_value(
    airis_mon: Run, tmp_path: Path
) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(
        monitor().replace("below: 640ms", "below: 600ms, snap: down").replace(", escalation: standard", "")
    )
    done = airis_mon("check", file)
    assert done.returncode == 0
    assert "warning: `time_to_first_token` is counted below 320ms: no bucket ends at 600ms" in done.stderr
    assert f"--> {file}:9:" in done.stderr
    assert done.stdout.endswith(": 1 warning\n")
    (fast,) = (one.indicator for one in load([file]).monitors[0].objectives if one.name == "first-token")
    assert fast == Latency("time_to_first_token", 0.32)

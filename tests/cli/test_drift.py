"""`airis-mon drift reference`."""

from __future__ import annotations

from pathlib import Path

import pytest

from airis_mon.cli.main import main
from airis_mon.instrument import Reference


@pytest.fixture
def past(tmp_path: Path) -> Path:
    file = tmp_path / "past.csv"
    rows = [f"{number % 7},{'abc'[number % 3]},id-{number}" for number in range(90)]
    file.write_text("\n".join(["size,kind,id", *rows]), encoding="utf-8")
    return file


def test_a_reference_is_written_and_what_is_left_out_told(
    past: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "reference.json"
    assert main(["drift", "reference", str(past), "-o", str(made)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{made}: 2 features of 90 rows\n"
    assert "left out: id" in said.err
    assert [feature.name for feature in Reference.read(made).features] == ["size", "kind"]


def test_a_reference_is_printed_where_no_file_is_named(
    past: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drift", "reference", str(past), "--feature", "kind", "--top", "2"]) == 0
    assert [one.bins for one in Reference.parse(capsys.readouterr().out.encode(), "").features] == [
        ("a", "b", "other", "missing")
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--feature", "shoe"], "there is no column `shoe`; there are size, kind, id"),
        (["--bins", "99"], "write 2 to 19 bins"),
    ],
)
def test_what_cannot_be_made_is_told(
    past: Path, words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drift", "reference", str(past), *words]) == 1
    assert expected in capsys.readouterr().err


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drift", "reference", str(tmp_path / "none.csv")]) == 1
    assert "none.csv" in capsys.readouterr().err

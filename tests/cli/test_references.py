"""References of documents that ask for drift, read from beside the document."""

from __future__ import annotations

from pathlib import Path

import pytest

from airis_mon.cli.documents import load
from airis_mon.spec import SpecError

DOCUMENT = """apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: digits}
spec:
  model: {name: digits}
  source: {contract: airis, selector: {job: digits}}
  drift: {reference: bins/reference.json, features: [%s]}
"""
REFERENCE = """{"rows": 9000, "features": {
  "age": {"edges": [18], "shares": [0.5, 0.5]}, "size": {"edges": [1], "shares": [0.25, 0.75]}}}"""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    (tmp_path / "bins").mkdir()
    (tmp_path / "bins" / "reference.json").write_text(REFERENCE, encoding="utf-8")
    file = tmp_path / "digits.yaml"
    file.write_text(DOCUMENT % "size", encoding="utf-8")
    return file


def refused(document: Path) -> str:
    with pytest.raises(SpecError) as error:
        load([document])
    return str(error.value)


def test_a_reference_is_read_from_beside_its_document(document: Path) -> None:
    (monitor,) = load([document]).monitors
    assert monitor.drift is not None
    assert monitor.drift.rows == 9000
    (size,) = monitor.drift.distributions
    assert size.feature == "size"
    assert size.bins == (("(-Inf, 1]", 0.25), ("(1, +Inf)", 0.75), ("missing", 0.0))


def test_all_features_are_watched_where_none_is_named(document: Path) -> None:
    document.write_text((DOCUMENT % "").replace(", features: []", ""), encoding="utf-8")
    (monitor,) = load([document]).monitors
    assert monitor.drift is not None
    assert [one.feature for one in monitor.drift.distributions] == ["age", "size"]


def test_a_file_that_is_not_there_is_told_at_the_key_that_names_it(document: Path) -> None:
    (document.parent / "bins" / "reference.json").unlink()
    said = refused(document)
    assert "error: there is no file" in said
    assert "digits.yaml:7:22  (spec.drift.reference)" in said
    assert "airis-mon drift reference past.csv" in said


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (" " * (1 << 21), "reference.json: larger than 1 MiB", "leave features out"),
        ("{]", "reference.json:1:2: Expecting property name", "write JSON"),
        ('{"rows": 1}', "the key features is missing", "known are rows, features"),
    ],
)
def test_a_file_that_is_no_reference_is_told_there_too(
    document: Path, content: str, message: str, hint: str
) -> None:
    (document.parent / "bins" / "reference.json").write_text(content, encoding="utf-8")
    said = refused(document)
    assert message in said
    assert "(spec.drift.reference)" in said
    assert hint in said.partition("(spec.drift.reference)")[2]


def test_a_feature_that_the_reference_lacks_is_told_with_the_one_that_was_meant(document: Path) -> None:
    document.write_text(DOCUMENT % "size, agge", encoding="utf-8")
    said = refused(document)
    assert "bins/reference.json has no feature `agge`" in said
    assert "(spec.drift.features[1])" in said
    assert "did you mean `age`?" in said

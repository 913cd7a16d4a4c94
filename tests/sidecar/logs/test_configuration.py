from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.sidecar.logs.configuration import configuration
from airis_mon.spec import SpecError

PAGE = Path(__file__).resolve().parents[3] / "docs" / "logs.md"


def test_the_example_of_the_page_is_one() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    found = configuration(example, "sidecar.yaml")
    assert [pattern.name for pattern in found.patterns] == ["upstream-timeout", "refusal"]
    assert found.masking.fields == {"prompt": "drop", "request_id": "off"}
    assert found.masking.text("C-123456") == "[customer]"
    assert found.tail[1].keys.message == "text"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "one document is wanted"),
        ("[]", "stands where a mapping belongs"),
        ("paterns: []", "did you mean `patterns`?"),
        ("patterns: [{name: a, where: {a: b}}]", "neither `counter`"),
        ("patterns: [{name: a, counter: c}]", "matches every record"),
        ("patterns: [{name: a, counter: c, regex: {message: '(a+'}}]", "sidecar.yaml:1:51"),
        ("patterns: [{name: a, counter: up, where: {a: b}}]", "gives to its own series"),
        ("patterns: [{name: a, gauge: {name: x, value: y, unit: parsec}, where: {a: b}}]", "parsec"),
        ("masking: {fields: {a: hide}}", "is not `off`, `mask` or `drop`"),
        ("tail: [{path: logs/*.log, source: a}]", "is no absolute path"),
        ("tail: [{path: /var/*/a.log, source: a}]", "wildcard in its folder"),
        ("a: &a [1]\nb: " + "[" * 40, "nested deeper"),
        ("patterns: " + "x" * 2_000_000, "larger than"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(SpecError) as refused:
        configuration(text, "sidecar.yaml")
    assert said in str(refused.value)
    assert "sidecar.yaml:1:" in str(refused.value) or "sidecar.yaml:2:" in str(refused.value)


@given(st.text(max_size=60))
def test_any_text_is_a_configuration_or_a_located_error(text: str) -> None:
    said = ["sidecar.yaml:"]
    with suppress(SpecError):
        try:
            configuration(text, "sidecar.yaml")
        except SpecError as error:
            said = [str(problem) for problem in error.problems]
            raise
    assert all("sidecar.yaml:" in problem for problem in said)

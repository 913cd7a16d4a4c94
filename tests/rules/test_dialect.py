"""What a version of Prometheus understands, held against the promtool of that version."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from airis_mon.rules import dialect, series
from airis_mon.rules.groups import Group, Rule
from airis_mon.rules.ruler import Ruler
from airis_mon.spec import Problem
from airis_mon.stack.servers import Server
from tests.rules.monitors import chat

CALLS = {
    "double_exponential_smoothing": "(x[5m], 0.1, 0.1)",
    "first_over_time": "(x[5m])",
    "histogram_quantiles": '(x, "q", 0.5)',
    "holt_winters": "(x[5m], 0.1, 0.1)",
    "limit_ratio": "(0.5, x)",
    "limitk": "(1, x)",
    "mad_over_time": "(x[5m])",
    "max_of": "(1, 2)",
    "min_of": "(1, 2)",
    "sort_by_label": '(x, "a")',
    "sort_by_label_desc": '(x, "a")',
    "ts_of_first_over_time": "(x[5m])",
    "ts_of_last_over_time": "(x[5m])",
    "ts_of_max_over_time": "(x[5m])",
    "ts_of_min_over_time": "(x[5m])",
}
"""Arguments of functions that take anything but one vector."""


def told(rule: Rule, version: tuple[int, int], group: type[Group] = Group) -> list[Problem]:
    return dialect.problems(chat(), [group("g", (rule,))], Ruler(version))


def recorded(expression: str) -> Rule:
    return {"record": "a:b", "expr": expression, "labels": {}}


@pytest.mark.parametrize("function", sorted({*dialect.FUNCTIONS, *dialect.RENAMED, *dialect.EXPERIMENTAL}))
def test_promtool_of_a_version_reads_exactly_what_is_not_told(
    function: str, promtool: Server, tmp_path: Path
) -> None:
    rule = recorded(function + CALLS.get(function, "(x)"))
    (tmp_path / "r.yaml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}))
    done = subprocess.run(
        [str(promtool.path), "check", "rules", str(tmp_path / "r.yaml")],
        cwd=promtool.cwd,
        capture_output=True,
        text=True,
        timeout=30,
    )
    version = (promtool.version[0], promtool.version[1])
    assert (done.returncode == 0) == (told(rule, version) == []), done.stderr


@pytest.mark.parametrize(("field", "value"), [("query_offset", "1m"), ("labels", {"a": "b"})])
def test_promtool_of_a_version_reads_exactly_those_fields_that_are_not_told(
    field: str, value: object, promtool: Server, tmp_path: Path
) -> None:
    class Newer(Group):
        def content(self) -> dict[str, object]:
            return {**super().content(), field: value}

    rule = recorded("x")
    (tmp_path / "r.yaml").write_text(yaml.safe_dump({"groups": [Newer("g", (rule,)).content()]}))
    done = subprocess.run(
        [str(promtool.path), "check", "rules", str(tmp_path / "r.yaml")],
        cwd=promtool.cwd,
        capture_output=True,
        text=True,
        timeout=30,
    )
    version = (promtool.version[0], promtool.version[1])
    assert (done.returncode == 0) == (told(rule, version, Newer) == []), done.stderr


def test_what_is_too_new_is_told_where_the_objective_stands_with_the_version_that_has_it() -> None:
    rule = recorded("histogram_avg(sum(rate(x[5m])))") | {"labels": {series.SLO_NAME: "first-token"}}
    (problem,) = told(rule, (2, 50))
    assert problem.message == "Prometheus 2.50 has no function `histogram_avg`; it came with 2.51"
    assert problem.path == "spec.objectives[1]"
    assert "--prometheus-version 2.51" in (problem.hint or "")
    assert told(rule, (2, 51)) == []


def test_what_was_taken_out_is_told_from_that_version_on() -> None:
    rule = recorded("holt_winters(x[5m], 0.1, 0.1) > 1")
    assert told(rule, (2, 55)) == []
    assert "taken out with 3.0" in told(rule, (3, 0))[0].message


@pytest.mark.parametrize(
    "expression",
    [
        'x{a="histogram_avg(y)"}',
        "x{a='it\\'s histogram_avg(y)'}",
        "x{a=`histogram_avg(y)`}",
        "x # histogram_avg(y)\n",
        "histogram_avg",
        "sum by (histogram_avg) (x)",
    ],
)
def test_a_word_that_is_not_called_is_no_function(expression: str) -> None:
    assert told(recorded(expression), (2, 42)) == []


@pytest.mark.parametrize(
    "expression", ["HISTOGRAM_AVG (x)", "1 + histogram_avg\n(x)", 'y{a="("} + histogram_avg(x)']
)
def test_a_function_is_found_however_it_is_written(expression: str) -> None:
    assert len(told(recorded(expression), (2, 42))) == 1

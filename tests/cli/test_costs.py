"""What rules cost is told before anything is written, and refused above the budget."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airis_mon.cli.cost_memory import CostMemory
from airis_mon.rules.cost import Assumptions, estimate
from tests.cli.conftest import Run
from tests.cli.documents import PEOPLE, monitor, small
from tests.rules.monitors import chat

HEARD = small("b") + "  alerting: {escalation: standard}\n"


def test_check_tells_the_cost_of_each_monitor_and_of_all(called: Run, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text("---\n".join([monitor("a"), HEARD, PEOPLE]))
    done = called("check", "--cost", tmp_path / "all.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "cost, evaluated every 1m, series per selector 3 assumed:"
    assert lines[1].split() == ["monitor", "rules", "series", "samples/s"]
    assert [line.split()[0] for line in lines[2:5]] == ["a", "b", "total"]
    more = called("check", "--cost", "--cost.series-per-selector=30", tmp_path / "all.yaml")
    assert "series per selector 30 assumed" in more.stdout
    assert more.stdout != done.stdout


def test_above_the_budget_nothing_is_written_and_what_would_help_is_told(
    called: Run, documents: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = called("build", *documents, "-o", out, "--cost.samples-per-second=10")
    assert done.returncode == 1
    assert "samples per second, and the budget is 10" in done.stderr
    assert "`support-chat` reads" in done.stderr
    assert not out.exists()
    helps = done.stderr.partition("or allow it: `")[2].partition("`")[0]
    assert called("check", *documents, *helps.split()).returncode == 0


def test_build_tells_the_cost_before_it_proves(called: Run, tmp_path: Path, tools: list[str]) -> None:
    files = []
    for index in range(8):
        files.append(tmp_path / f"m{index}.yaml")
        files[-1].write_text(small(f"m{index}"))
    done = called("build", *files, "-o", tmp_path / "out", *tools)
    assert done.returncode == 0, done.stderr
    before, _, after = done.stderr.partition("proving ")
    assert "and 3 more" in before
    assert "total" in before
    assert after


def test_a_retention_that_is_too_short_is_told_and_refuses_nothing(called: Run, documents: list[str]) -> None:
    done = called("check", *documents, "--retention", "15d")
    assert done.returncode == 0
    assert "looks 30d back, and samples are kept for 15d" in done.stderr
    assert done.stdout.endswith(": 4 warnings\n")
    assert called("check", *documents, "--retention", "31d").stderr == ""
    as_json = called("check", *documents, "--retention", "15d", "--format", "json")
    assert as_json.returncode == 0
    assert {problem["severity"] for problem in json.loads(as_json.stdout)} == {"warning"}


def test_what_was_reckoned_is_known_to_the_next_run_and_to_no_other_program(tmp_path: Path) -> None:
    memory = CostMemory(tmp_path / "new" / "costs.json", "this program")
    assert memory.recall() == {}
    costs = {"key": estimate(chat(), Assumptions())}
    memory.keep(costs)
    assert memory.recall() == costs
    assert CostMemory(tmp_path / "new" / "costs.json", "another").recall() == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b'{"generator": "g"}',
        b'{"generator": "g", "costs": [1]}',
        b'{"generator": "g", "costs": {"key": {"rules": 1}}}',
        b'{"generator": "g", "costs": {"key": {"reaches": {}, "heaviest": null, "unread": [], "odd": 1}}}',
    ],
)
def test_a_memory_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "costs.json").write_bytes(content)
    memory = CostMemory(tmp_path / "costs.json", "g")
    assert memory.recall() == {}
    memory.keep({})
    assert memory.recall() == {}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--cost.series=none", "`none` is no number above 0"),
        ("--cost.series=0", "`0` is no number above 0"),
        ("--cost.samples-per-second=inf", "`inf` is no number above 0"),
        ("--cost.series-per-selector=nan", "`nan` is no number above 0"),
        ("--cost.evaluation-interval=0s", "`0s`"),
        ("--retention=long", "`long`"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(
    called: Run, documents: list[str], option: str, message: str
) -> None:
    done = called("check", *documents, option)
    assert done.returncode == 2
    assert message in done.stderr

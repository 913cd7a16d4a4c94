import json
from pathlib import Path

import pytest

from airis_mon.cli.documents import LARGEST, load
from airis_mon.spec import Latency, SpecError
from tests.cli.conftest import Run
from tests.cli.documents import PEOPLE, monitor, small

MORE = """\
apiVersion: airis.dev/v1alpha1
kind: Profile
metadata: {name: slow}
spec: {anomalies: [{of: error_ratio}]}
---
apiVersion: airis.dev/v1alpha1
kind: EscalationPolicy
metadata: {name: hours}
spec:
  page: [{receivers: [oncall], active_time_intervals: [day]}, {receivers: [oncall], after: 1h}]
---
apiVersion: airis.dev/v1alpha1
kind: Team
metadata: {name: chat}
spec: {escalation: hours}
---
apiVersion: airis.dev/v1alpha1
kind: TimeInterval
metadata: {name: day}
spec: {intervals: [{times: ["09:00-17:00"]}]}
---
apiVersion: airis.dev/v1alpha1
kind: Maintenance
metadata: {name: reindex}
spec: {reason: reindex, monitors: [support-chat], recurring: [{weekdays: [sunday], times: ["02:00-04:00"]}]}
"""
OVER_RECORDED = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: recorded}
spec:
  model: {name: llama}
  source: {contract: promql}
  objectives:
    - {name: own, target: 99%, events:
        {total: 'sum(rate(slo:sli_events:rate5m[$window]))', bad: 'sum(rate(errors_total[$window]))'}}
"""
DISORDERED = """\
apiVersion: airis.dev/v1alpha1
kind: EscalationPolicy
metadata: {name: broken}
spec: {page: [{receivers: [oncall]}, {receivers: [oncall], after: 10s}]}
"""


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


def test_documents_of_every_kind_are_counted(called: Run, documents: list[str], tmp_path: Path) -> None:
    more = tmp_path / "more.yaml"
    more.write_text(MORE)
    done = called("check", *documents, more)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "1 monitor, 1 profile, 1 receiver, 2 escalation policies, 1 team, 1 time interval, 1 maintenance: "
        "no problems\n"
    )


def test_a_monitor_that_nobody_hears_of_is_told_and_refuses_nothing(called: Run, tmp_path: Path) -> None:
    file, people = tmp_path / "m.yaml", tmp_path / "people.yaml"
    file.write_text(small("alone"))
    people.write_text(PEOPLE)
    alone = called("check", file)
    assert alone.returncode == 0
    assert "warning: nobody hears of the alerts of `alone`: it names no EscalationPolicy\n" in alone.stderr
    assert f"  --> {file}:4:1  (spec.alerting.escalation)\n" in alone.stderr
    assert "  = write `escalation: NAME` in `alerting`\n" in alone.stderr
    assert "kind EscalationPolicy" in alone.stderr
    assert alone.stdout.endswith(": 1 warning\n")
    assert "  = write `escalation: standard` in `alerting`\n" in called("check", file, people).stderr
    file.write_text(small("alone") + "  alerting: {escalation: standard}\n")
    assert called("check", file, people).stderr == ""


def test_a_policy_without_a_ladder_of_tickets_is_told_where_it_is_used(called: Run, tmp_path: Path) -> None:
    file, people = tmp_path / "m.yaml", tmp_path / "people.yaml"
    file.write_text(small("alone") + "  alerting: {escalation: standard}\n")
    people.write_text(PEOPLE.replace("  ticket: [{receivers: [oncall]}]\n", ""))
    told = called("check", file, people)
    assert told.returncode == 0
    assert "warning: nobody hears of the tickets of `standard`: it has no ladder for them\n" in told.stderr
    assert "(spec.ticket)\n" in told.stderr
    assert "  = write `ticket: [{receivers: [oncall]}]` beside `page`\n" in told.stderr
    file.write_text(small("alone"))
    assert "of the tickets" not in called("check", file, people).stderr


def test_a_fleet_that_nobody_hears_of_is_told_in_a_few_warnings(called: Run, tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("---\n".join(small(f"m{index}") for index in range(30)))
    done = called("check", file)
    assert done.stderr.count("warning: ") == 21
    assert "warning: nobody hears of the alerts of 10 more monitors\n" in done.stderr


def test_what_is_wrong_at_any_stage_is_told_of_every_document_at_once(called: Run, tmp_path: Path) -> None:
    # One file cannot be decoded, the contract refuses the next, rules and routes the others.
    texts = {
        "decoded": monitor("a").replace("direction: up", "directoin: up"),
        "contract": monitor("b").replace("640ms", "600ms"),
        "rules": OVER_RECORDED,
        "unheard": small("d") + "  alerting: {escalation: broken}\n  depends_on: [b]\n",
        "people": PEOPLE + "---\n" + DISORDERED,
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    done = called("check", *(tmp_path / f"{name}.yaml" for name in texts))
    assert done.returncode == 1
    told = {line.partition(" --> ")[2] for line in done.stderr.splitlines() if " --> " in line}
    files = sorted(Path(place.partition(":")[0]).stem for place in told)
    assert files == ["contract", "decoded", "people", "rules"]
    assert "is recorded by rules" in done.stderr
    assert "the step before is told after" in done.stderr
    assert done.stderr.endswith("\n4 problems in 4 files\n")


@pytest.mark.parametrize("command", ["check", "build", "diff"])
def test_series_that_rules_record_are_no_events_whoever_is_asked(
    called: Run, tmp_path: Path, command: str
) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(OVER_RECORDED)
    done = called(command, file, *([] if command == "check" else ["-o", tmp_path / "out"]))
    assert done.returncode != 0
    assert "`slo:sli_events:rate5m` is recorded by rules" in done.stderr
    assert f"{file}:9:" in done.stderr


def test_a_folder_is_told_apart_from_a_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is a folder") as empty:
        load([tmp_path])
    assert "there is no \\*.yaml in it".replace("\\", "") in str(empty.value)
    (tmp_path / "m.yaml").write_text(monitor())
    with pytest.raises(SpecError, match="is a folder") as full:
        load([tmp_path])
    assert f"name its files: {tmp_path}/*.yaml" in str(full.value)


def test_a_latency_that_may_be_moved_is_a_warning_with_the_effective_value(
    airis_mon: Run, tmp_path: Path
) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(monitor().replace("below: 640ms", "below: 600ms, snap: down") + "---\n" + PEOPLE)
    done = airis_mon("check", file)
    assert done.returncode == 0
    assert "warning: `time_to_first_token` is counted below 320ms: no bucket ends at 600ms" in done.stderr
    assert f"--> {file}:9:" in done.stderr
    assert done.stdout.endswith(": 1 warning\n")
    (fast,) = (one.indicator for one in load([file]).monitors[0].objectives if one.name == "first-token")
    assert fast == Latency("time_to_first_token", 0.32)

"""What is written in other dialects is checked, built and proven as documents of our own are."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "dialects").glob("*.yaml"))


def test_examples_are_built_and_proven_together(airis_mon: Run, tmp_path: Path) -> None:
    checked = airis_mon("check", *EXAMPLES)
    assert checked.stdout == "2 monitors, 1 receiver, 1 escalation policy: 1 warning\n"
    assert "nobody hears of the alerts of `chat-gateway`" in checked.stderr
    assert "(labels.escalation)" in checked.stderr
    assert "= write `escalation: search-team` among its labels" in checked.stderr
    built = airis_mon("build", *EXAMPLES, "-o", tmp_path / "out")
    assert built.returncode == 0, built.stderr
    assert {path.name for path in (tmp_path / "out" / "rules").glob("*.rules.yaml")} == {
        "chat-gateway.rules.yaml",
        "retrieval.rules.yaml",
    }


def test_paths_are_told_as_the_document_calls_them(airis_mon: Run, tmp_path: Path) -> None:
    (sloth,) = (path for path in EXAMPLES if path.stem == "sloth")
    wrong = tmp_path / "sloth.yaml"
    wrong.write_text(
        sloth.read_text().replace("sum(rate(gateway_answers_total{job", "max(rate(answers{job", 1)
    )
    done = airis_mon("check", "--format", "json", wrong)
    (problem,) = json.loads(done.stdout)
    assert problem["path"] == "slos[0].sli.events.error_query"
    assert (problem["line"], problem["column"]) == (17, 22)


def test_an_expression_that_is_no_sum_is_told_where_versions_are_compared_by_it(
    airis_mon: Run, tmp_path: Path
) -> None:
    wrong = tmp_path / "chat.yaml"
    wrong.write_text(
        """
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: chat}
spec:
  model: {name: llama}
  source: {contract: vllm, selector: {job: vllm}}
  canary: {baseline: {version: "1"}, candidate: {version: "2"}}
  objectives:
    - name: answers
      target: 99%
      events:
        total: 'max(rate(answers{job="a"}[$window]))'
        bad: 'sum(rate(failures{job="a"}[$window]))'
""",
        encoding="utf-8",
    )
    done = airis_mon("check", wrong)
    assert done.returncode == 1
    assert "(spec.objectives[0].events.total)" in done.stderr
    assert "max() is no sum of rates" in done.stderr

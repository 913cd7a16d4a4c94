"""`airis-mon import`: rules in, a document that `check` and `build` take, and a line for every rule."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run

RULES = """\
groups:
  - name: gateway
    rules:
      - alert: GatewayErrors
        expr: |
          sum(rate(answers_total{job="gw",code=~"5.."}[1h]))
          / sum(rate(answers_total{job="gw"}[1h])) > 14.4 * 0.001
          and
          sum(rate(answers_total{job="gw",code=~"5.."}[5m]))
          / sum(rate(answers_total{job="gw"}[5m])) > 14.4 * 0.001
        labels: {severity: page}
      - alert: Disk
        expr: node_filesystem_avail_bytes < 1e9
"""


def test_what_is_written_can_be_built_and_is_never_written_over(airis_mon: Run, tmp_path: Path) -> None:
    rules, document = tmp_path / "My gateway.rules.yaml", tmp_path / "monitor.yaml"
    rules.write_text(RULES)
    done = airis_mon("import", rules, "-o", document)
    assert (done.returncode, done.stdout) == (0, "")
    assert (
        "line     4  taken over  GatewayErrors: objective gateway-errors: 99.9% over 30d\n"
        "line    12  left        Disk: no objective: it does not hold an error ratio"
    ) in done.stderr
    assert "\n1 of 2 rules taken over\n" in done.stderr
    assert "metadata:\n  name: my-gateway\n" in document.read_text()
    checked = airis_mon("check", document)
    assert checked.returncode == 0
    # What it says when it is written, what it says in the document, what check says: the same.
    assert "nobody hears of the alerts of `my-gateway`" in checked.stderr
    assert "next: add `alerting.escalation`" in done.stderr
    assert "\n# Nobody hears of its alerts yet: add `escalation: NAME`" in document.read_text()
    assert airis_mon("build", document, "-o", tmp_path / "out").returncode == 0
    again = airis_mon("import", rules, "-o", document)
    assert again.returncode == 1
    assert again.stderr.endswith(f"{document} exists; name another file, or remove it\n")


def test_without_a_file_to_write_it_is_printed(airis_mon: Run, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    done = airis_mon("import", rules, "--name", "gw", "--model", "Gateway 2")
    assert done.returncode == 0
    assert done.stdout.startswith("# Taken over from rules by `airis-mon import`; it is yours to change.\n")
    assert "  name: gw\nspec:\n  model:\n    name: Gateway 2\n" in done.stdout


def test_what_fits_in_no_way_writes_nothing(airis_mon: Run, tmp_path: Path) -> None:
    rules, document = tmp_path / "rules.yaml", tmp_path / "monitor.yaml"
    rules.write_text("groups: [{name: a, rules: [{alert: Down, expr: up == 0}]}]\n")
    done = airis_mon("import", rules, "-o", document)
    assert done.returncode == 1
    assert "0 of 1 rule taken over\nnothing of it fits into a ModelMonitor" in done.stderr
    assert not document.exists()


def test_an_empty_file_is_told_how_rules_begin(called: Run, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("---\n# nothing yet\n")
    done = called("import", rules)
    assert done.returncode == 1
    assert "the file holds no document" in done.stderr
    assert "= begin with groups: and rules of Prometheus in them" in done.stderr
    assert "ModelMonitor" not in done.stderr


def test_a_file_that_is_none_of_rules_is_refused_with_its_place(airis_mon: Run, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("groups: [{name: a, rules: [{alert: Down}]}]\n")
    done = airis_mon("import", rules)
    assert done.returncode == 1
    assert f"--> {rules}:1:" in done.stderr
    assert done.stderr.endswith("\n1 problem in 1 file\n")
    missing = airis_mon("import", tmp_path / "missing.yaml")
    assert missing.returncode == 1
    assert "No such file or directory" in missing.stderr


def test_a_name_that_is_none_is_told_before_anything_is_read(airis_mon: Run, tmp_path: Path) -> None:
    done = airis_mon("import", tmp_path / "missing.yaml", "--name", "My gateway")
    assert done.returncode == 2
    assert "`My gateway` is not a name" in done.stderr


def test_a_selector_says_which_series_are_the_model_s(airis_mon: Run, tmp_path: Path) -> None:
    rules = tmp_path / "vllm.yaml"
    rules.write_text(
        "groups: [{name: a, rules: [{alert: CacheFull, expr: 'vllm:kv_cache_usage_perc > 0.9', for: 5m}]}]\n"
    )
    assert "give --selector" in airis_mon("import", rules).stderr
    done = airis_mon("import", rules, "--selector", "job=vllm", "--selector", "model_name=llama")
    assert done.returncode == 0
    assert "    selector:\n      job: vllm\n      model_name: llama\n" in done.stdout
    wrong = airis_mon("import", rules, "--selector", "vllm")
    assert wrong.returncode == 2
    assert "`vllm` is no label with its value; write job=vllm" in wrong.stderr

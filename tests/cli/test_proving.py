from pathlib import Path
from typing import Any

import pytest
import yaml

from airis_mon.cli.proofs import ProofError, prove
from airis_mon.stack.servers import Server

RULES: dict[str, Any] = {
    "groups": [{"name": "g", "rules": [{"record": "job:up:sum", "expr": "sum by (job) (up)"}]}]
}
TEST = {
    "rule_files": ["../m.rules.yaml"],
    "tests": [
        {
            "interval": "1m",
            "input_series": [{"series": 'up{job="a"}', "values": "1 1"}],
            "promql_expr_test": [
                {
                    "expr": "job:up:sum",
                    "eval_time": "1m",
                    "exp_samples": [{"labels": 'job:up:sum{job="a"}', "value": 1}],
                }
            ],
        }
    ],
}
ROUTES = {
    "route": {
        "receiver": "nobody",
        "routes": [{"matchers": ['team="a b"'], "receiver": "ab", "continue": True}],
    },
    "receivers": [{"name": "nobody"}, {"name": "ab"}],
}
CASES = {"cases": [{"labels": {"team": "a b"}, "receivers": ["ab"]}, {"labels": {}, "receivers": ["nobody"]}]}


def write(folder: Path, path: str, content: object) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(yaml.safe_dump(content))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    write(tmp_path, "rules/m.rules.yaml", RULES)
    write(tmp_path, "rules/proofs/m.test.yaml", TEST)
    write(tmp_path, "alertmanager/alertmanager.yaml", ROUTES)
    write(tmp_path, "alertmanager/routes.test.yaml", CASES)
    return tmp_path


def test_what_is_right_is_proven_by_the_real_tools(built: Path, promtool: Server, amtool: Server) -> None:
    heard: list[tuple[int, int, str]] = []
    proofs = prove(built, promtool=promtool, amtool=amtool, progress=lambda *step: heard.append(step))
    assert [(proof.artefact, proof.what) for proof in proofs] == [
        ("alertmanager/alertmanager.yaml", "check-config"),
        ("alertmanager/routes.test.yaml", "routes test"),
        ("alertmanager/routes.test.yaml", "routes test"),
        ("rules/m.rules.yaml", "check rules"),
        ("rules/proofs/m.test.yaml", "test rules"),
    ]
    assert [(done, total) for done, total, _ in heard] == [(number, 5) for number in range(1, 6)]
    assert sorted(what for _, _, what in heard) == [proof.artefact for proof in proofs]


def test_every_failure_is_told_with_artefact_command_and_output(
    built: Path, promtool: Server, amtool: Server
) -> None:
    write(
        built,
        "rules/duplicate.rules.yaml",
        {"groups": [{"name": "d", "rules": RULES["groups"][0]["rules"] * 2}]},
    )
    wrong = yaml.safe_load(yaml.safe_dump(TEST))
    wrong["tests"][0]["promql_expr_test"][0]["exp_samples"][0]["value"] = 2
    write(built, "rules/proofs/m.test.yaml", wrong)
    write(
        built,
        "alertmanager/routes.test.yaml",
        {"cases": [{"labels": {"team": "a b"}, "receivers": ["nobody"]}]},
    )
    with pytest.raises(ProofError) as raised:
        prove(built, promtool=promtool, amtool=amtool)
    failures = {failure.artefact: failure for failure in raised.value.failures}
    assert set(failures) == {
        "alertmanager/routes.test.yaml",
        "rules/duplicate.rules.yaml",
        "rules/proofs/m.test.yaml",
    }
    assert "duplicate" in failures["rules/duplicate.rules.yaml"].output
    assert "FAILED" in failures["rules/proofs/m.test.yaml"].output
    routes = failures["alertmanager/routes.test.yaml"]
    assert routes.command == (
        "amtool config routes test --config.file=alertmanager/alertmanager.yaml "
        '--verify.receivers=nobody team="a b"'
    )
    assert "ab" in routes.output


def test_a_configuration_that_amtool_refuses_fails(built: Path, promtool: Server, amtool: Server) -> None:
    write(built, "alertmanager/alertmanager.yaml", {"route": {"receiver": "missing"}})
    with pytest.raises(ProofError, match=r"`amtool check-config alertmanager/alertmanager\.yaml` failed"):
        prove(built, promtool=promtool, amtool=amtool)

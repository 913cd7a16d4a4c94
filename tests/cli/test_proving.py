import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from airis_mon.cli.proofs import Memory, ProofError, prove
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
CASES = [{"labels": {"team": "a b"}, "receivers": ["ab"]}, {"labels": {}, "receivers": ["nobody"]}]


def claims(cases: list[dict[str, Any]], *of: dict[str, str]) -> dict[str, Any]:
    return {"claims": [{"of": list(of or ({},)), "cases": cases}]}


def write(folder: Path, path: str, content: object) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(yaml.safe_dump(content))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    write(tmp_path, "rules/m.rules.yaml", RULES)
    write(tmp_path, "rules/proofs/m.test.yaml", TEST)
    write(tmp_path, "alertmanager/alertmanager.yaml", ROUTES)
    write(tmp_path, "alertmanager/routes.test.yaml", claims(CASES))
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
        claims([{"labels": {"team": "a b"}, "receivers": ["nobody"]}]),
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


def test_what_was_proven_is_not_proven_again_until_it_changes(
    built: Path, promtool: Server, amtool: Server, tmp_path: Path
) -> None:
    memory = Memory(tmp_path / "memory")
    own = {**TEST, "rule_files": ["m.rules.yaml"]}
    write(built, "rules/proofs/m.rules.yaml", RULES)
    write(built, "rules/proofs/m.test.yaml", own)

    def ran() -> list[str]:
        proofs = prove(built, promtool=promtool, amtool=amtool, memory=memory)
        return [proof.what for proof in proofs if not proof.known]

    assert ran() == ["check-config", "routes test", "routes test", "check rules", "test rules"]
    # amtool reads templates beside the configuration, so that is always asked.
    assert ran() == ["check-config"]
    write(built, "rules/proofs/m.test.yaml", {**own, "evaluation_interval": "1m"})
    assert ran() == ["check-config", "test rules"]
    write(built, "alertmanager/routes.test.yaml", claims(CASES[:1]))
    assert ran() == ["check-config"]
    write(
        built,
        "alertmanager/alertmanager.yaml",
        {**ROUTES, "receivers": [*ROUTES["receivers"], {"name": "c"}]},
    )
    assert ran() == ["check-config"]
    # By a test that reads more than its own rules nothing is known.
    write(built, "rules/proofs/n.test.yaml", TEST)
    assert [ran(), ran()] == [["check-config", "test rules"]] * 2
    assert Memory(None).key(promtool, ["a"], ["b", "c"]) != Memory(None).key(promtool, ["a", "b"], ["c"])


def test_what_failed_is_not_remembered(built: Path, promtool: Server, amtool: Server, tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory")
    cases = claims([{"labels": {"team": "a b"}, "receivers": ["nobody"]}])
    write(built, "alertmanager/routes.test.yaml", cases)
    for _ in range(2):
        with pytest.raises(ProofError) as raised:
            prove(built, promtool=promtool, amtool=amtool, memory=memory)
        assert [failure.artefact for failure in raised.value.failures] == ["alertmanager/routes.test.yaml"]


def test_a_memory_that_cannot_be_written_to_is_none(
    built: Path, promtool: Server, amtool: Server, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    proofs = prove(built, promtool=promtool, amtool=amtool, memory=Memory(tmp_path / "file" / "memory"))
    assert not any(proof.known for proof in proofs)


def test_a_proof_that_nobody_asks_for_is_forgotten(promtool: Server, tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    old, new = memory.key(promtool, (), ["old"]), memory.key(promtool, (), ["new"])
    memory.keep([old, new])
    os.utime(tmp_path / old, (0, 0))
    memory.forget()
    assert (memory.holds(old), memory.holds(new)) == (False, True)


def test_alerts_that_differ_in_names_alone_are_asked_for_once(
    built: Path, promtool: Server, amtool: Server
) -> None:
    routes: list[dict[str, Any]] = [
        {"matchers": [f'monitor="{name}"'], "receiver": "ab"} for name in ("one", "two", "three", "four")
    ]
    # The fourth has a rung more, which is another question.
    routes[3] |= {"routes": [{"matchers": ['severity="page"'], "receiver": "ab"}]}
    write(
        built,
        "alertmanager/alertmanager.yaml",
        {**ROUTES, "route": {"receiver": "nobody", "routes": routes}},
    )
    cases = [
        {"labels": {"monitor": "{monitor}", "severity": severity}, "receivers": ["ab"]}
        for severity in ("page", "ticket")
    ]
    of = [{"monitor": name} for name in ("one", "two", "three", "four")]
    write(built, "alertmanager/routes.test.yaml", claims(cases, *of))
    proofs = prove(built, promtool=promtool, amtool=amtool)
    told = [proof.known for proof in proofs if proof.what == "routes test"]
    assert (len(told), sum(told)) == (8, 5)


@pytest.mark.parametrize(
    "routes",
    [
        # One that takes everything before the right one, one that continues, matchers that are no equality.
        [{"receiver": "nobody"}, {"matchers": ['team="a b"'], "receiver": "ab"}],
        [{"matchers": ['team!="x"'], "receiver": "nobody"}, {"matchers": ['team="a b"'], "receiver": "ab"}],
        [{"matchers": ['team=~"a.*"'], "receiver": "nobody"}, {"matchers": ['team="a b"'], "receiver": "ab"}],
        [{"matchers": ['team="a b"', 'other="x"'], "receiver": "ab"}],
        [{"matchers": ['team="a b"'], "receiver": "nobody", "continue": True}, {"receiver": "ab"}],
    ],
)
def test_what_other_routes_do_to_an_alert_is_seen(
    built: Path, promtool: Server, amtool: Server, routes: list[dict[str, Any]]
) -> None:
    config = {**ROUTES, "route": {"receiver": "nobody", "routes": routes}}
    write(built, "alertmanager/alertmanager.yaml", config)
    write(built, "alertmanager/routes.test.yaml", claims(CASES[:1]))
    with pytest.raises(ProofError, match="routes test"):
        prove(built, promtool=promtool, amtool=amtool)

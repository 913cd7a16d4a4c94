"""Who has to be told when: any ladder agrees with a replay of what is derived from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from airis_mon.alertmanager.compile import artefacts
from airis_mon.alertmanager.timelines import claims
from airis_mon.cli.proofs.memory import Memory
from airis_mon.cli.proofs.runs import Failure, Proof
from airis_mon.cli.proofs.timelines import key, results
from airis_mon.rules import series
from airis_mon.spec import (
    Alerting,
    Bundle,
    Errors,
    EscalationPolicy,
    Latency,
    Model,
    Monitor,
    Objective,
    Receiver,
    Source,
    SpecError,
    Step,
    Webhook,
)

RECEIVERS = tuple(Receiver(name, webhooks=(Webhook("http://a.example.com"),)) for name in ("a", "b", "c"))
OBJECTIVES = (
    Objective("up", 0.999, 30 * 86400.0, Errors()),
    Objective("fast", 0.99, 30 * 86400.0, Latency("time_to_first_token", 0.5)),
)


def monitor(name: str, *needed: str, escalation: str | None = "standard") -> Monitor:
    return Monitor(
        name,
        Model(f"{name}-model"),
        Source("vllm", {"job": f"{name}-job"}),
        OBJECTIVES,
        alerting=Alerting(f"{name}-team", escalation),
        depends_on=needed,
    )


def cases(bundle: Bundle) -> list[dict[str, Any]]:
    return [case for claim in claims(bundle) for names in claim.of for case in claim.filled(names)]


def played(bundle: Bundle, folder: Path) -> list[Failure]:
    for artefact in artefacts(bundle):
        (folder / artefact.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / artefact.path).write_text(artefact.text, encoding="utf-8")
    found = list(results(folder, Memory(None)))
    assert found
    return [result for result in found if isinstance(result, Failure)]


STEPS = st.lists(
    st.tuples(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True), st.integers(1, 7200)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25, deadline=None)
@given(
    page=STEPS,
    ticket=STEPS,
    wait=st.integers(0, 120),
    interval=st.integers(10, 900),
    repeat=st.integers(600, 50_000),
    first=st.booleans(),
)
def test_any_ladder_speaks_at_its_times(
    tmp_path_factory: pytest.TempPathFactory,
    page: list[tuple[list[str], int]],
    ticket: list[tuple[list[str], int]],
    wait: int,
    interval: int,
    repeat: int,
    first: bool,
) -> None:
    def steps(drawn: list[tuple[list[str], int]]) -> tuple[Step, ...]:
        at, found = 0 if first else wait, []
        for position, (receivers, later) in enumerate(drawn):
            at += later if position or not first else 0
            found.append(Step(tuple(receivers), float(at)))
            at = max(at, wait)
        return tuple(found)

    policy = EscalationPolicy(
        "standard", steps(page), steps(ticket), float(wait), float(interval), float(repeat)
    )
    bundle = Bundle(
        (monitor("one"), monitor("two", "one"), monitor("three", escalation=None)), RECEIVERS, (policy,)
    )
    try:
        failed = played(bundle, tmp_path_factory.mktemp("ladder"))
    except SpecError:
        return  # a ladder that is refused
    assert failed == []


def test_what_is_wrong_is_told_in_words(tmp_path: Path) -> None:
    bundle = Bundle((monitor("one"),), RECEIVERS, (EscalationPolicy("standard", (Step(("a",)),)),))
    assert played(bundle, tmp_path) == []
    config = tmp_path / "alertmanager/alertmanager.yaml"
    config.write_text(config.read_text().replace("group_wait: 30s", "group_wait: 2m"))
    failures = list(results(tmp_path, Memory(None)))
    (stands,) = [
        failure for failure in failures if isinstance(failure, Failure) and "is told again" in failure.command
    ]
    assert stands.command == "one, page: stands, and is told again"
    assert "is told, and should not be: a after 2m, 1 firing" in stands.output
    assert "is not told, and should be: a after 30s, 1 firing" in stands.output


@pytest.mark.parametrize("names", [("one", "two", "three"), ("page", "ticket", "a"), ("up", "fast", "model")])
def test_monitors_that_are_alike_are_each_held_against_their_own_routes(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    policy = EscalationPolicy("standard", (Step(("a",)), Step(("b",), 900.0)), (Step(("c",)),))
    bundle = Bundle(tuple(map(monitor, names)), RECEIVERS, (policy,))
    assert len(claims(bundle)) == 1
    assert played(bundle, tmp_path) == []
    config = tmp_path / "alertmanager/alertmanager.yaml"
    whole = yaml.safe_load(config.read_text())
    (theirs,) = [
        route for route in whole["route"]["routes"] if f'monitor="{names[1]}"' in str(route["matchers"])
    ]
    _, second = [rung for rung in theirs["routes"] if rung["matchers"][0] == 'severity="page"']
    second["group_wait"] = "20m"
    config.write_text(yaml.safe_dump(whole))
    failures = [one for one in results(tmp_path, Memory(None)) if isinstance(one, Failure)]
    assert failures
    assert {failure.command.split(",")[0].split(":")[0] for failure in failures} == {names[1]}


def test_what_was_played_is_known_until_something_changes(tmp_path: Path) -> None:
    policy = EscalationPolicy("standard", (Step(("a",)),))
    assert played(Bundle((monitor("one"),), RECEIVERS, (policy,)), tmp_path) == []
    memory = Memory(tmp_path / "memory")
    memory.keep([key(tmp_path, memory)])
    assert [one.known for one in results(tmp_path, memory) if isinstance(one, Proof)] == [True]
    config = tmp_path / "alertmanager/alertmanager.yaml"
    config.write_text(config.read_text().replace("group_wait: 30s", "group_wait: 2m"))
    assert any(isinstance(one, Failure) for one in results(tmp_path, memory))


def test_a_ladder_that_is_told_again_every_second_has_few_cases() -> None:
    policy = EscalationPolicy("standard", (Step(("a",)), Step(("b",), 7 * 86400.0)), (), 1.0, 1.0, 1.0)
    found = cases(Bundle((monitor("one"),), RECEIVERS, (policy,)))
    assert max(len(case["told"]) for case in found) < 1000


def test_every_monitor_has_cases_of_both_severities_and_of_what_it_depends_on() -> None:
    policy = EscalationPolicy("standard", (Step(("a",)),), (Step(("b",)),))
    found = cases(
        Bundle((monitor("one"), monitor("two", "one"), monitor("three", "two")), RECEIVERS, (policy,))
    )
    names = [case["name"] for case in found]
    assert len(names) == len(set(names))
    for one in ("one", "two", "three"):
        for severity in (series.PAGE, series.TICKET):
            assert f"{one}, {severity}: stands, and is told again" in names
    assert "a page of three keeps quiet beside one ModelSignalAbsent" in names

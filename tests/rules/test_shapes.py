"""Proofs that monitors share: only where renaming is all that tells their rules apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airis_mon.rules.collection import groups
from airis_mon.rules.compile import Known, artefacts
from airis_mon.rules.shapes import shape, spelled
from airis_mon.spec import Alerting, Errors, Events, Model, Monitor, Source
from tests.rules.monitors import chat


def proofs(monitor: Monitor, known: Known | None = None) -> set[str]:
    return {artefact.path for artefact in artefacts(monitor, known)[1:]}


def renamed() -> Monitor:
    monitor = chat()
    return replace(
        monitor,
        name="code-chat",
        model=Model("qwen-3", "3"),
        source=replace(monitor.source, selector={"job": "coder", "model_name": "qwen-3"}),
        objectives=tuple(replace(one, name=f"{one.name}-too") for one in monitor.objectives),
        alerting=Alerting("coding", "another", runbook="https://elsewhere.example.com"),
    )


def test_a_renamed_monitor_shares_every_proof() -> None:
    assert proofs(renamed()) == proofs(chat())


def test_rules_of_a_shape_written_out_are_the_rules() -> None:
    found = shape(renamed())
    assert found == replace(shape(chat()), names=found.names)
    assert spelled(groups(found.monitor), found.names) == groups(renamed())


def test_a_shape_that_is_known_is_not_derived_again() -> None:
    known: Known = {}
    first = proofs(chat(), known)
    size = len(known)
    assert proofs(renamed(), known) == first
    assert len(known) == size


@pytest.mark.parametrize(
    "other",
    [
        replace(renamed(), objectives=chat().objectives[:2]),
        replace(renamed(), model=replace(renamed().model, name="{{ x }}")),
        replace(renamed(), source=replace(renamed().source, selector={"job": "c", "other": "d"})),
        replace(renamed(), source=replace(renamed().source, selector={"job": "same", "model_name": "same"})),
        replace(renamed(), alerting=replace(renamed().alerting, runbook=None)),
        replace(renamed(), anomalies=()),
    ],
    ids=["fewer", "escaped", "labels", "equal names", "no runbook", "no anomalies"],
)
def test_any_other_difference_has_a_proof_of_its_own(other: Monitor) -> None:
    def standing(monitor: Monitor) -> set[str]:
        return {path for path in proofs(monitor) if "/standing." in path}

    assert standing(other).isdisjoint(standing(chat()))


def test_what_stands_in_the_rules_as_a_word_of_ours_is_no_name_to_be_changed() -> None:
    # Its name is that of a function, of a label and of a window.
    odd = Monitor("rate", Model("sum"), Source("vllm", {"job": "5m"}), chat().objectives[:1])
    plain = Monitor("a", Model("b"), Source("vllm", {"job": "c"}), chat().objectives[:1])
    assert proofs(odd) == proofs(plain)
    assert isinstance(odd.objectives[0].indicator, Errors)


def test_a_name_that_an_expression_says_too_is_no_name_to_be_changed() -> None:
    def counted(job: str, counted: str) -> Monitor:
        total = f'sum(rate(requests_total{{job="{counted}"}}[$window]))'
        bad = f'sum(rate(requests_total{{job="{counted}",code="500"}}[$window]))'
        objective = replace(chat().objectives[0], indicator=Events(total=total, bad=bad))
        return Monitor(f"of-{job}", Model(f"m-{job}"), Source("vllm", {"job": job}), (objective,))

    same, other = shape(counted("one", "one")), shape(counted("two", "one"))
    assert same.monitor.source.selector == {"job": "one"}
    assert other.monitor.source.selector == {"job": "any-value-1"}
    # Whether source and expression count the same is what tells them apart.
    assert proofs(counted("one", "one")) != proofs(counted("two", "one"))
    assert proofs(counted("two", "one")) == proofs(counted("three", "one"))

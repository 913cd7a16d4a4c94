"""Budgets in money, and tokens that nobody knows a price of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from airis_mon.rules.compile import artefacts
from airis_mon.rules.money import Spending
from airis_mon.spec import Cost, Errors, MoneyBudget, Monitor, Objective, Source, SpecError, decode
from airis_mon.stack.servers import Server
from tests.mutation.rules import mutants
from tests.rules.monitors import DAY, small
from tests.rules.test_proofs import failure, write


def monitor(days: float = 1, currency: str = "USD", selector: dict[str, str] | None = None) -> Monitor:
    """A monitor of nothing but money."""
    cost = Cost(MoneyBudget(500.0, currency, days * DAY), selector or {})
    return replace(small(Objective("up", 0.99, 30 * DAY, Errors())), name="money", objectives=(), cost=cost)


@pytest.mark.parametrize(
    "about",
    [monitor(), monitor(30, "EUR"), monitor(7.3, selector={"job": "gateway", "instance": "a:1"})],
    ids=["day", "month", "elsewhere"],
)
def test_every_proof_holds(about: Monitor, promtool: Server, tmp_path: Path) -> None:
    tests = write(tmp_path, artefacts(about))
    assert [found for test in tests if (found := failure(promtool, tmp_path, test))] == []


def test_no_rule_about_money_is_broken_unnoticed(promtool: Server, tmp_path: Path) -> None:
    found = [mutant for mutant in mutants(monitor()) if ":cost" in mutant.what and "ready" not in mutant.what]
    chosen = found[3 :: len(found) // 16]
    assert [mutant.what for mutant in chosen if mutant.survives(promtool, tmp_path)] == []


def test_windows_and_paces_follow_from_the_time_of_the_budget() -> None:
    about = monitor()
    assert about.cost is not None
    found = [
        (tier.severity, tier.long, tier.short, tier.factor) for tier in Spending(about, about.cost).tiers
    ]
    assert found == [
        ("page", 3600, 300, 12.0),
        ("ticket", 14400, 1200, 3.0),
        ("ticket", 86400, 7200, 1.0),
    ]


def test_a_document_gives_amount_currency_and_time() -> None:
    text = """
    apiVersion: airis.dev/v1alpha1
    kind: ModelMonitor
    metadata: {name: chat}
    spec:
      model: {name: llama}
      source: {contract: otel-genai, selector: {job: chat}}
      cost: {budget: 12.5 EUR / 1w, selector: {job: gateway}}
    """
    (found,) = decode({"a.yaml": text}).bundle.monitors
    assert found.cost == Cost(MoneyBudget(12.5, "EUR", 7 * DAY), {"job": "gateway"})


@pytest.mark.parametrize(
    ("source", "path", "message"),
    [
        (Source("promql", {}), "spec.cost", "no labels select the costs of this model"),
        (Source("airis", {"job": "a"}, scrape_interval=120.0), "spec.cost.budget", "no rate could be taken"),
    ],
)
def test_a_budget_that_cannot_be_watched_is_refused(source: Source, path: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        artefacts(replace(monitor(), source=source))
    (problem,) = caught.value.problems
    assert problem.path == path
    assert message in problem.message

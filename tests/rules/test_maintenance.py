"""The series about maintenance says what the document says, on every day and at every minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airis_mon.rules import maintenance
from airis_mon.rules.collection import groups
from airis_mon.rules.compile import artefacts
from airis_mon.spec import Maintenance, Recurrence, Window
from airis_mon.stack import ports
from airis_mon.stack import prometheus as prometheus_command
from airis_mon.stack.processes import Process
from airis_mon.stack.servers import Server
from tests.mutation.rules import mutants
from tests.recurrences import MOMENTS, RECURRENCES
from tests.rules.monitors import chat

Ask = Callable[[str, float], float]

BEGIN = datetime(2026, 12, 1, 21, tzinfo=UTC).timestamp()
ONCE = Maintenance("reindex", "the index is built anew", once=Window(BEGIN, BEGIN + 5400))
WEEKLY = Maintenance("weekly", "patches", recurring=(Recurrence(times=((120, 240),), weekdays=(6,)),))
MONTHLY = Maintenance(
    "monthly",
    "backup",
    recurring=(Recurrence(((315, 405),), (), ((-10, -6), (14, 18)), (3,)), Recurrence(((1380, 1440),))),
)  # fmt: skip


def expression(planned: Maintenance) -> str:
    (rule,) = maintenance.group(chat(), planned).rules
    return str(rule["expr"])


@pytest.fixture(scope="module")
def ask(prometheus: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Ask a Prometheus that holds nothing what an expression is at a time."""
    folder = tmp_path_factory.mktemp("prometheus")
    config = folder / "prometheus.yml"
    config.write_text("{}")
    command = prometheus_command.command(
        prometheus, config=config, data=folder / "data", address=f"127.0.0.1:{ports.free_port()}"
    )
    process = Process(command, folder / "log")

    def value(query: str, at: float) -> float:
        answer = requests.get(
            f"{command.url}/api/v1/query", params={"query": query, "time": str(at)}, timeout=5
        )
        (found,) = answer.json()["data"]["result"]
        assert found["metric"] == {}
        return float(found["value"][1])

    try:
        process.wait_ready()
        yield value
    finally:
        process.stop()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RECURRENCES, min_size=1, max_size=3), MOMENTS)
def test_prometheus_computes_what_the_document_says(
    ask: Ask, recurrences: list[Recurrence], moment: float
) -> None:
    planned = Maintenance("any", "why", recurring=tuple(recurrences))
    assert ask(expression(planned), moment) == float(planned.holds(moment))


@pytest.mark.parametrize("second", [-1, 0, 1, 5399, 5400, 5401])
def test_a_window_begins_and_ends_to_the_second(ask: Ask, second: int) -> None:
    assert ask(expression(ONCE), BEGIN + second) == float(0 <= second < 5400)


def test_each_maintenance_is_a_series_of_the_monitor() -> None:
    monitor = replace(chat(), maintenance=(ONCE, WEEKLY))
    rules = [
        rule for group in groups(monitor) for rule in group.rules if rule.get("record") == "airis_maintenance"
    ]
    assert [rule["labels"] for rule in rules] == [
        {"maintenance": name, "model": "llama-3-70b", "monitor": "support-chat", "team": "ml-platform"}
        for name in ("reindex", "weekly")
    ]
    assert not any("airis_maintenance" in str(group.content()) for group in groups(chat()))


def test_monitors_with_equal_windows_share_the_proofs() -> None:
    def proofs(name: str, planned: Maintenance) -> set[str]:
        found = artefacts(replace(chat(), name=name, maintenance=(planned,)))
        return {one.path for one in found if "proofs/maintenance-" in one.path}

    assert proofs("a", WEEKLY) == proofs("b", replace(WEEKLY, name="other", reason="because"))
    assert proofs("a", WEEKLY).isdisjoint(proofs("a", ONCE))


@pytest.mark.parametrize("planned", [ONCE, WEEKLY, MONTHLY], ids=lambda planned: planned.name)
def test_a_broken_bound_fails_a_proof(planned: Maintenance, promtool: Server, tmp_path: Path) -> None:
    broken = [
        one
        for one in mutants(replace(chat(), maintenance=(planned,)))
        if ":maintenance:" in one.what.partition(" ")[0]
    ]
    assert len(broken) > 5
    # Of many, one of five. A bound near zero would have mutants that are no other bound among whole days.
    tried = broken if len(broken) < 20 else broken[1::5]
    assert [one.what for one in tried if one.survives(promtool, tmp_path)] == []


def test_what_maintenance_cost_is_a_series_of_each_objective() -> None:
    found = {
        rule["labels"]["sloth_slo"]: rule["expr"]
        for group in groups(replace(chat(), maintenance=(ONCE, WEEKLY)))
        for rule in group.rules
        if rule.get("record") == "slo:period_error_budget_in_maintenance:ratio"
    }
    assert list(found) == ["availability", "first-token", "whole-answer"]
    assert "[30d:5m]" in found["availability"]
    assert found["availability"].endswith(" / 0.001")


def test_a_broken_budget_of_maintenance_fails_a_proof(promtool: Server, tmp_path: Path) -> None:
    monitor = replace(chat(), objectives=chat().objectives[2:], maintenance=(ONCE,))
    broken = [
        one for one in mutants(monitor) if one.what.startswith("airis-mon:support-chat:whole-answer:maint")
    ]
    assert len(broken) > 20
    assert [one.what for one in broken[1::3] if one.survives(promtool, tmp_path)] == []

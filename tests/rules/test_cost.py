"""The cost that is told before anything runs, held against what a real Prometheus says that it read."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.rules.collection import groups
from airis_mon.rules.cost import (
    Assumptions,
    Budget,
    Cost,
    UnreadableError,
    estimate,
    estimates,
    over_budget,
    reads,
    short_of_retention,
)
from airis_mon.rules.groups import Rule
from airis_mon.rules.series import READY
from airis_mon.spec import Anomaly, Band, Errors, Latency, Model, Monitor, Objective, Past, Source, Threshold
from airis_mon.stack.servers import Server
from tests.rules.monitors import DAY, chat, small
from tests.waiting import until

INSTANCES = 3
EVALUATED = 60.0
END = 1_767_225_600.0
MONITOR = Monitor(
    "measured",
    Model("m"),
    Source("vllm", {"job": "vllm"}, scrape_interval=2.0),
    (
        Objective("availability", 0.999, DAY, Errors()),
        Objective("first-token", 0.99, DAY, Latency("time_to_first_token", 0.5)),
    ),
)
RAW = (
    'vllm:request_success_total{job="vllm",finished_reason="stop"',
    'vllm:request_success_total{job="vllm",finished_reason="error"',
    'vllm:time_to_first_token_seconds_count{job="vllm"',
    'vllm:time_to_first_token_seconds_bucket{job="vllm",le="0.5"',
    'vllm:time_to_first_token_seconds_bucket{job="vllm",le="+Inf"',
)


RULES: list[Rule] = [rule for group in groups(MONITOR) for rule in group.rules]


def exposition() -> Iterator[str]:
    """Scrapes of the longest range, and a day of what the rules record."""
    for series in RAW:
        for instance in range(INSTANCES):
            for step in range(int(3 * 3600 / 2)):
                yield f'{series},instance="{instance}"}} {step} {END - 3 * 3600 + 2 * step:.0f}'
    for rule in RULES:
        if "record" in rule:
            labels = ",".join(f'{label}="{value}"' for label, value in rule["labels"].items())
            for step in range(int(DAY / EVALUATED)):
                yield f"{rule['record']}{{{labels}}} 0.5 {END - DAY + EVALUATED * (step + 1):.0f}"
    yield "# EOF"


@pytest.fixture
def query(
    promtool: Server, prometheus_server: Callable[..., Any], tmp_path: Path
) -> Callable[[str], dict[str, Any]]:
    (tmp_path / "past.om").write_text("\n".join(exposition()) + "\n")
    done = subprocess.run(
        [str(promtool.path), "tsdb", "create-blocks-from", "openmetrics", "past.om", "data"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    server = prometheus_server(data=tmp_path / "data")

    def ask(expression: str) -> dict[str, Any]:
        answer = requests.post(
            f"{server.url}/api/v1/query",
            {"query": expression, "time": str(END), "stats": "all"},
            timeout=30,
        ).json()
        assert answer["status"] == "success", answer
        return dict(answer["data"])

    until(lambda: ask('count(vllm:request_success_total{job="vllm"})')["result"], what="the past")
    return ask


def test_what_is_told_is_what_a_prometheus_reads_and_records(query: Callable[[str], dict[str, Any]]) -> None:
    selectors = {str(one.selector) for rule in RULES for one in reads(rule["expr"])}
    counted = {}
    for selector in selectors:
        result = query(f"count({selector})")["result"]
        counted[selector] = float(result[0]["value"][1]) if result else 0.0
    measured = [query(rule["expr"]) for rule in RULES]
    read = [data["stats"]["samples"]["totalQueryableSamples"] for data in measured]
    recorded = sum(
        len(data["result"]) for rule, data in zip(RULES, measured, strict=True) if "record" in rule
    )

    asked = estimate(MONITOR, Assumptions(INSTANCES, EVALUATED, counted))
    assert asked.series == recorded
    assert asked.samples == pytest.approx(sum(read), rel=0.05)
    assert asked.samples_per_second == pytest.approx(sum(read) / EVALUATED, rel=0.05)
    assert asked.heaviest is not None
    assert asked.heaviest.samples == pytest.approx(max(read), rel=0.05)

    # Without asking: the counter of all operations has two reasons, and three instances were assumed.
    assumed = estimate(MONITOR, Assumptions(INSTANCES, EVALUATED))
    assert assumed.series == recorded
    assert 1 / 2 < assumed.samples / sum(read) < 2
    for expression, found in zip((rule["expr"] for rule in RULES), read, strict=True):
        one_each = "vllm:" not in expression and READY not in expression
        if one_each and found:
            alone = sum(max(1.0, one.span / EVALUATED) * one.looks for one in reads(expression))
            assert 1 / 1.1 < alone / found < 1.1, expression


def numbers(expression: str) -> list[tuple[str, float, float, float]]:
    return [(str(one.selector), one.span, one.looks, one.reach) for one in reads(expression)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("up", [("up{}", 0, 1, 0)]),
        ("rate(a[5m] offset 1h)", [("a{}", 300, 1, 3900)]),
        ("rate(a[5m] offset -1h)", [("a{}", 300, 1, 300)]),
        ('sum by (x) (rate({"a.b",c="d"}[1m]))', [('{__name__="a.b",c="d"}', 60, 1, 60)]),
        ("max_over_time(rate(a[5m])[1h:1m])", [("a{}", 300, 60, 3900)]),
        ("max_over_time(a[1h:])", [("a{}", 0, 60, 3600)]),
        ("max_over_time(max_over_time(a[10m:1m])[1h:10m])", [("a{}", 0, 60, 4200)]),
        ('a{b!="c",d!~"e|f",g=~"h"} / on (x) b', [('a{b!="c",d!~"e|f",g=~"h"}', 0, 1, 0), ("b{}", 0, 1, 0)]),
        ("topk(scalar(n), -a)", [("a{}", 0, 1, 0), ("n{}", 0, 1, 0)]),
        ("vector(1)", []),
    ],
)
def test_what_an_expression_reads(expression: str, expected: list[tuple[str, float, float, float]]) -> None:
    assert numbers(expression) == expected


@given(st.text(max_size=40))
def test_text_that_is_no_promql_is_told_as_such(text: str) -> None:
    try:
        found = reads(text)
    except UnreadableError:
        return
    assert all(one.looks >= 1 and one.reach >= 0 for one in found)


def test_more_series_ranges_and_evaluations_cost_more() -> None:
    usual = estimate(chat(), Assumptions())
    assert estimate(chat(), Assumptions(series_per_selector=30)).samples > 5 * usual.samples
    often = estimate(chat(), Assumptions(evaluation_interval=15.0))
    assert often.samples_per_second > 3 * usual.samples_per_second
    seldom_read = replace(chat(), source=replace(chat().source, scrape_interval=17.5))
    assert estimate(seldom_read, Assumptions()).samples < usual.samples
    fewer = replace(chat(), objectives=chat().objectives[:1])
    assert estimate(fewer, Assumptions()).series < usual.series


def test_a_bound_of_the_past_costs_its_subqueries_for_each_series_that_is_kept_apart() -> None:
    def read(*by: str) -> float:
        threshold = Threshold("kv_cache_usage", "above", Past(0.99, over=DAY), by=by)
        return estimate(replace(chat(), thresholds=(threshold,)), Assumptions(INSTANCES)).samples

    without = estimate(chat(), Assumptions(INSTANCES)).samples
    looks = DAY / Past(0.99, over=DAY).step
    # Twice: for the quantile, and for whether there is enough of the past.
    assert read() - without == pytest.approx(2 * looks, rel=0.05)
    assert read("instance") - without == pytest.approx(2 * looks * INSTANCES, rel=0.05)


def test_monitors_that_differ_in_names_cost_the_same_and_are_told_by_their_own() -> None:
    others = [
        replace(chat(), name=f"m{index}", source=Source("vllm", {"job": f"m{index}"})) for index in range(3)
    ]
    together = estimates([chat(), *others], Assumptions())
    assert [cost.monitor for cost in together] == ["support-chat", "m0", "m1", "m2"]
    for cost, monitor in zip(together, [chat(), *others], strict=True):
        alone = estimate(monitor, Assumptions())
        assert (cost.samples, cost.series, cost.heaviest) == (alone.samples, alone.series, alone.heaviest)


def test_costs_of_earlier_are_taken_and_those_that_nobody_asks_for_are_dropped() -> None:
    known: dict[str, Cost] = {}
    (first,) = estimates([chat()], Assumptions(), known)
    (key,) = known
    known[key] = replace(first, samples=1.0)
    assert estimates([replace(chat(), name="other")], Assumptions(), known)[0].samples == 1.0
    other = small(chat().objectives[0])
    assert estimates([other], Assumptions(), known)[0] == estimate(other, Assumptions())
    assert key not in known
    assert estimates([chat()], Assumptions(5.0), known)[0].samples > first.samples


def test_a_budget_is_overdrawn_by_all_together_and_the_dearest_are_named() -> None:
    costs = [estimate(chat(), Assumptions()), estimate(small(chat().objectives[0]), Assumptions())]
    read, recorded = sum(cost.samples_per_second for cost in costs), sum(cost.series for cost in costs)
    assert over_budget(costs, Budget(read, recorded)) == []
    too_many_samples, too_many_series = over_budget(costs, Budget(read * 0.99, recorded - 1))
    assert "samples per second, and the budget is" in too_many_samples.message
    assert (too_many_samples.hint or "").startswith("`support-chat` reads ")
    assert "most of it `slo:sli_error_events:rate3d`" in (too_many_samples.hint or "")
    assert "most are recorded for `support-chat`" in (too_many_series.hint or "")
    # What is written as told is enough.
    for problem, option in ((too_many_samples, "samples-per-second"), (too_many_series, "series")):
        allowed = float((problem.hint or "").partition(f"`--cost.{option} ")[2].rstrip("`"))
        assert allowed >= (read if option != "series" else recorded)


def test_what_looks_back_beyond_the_retention_is_told_by_objective_and_by_history() -> None:
    threshold = Threshold("request_rate", "above", Band(history=8 * DAY))
    anomaly = Anomaly("request_rate", history=20 * DAY)
    monitor = replace(chat(), anomalies=(anomaly,), forecasts=(), thresholds=(threshold,))
    costs = [estimate(monitor, Assumptions())]

    def told(retention: float) -> list[str]:
        found = short_of_retention([monitor], costs, retention)
        assert all(problem.severity == "warning" for problem in found)
        return [problem.path for problem in found]

    assert told(30 * DAY) == []
    assert told(21 * DAY) == ["spec.objectives[0]", "spec.objectives[1]"]
    assert told(15 * DAY) == ["spec.objectives[0]", "spec.objectives[1]", "spec.anomalies[0].history"]
    assert told(7.5 * DAY)[-1] == "spec.thresholds[0]"
    assert "spec.objectives[2]" in told(6 * DAY)

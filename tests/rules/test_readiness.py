"""A series for each alert says whether it can fire."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from airis_mon.rules import series
from airis_mon.rules.collection import groups
from airis_mon.rules.presence import NOTHING, Recordings
from airis_mon.rules.promql import written
from airis_mon.rules.readiness import labels_of
from airis_mon.spec import Alerting, Anomaly, Model, Monitor, Source
from airis_mon.stack.servers import Server
from tests.mutation.rules import mutants
from tests.rules.monitors import chat, mutated
from tests.rules.test_proofs import MONITORS
from tests.rules.test_without_contract import GATEWAY

BARE = Monitor("bare", Model("m"), Source("airis", {"job": "bare"}))


def rules_of(monitor: Monitor) -> list[dict[str, Any]]:
    return [rule for group in groups(monitor) for rule in group.rules]


def readiness_of(monitor: Monitor) -> dict[tuple[str, ...], str]:
    """Return what is recorded, by the values of the labels that tell alerts of a monitor apart."""
    told = ("alert", "severity", "objective", "for")
    return {
        tuple(rule["labels"].get(label, "") for label in told): rule["expr"]
        for rule in rules_of(monitor)
        if rule.get("record") == series.READY
    }


@pytest.mark.parametrize("monitor", [*MONITORS, GATEWAY, mutated(), BARE], ids=lambda monitor: monitor.name)
def test_each_alert_has_a_series_that_is_never_absent(monitor: Monitor) -> None:
    rules = rules_of(monitor)
    recorded = [rule["labels"] for rule in rules if rule.get("record") == series.READY]
    alerts = [labels_of(rule) for rule in rules if "alert" in rule]
    assert [labels for labels in alerts if labels not in recorded] == []
    assert [labels for labels in recorded if labels not in alerts] == []
    assert len({tuple(labels.items()) for labels in recorded}) == len(recorded)
    for expression in readiness_of(monitor).values():
        assert expression == "vector(1)" or expression.endswith("\nor\nvector(0)")


def test_readiness_is_read_down_to_what_is_scraped() -> None:
    source = 'vllm:request_success_total{job="vllm",model_name="llama-3-70b"}'
    first_token = (
        'group(vllm:time_to_first_token_seconds_count{job="vllm",model_name="llama-3-70b"}) and '
        'group(vllm:time_to_first_token_seconds_bucket{job="vllm",model_name="llama-3-70b",le="0.5"})'
    )
    found = readiness_of(chat())
    for severity in ("page", "ticket"):
        expected = {"availability": f"group({source})", "first-token": first_token}
        for objective, needed in expected.items():
            assert found["ModelErrorBudgetBurn", severity, objective, ""] == f"{needed}\nor\nvector(0)"
    assert found["ModelAnomaly", "ticket", "", "kv_cache_usage"] == (
        'group(anomaly_score{monitor="support-chat",for="kv_cache_usage"}) and '
        'group(yhat_upper{monitor="support-chat",for="kv_cache_usage",horizon="0s"})\nor\nvector(0)'
    )
    assert found["ModelSignalAbsent", "page", "", "request_rate"] == "vector(1)"


def test_a_team_that_looks_like_a_template_is_the_team_of_the_series() -> None:
    monitor = replace(chat(), alerting=Alerting('{{ team }} {{ "{{" }}'))
    recorded = [rule["labels"] for rule in rules_of(monitor) if rule.get("record") == series.READY]
    assert {labels["team"] for labels in recorded} == {'{{ team }} {{ "{{" }}'}


def test_alerts_that_share_all_labels_share_a_series() -> None:
    monitor = replace(BARE, anomalies=(Anomaly("request_rate"), Anomaly("request_rate", by=("zone",))))
    alerts = [rule for rule in rules_of(monitor) if rule.get("alert") == series.ANOMALY_ALERT]
    assert len(alerts) == 2
    assert [key for key in readiness_of(monitor) if key[0] == series.ANOMALY_ALERT] == [
        ("ModelAnomaly", "ticket", "", "request_rate")
    ]


def test_groups_stay_small_enough_for_mimir_however_many_alerts_there_are() -> None:
    signals = [f"request_duration_{end}" for end in ("p50", "p90", "p95", "p99", "mean")]
    many = tuple(
        Anomaly(of, severity=severity)
        for of in [*signals, *(f"confidence_{end}" for end in ("p50", "p90", "p95", "p99", "mean"))]
        for severity in ("page", "ticket")
    )
    ready = [
        group
        for group in groups(replace(BARE, anomalies=(*many, Anomaly("request_rate"))))
        if ":ready" in group.name
    ]
    assert [group.name for group in ready] == ["airis-mon:bare:ready", "airis-mon:bare:ready-2"]
    assert max(len(group.rules) for group in ready) <= 20


def test_where_only_the_source_is_watched_no_alert_waits_for_blind_ones() -> None:
    names = {rule.get("alert") for rule in rules_of(BARE)}
    assert series.UNREADY_ALERT not in names
    assert series.UNREADY_ALERT in {rule.get("alert") for rule in rules_of(chat())}


RECORDED = [
    {"record": "ratio", "expr": "sum(failed) / (sum(all) > 0)", "labels": {"monitor": "m"}},
    {"record": "ratio", "expr": "sum(theirs)", "labels": {"monitor": "other"}},
    {"record": "level", "expr": "sum(rate(all[5m]))", "labels": {}},
]


@pytest.mark.parametrize(
    ("expression", "needed"),
    [
        ('x{a="b",c=~"d.*"} > 3', 'group(x{a="b",c=~"d.*"})'),
        ("sum(rate(x[5m])) / sum(rate(y[5m])) > 3", "group(x) and group(y)"),
        ("a > 1 and b < 2 or c == 3", "group(a) and group(b)\nor\ngroup(c)"),
        ("(a or b) and c > 1", "(group(a)\nor\ngroup(b)) and group(c)"),
        ("a > 1 and (a or b)", "group(a)"),
        ("a and (a or b)", "group(a and (a or b))"),
        ("(a > 1 and b) or a", "group(a)"),
        ("(a or b) > 2 and (a or b or c)", "group(a)\nor\ngroup(b)"),
        ("a unless b", "group(a)"),
        ('ratio{monitor="m"} > 0.1', "group(failed) and group(all)"),
        ("ratio > 0.1", "group(failed) and group(all)\nor\ngroup(theirs)"),
        ("level offset 1w > 5", "group(level offset 7d)"),
        ("avg_over_time(level[1h] offset 1d) > 5", "group(last_over_time(level[1h] offset 1d))"),
        ("max_over_time(level[1h]) > 5", "group(all)"),
        ("max_over_time((level > 3)[1h:1m]) > 5", "group(all)"),
        ("a > on (zone) group_left () b", "group(a and on (zone) b)"),
        ("a * ignoring (zone) b > 7", "group(a * ignoring (zone) b)"),
        ("a > on (zone) (b > 3)", "group(a) and group(b)"),
        ("a - b > 3", "group(a - b)"),
        ("a > scalar(b) * 2", "group(a) and group(b)"),
        ("histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m]))) > 1", "group(x_bucket)"),
        ("-clamp_min(a ^ 2, 0) < bool 1", "group(a)"),
        ("time() - a > 60", "group(a)"),
        ("quantile(scalar(a), b) > 1", "group(b) and group(a)"),
        ('label_replace(a > 1, "x", "y", "", "")', "group(a)"),
    ],
)
def test_what_an_expression_needs(expression: str, needed: str) -> None:
    found = Recordings(RECORDED).needed_by(expression).promql()
    assert found == needed
    promql_parser.parse(found)


@pytest.mark.parametrize(
    "expression",
    [
        "absent(a)",
        "vector(1) > 0",
        "absent_over_time(a[5m]) > 0",
        "a or vector(0) > 1",
        'ALERTS{alertname="x"} > 0',
        "hour() > 5",
        "a @ 1700000000 > 1",
        "max_over_time(a[5m] @ 1700000000) > 1",
        "never == 0",
    ],
)
def test_what_needs_nothing_can_always_fire(expression: str) -> None:
    assert Recordings([], frozenset(("never",))).needed_by(expression) == NOTHING


@pytest.mark.parametrize(
    "text",
    [
        'max without (w) (sum(a{x="1",y=~"b\\\\.c",z!="d",v!~"e"}) / (sum(rate(b[1m30s])) > 0))',
        "a > bool 3",
        "a * on (x, y) group_left (z) b",
        "a * ignoring (x) group_right () b",
        "a and on () b unless c or d",
        "topk by (x) (3, a)",
        'label_replace(a, "b", "c\\n\\"", "x", "(.*)")',
        '{job="a"} offset -5m',
        "-a ^ 2 + a % 1e+20 - inf",
        "max_over_time((a > 1)[30d:5m] offset 1h)",
        "count_over_time(a[5m:])",
        'a{x="q\\"\\n\\\\"} == -3.5',
        "sum by () (a) atan2 scalar(b)",
    ],
)
def test_parsed_promql_is_written_as_it_was(text: str) -> None:
    assert written(promql_parser.parse(text)) == text


def test_every_expression_of_ours_means_the_same_when_written_anew() -> None:
    for monitor in (chat(), GATEWAY):
        for rule in rules_of(monitor):
            anew = written(promql_parser.parse(rule["expr"]))
            assert promql_parser.parse(anew).prettify() == promql_parser.parse(rule["expr"]).prettify()


@pytest.mark.parametrize("monitor", [mutated(), GATEWAY], ids=lambda monitor: monitor.name)
def test_no_broken_readiness_passes_its_proofs(monitor: Monitor, promtool: Server, tmp_path: Path) -> None:
    # A sample; `make mutate` breaks everything.
    about = (f" {series.READY}:", f" {series.UNREADY_ALERT}:")
    broken = [one for one in mutants(monitor) if any(name in one.what for name in about)][3::61]
    with ThreadPoolExecutor(2) as pool:
        survived = list(pool.map(lambda mutant: mutant.survives(promtool, tmp_path), broken))
    assert len(broken) > 2
    assert [mutant.what for mutant, alive in zip(broken, survived, strict=True) if alive] == []

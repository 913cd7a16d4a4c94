from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from airis_mon.rules.compile import artefacts
from airis_mon.spec import Alerting, Anomaly, Artefact, Errors, Latency, Model, Monitor, Objective, Source
from airis_mon.stack.servers import Server
from tests.rules.monitors import DAY, chat, mutated, small

PROMETHEUS_2_42 = {
    "groups": {"name", "rules"},
    "record": {"record", "expr", "labels"},
    "alert": {"alert", "expr", "for", "labels", "annotations"},
}
"""Keys that are used, all of them known to Prometheus 2.42, which refuses files with any other."""


def rules_of(monitor: Monitor) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(artefacts(monitor)[0].text)
    return content


def every_rule(monitor: Monitor) -> Iterator[dict[str, Any]]:
    for group in rules_of(monitor)["groups"]:
        yield from group["rules"]


def alerts_of(monitor: Monitor, name: str) -> list[dict[str, Any]]:
    return [rule for rule in every_rule(monitor) if rule.get("alert") == name]


def expression_of(monitor: Monitor, recorded: str) -> str:
    (rule,) = [rule for rule in every_rule(monitor) if rule.get("record") == recorded]
    return str(rule["expr"])


def write(folder: Path, written: tuple[Artefact, ...]) -> None:
    for artefact in written:
        path = folder / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")


MONITORS = [
    chat(),
    mutated(),
    Monitor("bare", Model("m"), Source("airis", {"job": "bare"})),
    replace(chat(), name="quoted", source=Source("vllm", {"job": 'a "b"\\c', "model_name": "x{y}\nz"})),
]


@pytest.mark.parametrize("monitor", MONITORS, ids=lambda monitor: monitor.name)
def test_promtool_finds_nothing_to_say(monitor: Monitor, promtool: Server, tmp_path: Path) -> None:
    write(tmp_path, artefacts(monitor))
    command = [str(promtool.path), "check", "rules", "--lint=all", "--lint-fatal"]
    done = subprocess.run(
        [*command, str(tmp_path / f"rules/{monitor.name}.rules.yaml")],
        cwd=promtool.cwd,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("monitor", MONITORS, ids=lambda monitor: monitor.name)
def test_every_expression_is_promql_to_a_second_parser(monitor: Monitor) -> None:
    for rule in every_rule(monitor):
        promql_parser.parse(rule["expr"])


@pytest.mark.parametrize("monitor", MONITORS, ids=lambda monitor: monitor.name)
def test_two_compiles_are_equal_byte_for_byte(monitor: Monitor) -> None:
    assert artefacts(monitor) == artefacts(replace(monitor))


def test_the_rule_file_is_named_after_the_monitor_and_proofs_after_what_they_prove() -> None:
    rules, *proofs = [artefact.path for artefact in artefacts(chat())]
    assert rules == "rules/support-chat.rules.yaml"
    named = [
        re.fullmatch(r"rules/proofs/([a-z0-9-]+)\.[0-9a-f]{12}\.(rules|test)\.yaml", path) for path in proofs
    ]
    assert [(found[1], found[2]) for found in named if found] == [
        (what, kind)
        for what in (*["burn-30d", "windows-30d"] * 2, "burn-7d", "windows-7d", "standing", "guards")
        for kind in ("rules", "test")
    ]


def test_only_keys_of_prometheus_2_42_are_used() -> None:
    for group in rules_of(chat())["groups"]:
        assert set(group) == PROMETHEUS_2_42["groups"]
        for rule in group["rules"]:
            kind = "alert" if "alert" in rule else "record"
            assert set(rule) <= PROMETHEUS_2_42[kind]


def test_groups_are_named_apart_and_small_enough_for_mimir() -> None:
    groups = rules_of(chat())["groups"]
    names = [group["name"] for group in groups]
    assert len(names) == len(set(names))
    assert all(name.startswith("airis-mon:support-chat:") for name in names)
    assert max(len(group["rules"]) for group in groups) <= 20


def test_labels_are_in_order_and_the_same_for_every_series_of_an_objective() -> None:
    common = {
        "model": "llama-3-70b",
        "monitor": "support-chat",
        "sloth_id": "support-chat-first-token",
        "sloth_service": "support-chat",
        "sloth_slo": "first-token",
        "team": "ml-platform",
    }
    for rule in every_rule(chat()):
        assert list(rule["labels"]) == sorted(rule["labels"])
        if rule["labels"].get("sloth_slo") == "first-token":
            assert common.items() <= rule["labels"].items()


def test_every_alert_says_who_and_what() -> None:
    for rule in every_rule(chat()):
        if "alert" in rule:
            assert {"severity", "team", "monitor", "model"} <= set(rule["labels"])
            assert set(rule["annotations"]) == {"summary", "description", "runbook_url", "dashboard"}


def test_no_runbook_no_link() -> None:
    monitor = replace(chat(), alerting=Alerting())
    assert all("runbook_url" not in rule.get("annotations", {}) for rule in every_rule(monitor))


@pytest.mark.parametrize(
    ("monitor", "expected"),
    [
        (
            small(Objective("up", 0.999, 30 * DAY, Errors())),
            'sum(rate(gen_ai_client_operation_duration_seconds_count{job="small",error_type!=""}[5m])) '
            'or 0 * sum(rate(gen_ai_client_operation_duration_seconds_count{job="small"}[5m]))',
        ),
        (
            small(Objective("fast", 0.999, 30 * DAY, Latency("request_duration", 0.64))),
            'clamp_min(sum(slo:sli_events:rate5m{monitor="small",sloth_slo="fast"}) - '
            'sum(rate(gen_ai_client_operation_duration_seconds_bucket{job="small",le="0.64"}[5m])), 0)',
        ),
        (
            small(Objective("fast", 0.999, 30 * DAY, Latency("request_duration", 1.0)), contract="airis"),
            'clamp_min(sum(slo:sli_events:rate5m{monitor="small",sloth_slo="fast"}) - '
            'sum(rate(airis_prediction_duration_seconds_bucket{job="small",le=~"1|1\\\\.0"}[5m])), 0)',
        ),
    ],
)
def test_failures_are_counted_as_the_contract_says(monitor: Monitor, expected: str) -> None:
    assert expression_of(monitor, "slo:sli_error_events:rate5m") == expected


def test_series_that_dashboards_for_sloth_read_are_all_there() -> None:
    monitor = small(Objective("up", 0.999, 30 * DAY, Errors()))
    recorded = {rule["record"] for rule in every_rule(monitor) if "record" in rule}
    windows = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
    assert {f"slo:sli_error:ratio_rate{window}" for window in windows} <= recorded
    assert {
        "slo:objective:ratio",
        "slo:error_budget:ratio",
        "slo:time_period:days",
        "slo:current_burn_rate:ratio",
        "slo:period_burn_rate:ratio",
        "slo:period_error_budget_remaining:ratio",
        "sloth_slo_info",
    } <= recorded


def test_the_period_is_weighted_by_traffic() -> None:
    expression = expression_of(
        small(Objective("up", 0.999, 30 * DAY, Errors())), "slo:sli_error:ratio_rate30d"
    )
    chosen = '{monitor="small",sloth_slo="up"}[30d:5m]'
    assert expression == (
        f"sum(sum_over_time(slo:sli_error_events:rate5m{chosen})) / "
        f"(sum(sum_over_time(slo:sli_events:rate5m{chosen})) > 0)"
    )


def test_a_target_too_low_for_the_fastest_page_keeps_the_slower_one() -> None:
    burning = alerts_of(small(Objective("up", 0.8334, 30 * DAY, Errors())), "ModelErrorBudgetBurn")
    assert [rule["labels"]["severity"] for rule in burning] == ["page", "ticket"]
    assert "rate6h" in burning[0]["expr"]
    assert "rate1h" not in burning[0]["expr"]


@pytest.mark.parametrize(
    ("target", "days", "delay"),
    [
        (0.999, 30, "5m"),  # an outage would take 52s; never less than the short window
        (0.99, 30, "8m39s"),  # 14.4 x 0.01 of an hour, in whole seconds
        (0.99, 3, "52s"),
        (0.999, 3, "30s"),
    ],
)
def test_silence_is_given_as_long_as_an_outage(target: float, days: int, delay: str) -> None:
    monitor = small(Objective("up", target, days * DAY, Errors()), scrape_interval=5.0)
    assert alerts_of(monitor, "ModelSignalAbsent")[0]["for"] == delay


@pytest.mark.parametrize(
    ("monitor", "severity"),
    [
        (small(Objective("up", 0.999, 30 * DAY, Errors())), "page"),
        (Monitor("m", Model("m"), Source("airis", {"job": "m"})), "ticket"),
        (
            Monitor(
                "m",
                Model("m"),
                Source("airis", {"job": "m"}),
                anomalies=(Anomaly("request_rate", severity="page"),),
            ),
            "page",
        ),
    ],
)
def test_silence_pages_where_something_could_have_paged(monitor: Monitor, severity: str) -> None:
    assert alerts_of(monitor, "ModelSignalAbsent")[0]["labels"]["severity"] == severity


def test_anomalies_alert_on_the_score() -> None:
    paged, by_instance = alerts_of(chat(), "ModelAnomaly")
    assert paged["expr"] == (
        'anomaly_score{monitor="support-chat",for="time_to_first_token_p95"} >= 1\n'
        "  and on ()\n"
        'yhat_upper{monitor="support-chat",for="time_to_first_token_p95",horizon="0s"}'
    )
    assert (paged["for"], paged["labels"]["severity"]) == ("10m", "page")
    assert (by_instance["for"], by_instance["labels"]["severity"]) == ("5m", "ticket")


def test_an_anomaly_without_delay_has_no_for() -> None:
    monitor = replace(chat(), anomalies=(Anomaly("request_rate", duration=0.0),))
    assert "for" not in alerts_of(monitor, "ModelAnomaly")[0]


def test_a_ticket_on_an_anomaly_may_become_a_page() -> None:
    monitor = replace(chat(), anomalies=(Anomaly("request_rate", page_after=1800.0),))
    told = [(rule["labels"]["severity"], rule["for"]) for rule in alerts_of(monitor, "ModelAnomaly")]
    assert told == [("ticket", "5m"), ("page", "30m")]


def test_the_time_until_a_capacity_is_reached_is_recorded_and_told() -> None:
    assert expression_of(chat(), "airis:capacity:seconds").startswith("clamp_min(1 - y{")
    (full,) = alerts_of(chat(), "ModelCapacityForecast")
    assert full["annotations"]["description"] == (
        "kv_cache_usage is forecast to reach its capacity of 1 (ratio) in "
        '{{ $value | printf "%.1f" }} hours; looked at are 1d.'
        "{{ if query `airis_forecast_demoted"
        '{for="kv_cache_usage",horizon="1d",monitor="support-chat"} == 1` }}'
        " Its forecasts have lately been worse than the last season said again, which this one is.{{ end }}"
    )


def test_forecasts_alert_on_a_capacity_only() -> None:
    (full,) = alerts_of(chat(), "ModelCapacityForecast")
    left = 'airis:capacity:seconds{monitor="support-chat",for="kv_cache_usage",horizon="1d"}'
    assert full["expr"] == f"{left} / 3600 <= 24"
    assert (full["for"], full["labels"]["severity"]) == ("15m", "ticket")


def test_text_of_a_person_is_no_template() -> None:
    monitor = replace(
        small(Objective("up", 0.999, 30 * DAY, Errors())),
        model=Model("a {{ $labels.secret }}"),
        alerting=Alerting("{{ team }}", runbook="https://example.com/{{x}}"),
    )
    for rule in alerts_of(monitor, "ModelErrorBudgetBurn"):
        texts = [*rule["labels"].values(), rule["annotations"]["runbook_url"]]
        for text in texts:
            assert "{{" not in text.replace('{{ "{{" }}', "")

"""What is made of a document of Sloth's has the numbers and names that Sloth publishes for it.

They are those of the files that its repository has beside its examples (`examples/_gen`), for 30 days.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from airis_mon.rules.compile import artefacts
from airis_mon.spec import SpecError, decode
from airis_mon.stack.servers import Server
from tests.rules.test_proofs import failure, write

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
TIERS = {
    "page": {("5m", "1h", 14.4), ("30m", "6h", 6.0)},
    "ticket": {("2h", "1d", 3.0), ("6h", "3d", 1.0)},
}
META = (
    "slo:objective:ratio",
    "slo:error_budget:ratio",
    "slo:time_period:days",
    "slo:current_burn_rate:ratio",
    "slo:period_burn_rate:ratio",
    "slo:period_error_budget_remaining:ratio",
    "sloth_slo_info",
)
PUBLISHED = {"99.9": (0.9990000000000001, 0.0009999999999999432), "99": (0.99, 0.01), "95": (0.95, 0.05)}
"""Objective to the values that Sloth writes into `slo:objective:ratio` and `slo:error_budget:ratio`."""


def document(objective: str, bad: str = "errors_total") -> str:
    return f"""
version: prometheus/v1
service: myservice
labels: {{owner: myteam}}
slos:
  - name: requests-availability
    objective: {objective}
    sli:
      events:
        error_query: sum(rate({bad}[{{{{.window}}}}]))
        total_query: sum(rate(requests_total[{{{{.window}}}}]))
    alerting: {{name: MyService}}
"""


def rules(objective: str) -> list[dict[str, Any]]:
    decoded = decode({"slo.yml": document(objective)})
    assert decoded.problems == ()
    written = yaml.safe_load(artefacts(decoded.bundle.monitors[0])[0].text)
    return [rule for group in written["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("objective", PUBLISHED)
def test_recorded_series_have_the_names_and_labels_that_dashboards_of_sloth_read(objective: str) -> None:
    recorded = {rule["record"]: rule["labels"] for rule in rules(objective) if "record" in rule}
    for window in WINDOWS:
        assert recorded[f"slo:sli_error:ratio_rate{window}"]["sloth_window"] == window
    for name in (*META, *(f"slo:sli_error:ratio_rate{window}" for window in WINDOWS)):
        assert (
            recorded[name].items()
            >= {
                "owner": "myteam",
                "sloth_id": "myservice-requests-availability",
                "sloth_service": "myservice",
                "sloth_slo": "requests-availability",
            }.items()
        )


@pytest.mark.parametrize("objective", PUBLISHED)
def test_targets_budgets_and_periods_are_the_same(objective: str) -> None:
    expressions = {rule["record"]: rule["expr"] for rule in rules(objective) if "record" in rule}
    names = ("slo:objective:ratio", "slo:error_budget:ratio", "slo:time_period:days")
    values = [float(re.fullmatch(r"vector\((.*)\)", expressions[name])[1]) for name in names]  # type: ignore[index]
    assert values == pytest.approx([*PUBLISHED[objective], 30])


@pytest.mark.parametrize("objective", PUBLISHED)
def test_alerts_hold_the_same_windows_against_the_same_multiples_of_the_budget(objective: str) -> None:
    budget = PUBLISHED[objective][1]
    compared = re.compile(r"ratio_rate(\w+)\{[^}]*\} / (\S+) > ([0-9.]+)")
    found = {}
    for rule in rules(objective):
        if rule.get("alert") == "ModelErrorBudgetBurn":
            windows = compared.findall(rule["expr"])
            assert [float(divisor) for _, divisor, _ in windows] == pytest.approx([budget] * len(windows))
            pairs = zip(windows[::2], windows[1::2], strict=True)
            found[rule["labels"]["severity"]] = {
                (short, long, float(factor))
                for (short, _, factor), (long, _, same) in pairs
                if factor == same
            }
    assert found == TIERS


def test_an_expression_that_no_rule_could_use_is_told_as_the_document_calls_it() -> None:
    (monitor,) = decode({"slo.yml": document("99.9", bad="errors_total[1h:1m] offset 1h")}).bundle.monitors
    with pytest.raises(SpecError) as caught:
        artefacts(monitor)
    assert "--> slo.yml:10:22  (slos[0].sli.events.error_query)" in str(caught.value)


def test_alerts_of_one_severity_carry_what_is_said_of_them_alone(promtool: Server, tmp_path: Path) -> None:
    text = document("99.9").replace(
        "{name: MyService}",
        "{name: MyService, labels: {category: errors}, page_alert: {labels: {key: a}}, "
        "ticket_alert: {labels: {channel: b}, annotations: {summary: Slowly}}}",
    )
    (monitor,) = decode({"slo.yml": text}).bundle.monitors
    written = artefacts(monitor)
    alerts = {
        rule["labels"]["severity"]: rule
        for group in yaml.safe_load(written[0].text)["groups"]
        for rule in group["rules"]
        if rule.get("alert") == "ModelErrorBudgetBurn"
    }
    assert {name: rule["annotations"]["title"] for name, rule in alerts.items()} == {
        "page": "MyService",
        "ticket": "MyService",
    }
    assert alerts["page"]["labels"].items() >= {"key": "a"}.items()
    assert "channel" not in alerts["page"]["labels"]
    assert alerts["ticket"]["labels"].items() >= {"channel": "b"}.items()
    assert alerts["ticket"]["annotations"]["summary"] == "Slowly"
    tests = write(tmp_path, written)
    assert [found for test in tests if (found := failure(promtool, tmp_path, test))] == []

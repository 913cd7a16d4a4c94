from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from typing import Any

import promql_parser
import pytest
import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from airis_mon.grafana.compile import artefacts
from airis_mon.rules.compile import artefacts as rules_artefacts
from airis_mon.spec import Monitor
from tests.grafana.documents import dashboard, monitors, queries


@pytest.fixture(params=monitors(), ids=lambda monitor: monitor.name)
def monitor(request: pytest.FixtureRequest) -> Monitor:
    found: Monitor = request.param
    return found


def panel(board: dict[str, Any], title: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = (panel for panel in board["panels"] if panel["title"] == title)
    return found


def rows(board: dict[str, Any]) -> list[str]:
    return [panel["title"] for panel in board["panels"] if panel["type"] == "row"]


def chat() -> dict[str, Any]:
    return dashboard(monitors()[0])


def test_file_is_named_after_the_monitor(monitor: Monitor) -> None:
    (artefact,) = artefacts(monitor)
    assert artefact.path == f"grafana/dashboards/{monitor.name}.json"


def test_equal_monitors_give_equal_bytes(monitor: Monitor) -> None:
    assert artefacts(monitor) == artefacts(replace(monitor))


def test_grafanas_own_classes_read_it_without_loss(monitor: Monitor) -> None:
    plugins.register_default_plugins()
    board = dashboard(monitor)
    again = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    assert again == board


def test_every_query_is_promql(monitor: Monitor) -> None:
    found = list(queries(dashboard(monitor)))
    assert found
    for query in found:
        promql_parser.parse(query.expression)


def test_panels_explain_themselves_and_take_the_chosen_data_source(monitor: Monitor) -> None:
    for found in dashboard(monitor)["panels"]:
        if found["type"] == "row":
            continue
        assert found["description"].endswith(".")
        assert found["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert found["fieldConfig"]["defaults"]["unit"]
        refs = [target["refId"] for target in found["targets"]]
        assert len(set(refs)) == len(refs) > 0


def test_panels_have_distinct_numbers_and_places(monitor: Monitor) -> None:
    found = dashboard(monitor)["panels"]
    assert [panel["id"] for panel in found] == list(range(1, len(found) + 1))
    for one, other in combinations([panel["gridPos"] for panel in found], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]


def test_rows_are_those_that_the_contract_and_the_document_fill() -> None:
    found = {monitor.name: rows(dashboard(monitor)) for monitor in monitors()}
    always = ["Promises", "Traffic and errors", "Latency"]
    assert found == {
        "support-chat": [*always, "Tokens", "Saturation", "Two versions", "Expectation", "Forecast"],
        "assistant": [*always, "Tokens", "Expectation"],
        "digits": [*always, "Output", "Expectation"],
    }


def test_objectives_draw_their_thresholds() -> None:
    def marks(title: str) -> list[float | None]:
        steps = panel(chat(), title)["fieldConfig"]["defaults"]["thresholds"]["steps"]
        return [step["value"] for step in steps]

    assert marks("Time to first token") == [None, 0.5]
    assert marks("Errors") == [None, 0.001]
    assert marks("Kv cache usage") == [None, 1.0]
    assert marks("time_to_first_token_p95: anomaly score") == [None, 1]
    overrides = panel(chat(), "Objectives")["fieldConfig"]["overrides"]
    targets = [override["properties"][0]["value"]["steps"][1]["value"] for override in overrides]
    assert targets == [0.999, 0.99]


def test_band_is_filled_between_series_that_the_panel_has() -> None:
    for title in (
        "time_to_first_token_p95: expected and actual",
        "request_rate: expected and actual",
        "kv_cache_usage in 1h",
        "kv_cache_usage: forecast and outcome",
    ):
        found = panel(chat(), title)
        legends = {target["legendFormat"] for target in found["targets"]}
        overrides = found["fieldConfig"]["overrides"]
        assert {override["matcher"]["options"] for override in overrides} <= legends
        fills = [
            (override["matcher"]["options"], entry["value"])
            for override in overrides
            for entry in override["properties"]
            if entry["id"] == "custom.fillBelowTo"
        ]
        assert fills == [("upper", "lower")]


def test_units_are_those_of_the_contract() -> None:
    def unit(title: str) -> str:
        return str(panel(chat(), title)["fieldConfig"]["defaults"]["unit"])

    assert unit("Requests") == "reqps"
    assert unit("Errors") == "percentunit"
    assert unit("Time to first token") == "s"
    assert unit("Kv cache usage") == "percentunit"


def test_a_person_chooses_data_source_and_dimension() -> None:
    variables = {variable["name"]: variable for variable in chat()["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    assert variables["by_region"]["query"] == 'label_values(y{monitor="support-chat"}, region)'
    assert set(variables) == {"datasource", "by_region"}


def test_a_whole_signal_leaves_out_its_parts() -> None:
    whole = panel(chat(), "request_rate in 1h")["targets"][0]["expr"]
    part = panel(chat(), "request_rate: anomaly score")["targets"][0]["expr"]
    assert 'region=""' in whole
    assert 'region="$by_region"' in part


def test_alerts_and_runbook_are_at_hand() -> None:
    (annotation,) = chat()["annotations"]["list"]
    assert annotation["expr"] == 'ALERTS{monitor="support-chat",alertstate="firing"}'
    assert [link["url"] for link in chat()["links"]] == ["https://runbooks.example.com/chat"]


def test_uid_is_the_name_where_grafana_takes_it() -> None:
    assert chat()["uid"] == "airis-support-chat"
    long = ["a" * 34, "a" * 35, "a" * 62 + "b", "a" * 62 + "c"]
    uids = [dashboard(replace(monitors()[0], name=name))["uid"] for name in long]
    assert max(map(len, uids)) <= 40
    assert len(set(uids)) == len(long)


@pytest.mark.parametrize("name", ["support-chat", "a" * 63])
def test_alerts_lead_to_the_dashboard(name: str) -> None:
    monitor = replace(monitors()[0], name=name)
    rules = yaml.safe_load(rules_artefacts(monitor)[0].text)
    alerts = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    assert {alert["annotations"]["dashboard"] for alert in alerts} == {dashboard(monitor)["uid"]}

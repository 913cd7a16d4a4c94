from __future__ import annotations

import re

import pytest

from airis_mon.cli.build import build
from airis_mon.spec import decode, json_schema
from docs import document_page, series_page

MONITOR = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: support-chat}
spec:
  model: {name: llama}
  source: {contract: otel-genai, selector: {job: chat}}
  anomalies: [{of: error_ratio}]
  alerting: {team: ml-platform}
"""

DOCUMENT, SERIES = document_page.text(), series_page.text()


def rows(page: str) -> list[list[str]]:
    """Cells of every line of every table, without the heads' rules."""
    lines = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| --- ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_each_kind_says_what_it_is_for() -> None:
    kinds = json_schema()["properties"]["kind"]["enum"]
    purposes = [DOCUMENT.partition(f"\n## {kind}\n\n")[2].partition("\n")[0] for kind in kinds]
    assert all(purposes)
    assert len(set(purposes)) == len(kinds)


@pytest.mark.parametrize(
    ("key", "limit"),
    [
        ("metadata.name", "at most 63 characters"),
        ("spec.anomalies[].history", "`10m` to `365d`"),
        ("spec.anomalies[].for", "at most `1d`"),
        ("spec.anomalies[].by", "1 to 8 items"),
        ("spec.objectives", "exactly one of `errors`, `latency`"),
    ],
)
def test_limits_stand_beside_the_key(key: str, limit: str) -> None:
    (row,) = (row for row in rows(DOCUMENT) if row[0] == f"`{key}`" and "As in" not in row[-1])
    assert limit in row[3]


def test_labels_that_nothing_is_kept_apart_by_are_listed() -> None:
    anomalies = json_schema()["$defs"]["ModelMonitor"]["properties"]["spec"]["properties"]["anomalies"]
    refused = anomalies["items"]["properties"]["by"]["items"]["not"]["enum"]
    (row,) = (row for row in rows(DOCUMENT) if row[0] == "`spec.anomalies[].by`")
    assert refused
    assert [label for label in refused if f"`{label}`" not in row[3]] == []


def test_built_in_profiles_are_shown_whole() -> None:
    for name in ("llm-serving", "classifier"):
        shown = DOCUMENT.partition(f"### {name}\n\n```yaml\n")[2].partition("```")[0]
        assert "kind: Profile" in shown
        assert "forecasts:" in shown


def test_the_examples_of_kinds_are_one_set_of_documents_that_derives() -> None:
    shown = re.findall(r"```yaml\n(.*?)```", DOCUMENT.partition("## Texts")[0], re.DOTALL)
    texts = [text for text in shown if "kind:" in text]
    people = "".join(
        f"---\napiVersion: airis.dev/v1alpha1\nkind: Receiver\nmetadata: {{name: {name}}}\n"
        f'spec: {{webhooks: [{{url: "http://127.0.0.1:9/{name}"}}]}}\n'
        for name in ("desk", "oncall", "lead")
    )
    decoded = decode({"page.yaml": "---\n".join([*texts, MONITOR]) + people})
    assert decoded.problems == ()
    assert {"EscalationPolicy", "Team", "TimeInterval", "Maintenance"} <= decoded.bundle.kinds.keys()
    (monitor,) = decoded.bundle.monitors
    assert monitor.alerting.escalation == "business-hours"
    assert {one.name for one in monitor.maintenance} == {"patches", "reindex"}
    build(decoded.bundle)


def test_no_series_or_label_goes_without_a_meaning() -> None:
    found = rows(SERIES)
    assert len(found) > 60
    assert [row for row in found if not row[-1]] == []


def test_values_do_not_pass_for_labels() -> None:
    for section in SERIES.split("\n### "):
        names = {row[0] for row in rows(section)}
        if names & {"`page`", "`ticket`", "`0s`"}:
            assert section.startswith("Values of the label ")

"""Sloth's documents say what ours say."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from airis_mon.spec import Alerting, Events, Marks, Model, Monitor, Objective, Source, decode

BAD = 'sum(rate(answers_total{job="gateway",code=~"5..|429"}[{{.window}}]))'
TOTAL = 'sum(rate(answers_total{job="gateway"}[{{.window}}]))'

PLAIN = f"""
version: prometheus/v1
service: gateway
labels: {{owner: chat, team: ml-platform, escalation: standard, tier: "2"}}
slos:
  - name: answered
    objective: 99.9
    description: Answers without an error of ours.
    labels: {{category: availability}}
    sli:
      events:
        error_query: '{BAD}'
        total_query: '{TOTAL}'
    alerting:
      name: GatewayErrors
      labels: {{routing: chat}}
      annotations: {{summary: Many answers of the gateway fail}}
      page_alert: {{labels: {{routing_key: ml}}, annotations: {{runbook: "https://runbooks.example.com/a"}}}}
"""
OBJECT = f"""
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {{name: gateway-slos, namespace: monitoring, labels: {{app: sloth}}}}
spec:
  service: gateway
  labels: {{owner: chat, team: ml-platform, escalation: standard, tier: "2"}}
  slos:
    - name: answered
      objective: 99.9
      labels: {{category: availability}}
      sli:
        events:
          errorQuery: '{BAD}'
          totalQuery: '{TOTAL}'
      alerting:
        name: GatewayErrors
        labels: {{routing: chat}}
        annotations: {{summary: Many answers of the gateway fail}}
        pageAlert: {{labels: {{routing_key: ml}}, annotations: {{runbook: "https://runbooks.example.com/a"}}}}
        ticketAlert: {{}}
"""
LADDER = """---
apiVersion: airis.dev/v1alpha1
kind: EscalationPolicy
metadata: {name: standard}
spec: {page: [{receivers: [oncall]}]}
---
apiVersion: airis.dev/v1alpha1
kind: Receiver
metadata: {name: oncall}
spec: {webhooks: [{url: "https://pager.example.com/hook"}]}
"""
RUNBOOK = "https://runbooks.example.com/a"
SAID = Monitor(
    "gateway",
    Model("gateway"),
    Source("promql"),
    (
        Objective(
            "answered",
            0.999,
            30 * 86400.0,
            Events(total=TOTAL, bad=BAD),
            labels={"owner": "chat", "tier": "2", "category": "availability", "routing": "chat"},
            annotations={"title": "GatewayErrors", "summary": "Many answers of the gateway fail"},
            by_severity={"page": Marks({"routing_key": "ml"}, {"runbook_url": RUNBOOK, "runbook": RUNBOOK})},
        ),
    ),
    alerting=Alerting("ml-platform", "standard"),
)


@pytest.mark.parametrize("text", [PLAIN, OBJECT], ids=["plain", "object"])
def test_a_service_becomes_a_monitor_beside_documents_of_our_own(text: str) -> None:
    decoded = decode({"sloth.yaml": text, "ladder.yaml": LADDER})
    assert decoded.problems == ()
    assert decoded.bundle.monitors == (SAID,)


@pytest.mark.parametrize(("text", "around"), [(PLAIN, ""), (OBJECT, "spec.")], ids=["plain", "object"])
def test_every_field_is_placed_where_it_was_written(text: str, around: str) -> None:
    (monitor,) = decode({"sloth.yaml": text, "ladder.yaml": LADDER}).bundle.monitors
    lines = text.splitlines()
    for ours, theirs, written in (
        ("metadata.name", "service", "gateway"),
        ("spec.objectives[0].target", "slos[0].objective", "99.9"),
        ("spec.objectives[0].window", "slos[0]", "name: answered"),
        ("spec.alerting.escalation", "labels.escalation", "standard"),
    ):
        place = monitor.origin.locate(ours)
        assert place is not None
        assert place.path == around + theirs
        assert lines[place.line - 1][place.column - 1 :].startswith(written)


def test_an_unknown_policy_is_told_where_the_label_names_it() -> None:
    (problem,) = decode({"sloth.yaml": PLAIN}).problems
    assert "there is no EscalationPolicy `standard`" in str(problem)
    assert "--> sloth.yaml:4:54  (labels.escalation)" in str(problem)


def test_one_service_in_two_documents_is_told_once_with_both_places() -> None:
    (problem,) = decode({"a.yaml": PLAIN + "---" + PLAIN, "b.yaml": LADDER}).problems
    assert "two documents of kind ModelMonitor are named `gateway`" in str(problem)
    assert "--> a.yaml:21:10  (service)" in str(problem)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
TREES = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(max_size=8), LEAVES, max_size=3)


def paths(tree: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    found = [path]
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return found + [one for key, value in inner for one in paths(value, (*path, key))]


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_whatever_stands_in_a_field_is_read_or_refused_with_a_place(data: st.DataObject) -> None:
    tree = yaml.safe_load(data.draw(st.sampled_from([PLAIN, OBJECT])))
    *around, last = data.draw(st.sampled_from(paths(tree)[1:]))
    parent = tree
    for key in around:
        parent = parent[key]
    parent[last] = data.draw(TREES)
    decoded = decode({"sloth.yaml": yaml.safe_dump(tree, allow_unicode=True), "ladder.yaml": LADDER})
    assert bool(decoded.bundle.monitors) != bool(decoded.problems)
    assert all(problem.location is not None for problem in decoded.problems)

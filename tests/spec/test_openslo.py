"""Documents of OpenSLO v1 say what ours say."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from airis_mon.spec import Alerting, BurnCondition, Events, Model, Monitor, Objective, Source, decode
from tests.spec.test_sloth import LADDER, TREES, paths

DAY = 86400.0
GOOD = 'sum(rate(answers_total{job="gateway",code!~"5.."}[$window]))'
TOTAL = 'sum(rate(answers_total{job="gateway"}[$window]))'

APART = f"""
apiVersion: openslo/v1
kind: SLO
metadata: {{name: gateway, displayName: Gateway, labels: {{team: ml-platform, tags: [chat, web]}}}}
spec:
  description: Answers.
  service: chat-gateway
  indicatorRef: answers
  timeWindow: [{{duration: 4w, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives:
    - {{displayName: Nearly all, target: 0.999}}
    - {{displayName: Most, targetPercent: 99}}
  alertPolicies: [{{alertPolicyRef: gateway}}]
---
apiVersion: openslo/v1
kind: SLI
metadata: {{name: answers}}
spec:
  ratioMetric:
    counter: true
    good: {{metricSource: {{metricSourceRef: main, spec: {{query: '{GOOD}'}}}}}}
    total: {{metricSource: {{type: Prometheus, spec: {{queryType: promql, query: '{TOTAL}'}}}}}}
---
apiVersion: openslo/v1
kind: DataSource
metadata: {{name: main}}
spec: {{type: prometheus}}
---
apiVersion: openslo/v1
kind: Service
metadata: {{name: chat-gateway}}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {{name: gateway}}
spec:
  alertWhenBreaching: true
  alertWhenNoData: true
  conditions: [{{conditionRef: fast}}]
  notificationTargets: [{{targetRef: people}}]
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {{name: fast}}
spec:
  severity: page
  condition: {{kind: burnrate, op: gt, threshold: 13.44, lookbackWindow: 1h, alertAfter: 0m}}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {{name: people}}
spec: {{target: standard}}
"""
INLINE = f"""
apiVersion: openslo/v1
kind: SLO
metadata: {{name: gateway, labels: {{team: ml-platform}}}}
spec:
  service: chat-gateway
  indicator:
    metadata: {{name: answers}}
    spec:
      ratioMetric:
        good: {{metricSource: {{type: Prometheus, spec: {{promql: '{GOOD}'}}}}}}
        total: {{metricSource: {{type: Prometheus, spec: {{query: '{TOTAL}'}}}}}}
  timeWindow: [{{duration: 28d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives:
    - {{displayName: Nearly all, target: 0.999}}
    - {{displayName: Most, target: 0.99}}
  alertPolicies:
    - kind: AlertPolicy
      metadata: {{name: gateway}}
      spec:
        conditions:
          - kind: AlertCondition
            metadata: {{name: fast}}
            spec: {{severity: page, condition: {{op: gte, threshold: 13.44, lookbackWindow: 1h}}}}
        notificationTargets: [{{kind: AlertNotificationTarget, spec: {{target: standard}}}}]
"""
FAST = (BurnCondition("page", 13.44, 3600.0),)
EVENTS = Events(total=TOTAL, good=GOOD)
SAID = Monitor(
    "gateway",
    Model("chat-gateway"),
    Source("promql"),
    (
        Objective("nearly-all", 0.999, 28 * DAY, EVENTS, conditions=FAST),
        Objective("most", 0.99, 28 * DAY, EVENTS, conditions=FAST),
    ),
    alerting=Alerting("ml-platform", "standard"),
)


@pytest.mark.parametrize("text", [APART, INLINE], ids=["apart", "inline"])
def test_an_slo_with_what_it_refers_to_becomes_a_monitor(text: str) -> None:
    decoded = decode({"slo.yaml": text, "ladder.yaml": LADDER})
    assert decoded.problems == ()
    assert decoded.bundle.monitors == (SAID,)


def test_documents_that_refer_to_each_other_may_be_in_several_files_and_keep_their_places() -> None:
    files = {f"{index}.yaml": text for index, text in enumerate(APART.split("---"))}
    (monitor,) = decode({**files, "ladder.yaml": LADDER}).bundle.monitors
    assert monitor == SAID
    for ours, file, theirs in (
        ("metadata.name", "0.yaml", "metadata.name"),
        ("spec.objectives[1].target", "0.yaml", "spec.objectives[1].targetPercent"),
        ("spec.objectives[1].window", "0.yaml", "spec.timeWindow[0].duration"),
        ("spec.objectives[1].events.good", "1.yaml", "spec.ratioMetric.good.metricSource.spec.query"),
        ("spec.objectives[0].conditions", "5.yaml", "spec.condition"),
        ("spec.alerting.escalation", "6.yaml", "spec.target"),
        ("spec.alerting.team", "0.yaml", "metadata.labels.team"),
    ):
        place = monitor.origin.locate(ours)
        assert place is not None
        assert (place.file, place.path) == (file, theirs)


@pytest.mark.parametrize(("written", "days"), [("1d", 1.0), ("30d", 30.0), ("4w", 28.0), ("48h", 2.0)])
def test_windows_are_read_in_the_shorthand(written: str, days: float) -> None:
    text = INLINE.replace("28d", written)
    (monitor,) = decode({"slo.yaml": text, "ladder.yaml": LADDER}).bundle.monitors
    assert {objective.window for objective in monitor.objectives} == {days * DAY}


@pytest.mark.parametrize(
    ("written", "start", "period"),
    [
        ("1w", "2026-01-05", "week"),
        ("1M", "2026-03-01 00:00:00", "month"),
        ("1Q", "2026-04-01 00:00:00", "quarter"),
        ("3M", "2026-10-01T00:00:00", "quarter"),
    ],
)
def test_periods_of_the_calendar_are_read(written: str, start: str, period: str) -> None:
    calendar = f"{{duration: {written}, calendar: {{startTime: {start}, timeZone: UTC}}, isRolling: false}}"
    text = INLINE.replace("{duration: 28d, isRolling: true}", calendar)
    (monitor,) = decode({"slo.yaml": text, "ladder.yaml": LADDER}).bundle.monitors
    assert {objective.calendar for objective in monitor.objectives} == {period}
    assert decode(
        {"slo.yaml": text.replace("isRolling: false", "isRolling: true"), "l.yaml": LADDER}
    ).problems


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ("{duration: 1M, isRolling: true}", "`1M` has no fixed length"),
        ("{duration: 30d, isRolling: false}", "a window that does not roll follows the calendar"),
        ("{duration: 2h, isRolling: true}", "an objective over 2h is not possible"),
        (
            "{duration: 1Y, calendar: {startTime: 2026-01-01, timeZone: UTC}}",
            "1Y is no period of the calendar",
        ),
        (
            "{duration: 1M, calendar: {startTime: 2026-01-15, timeZone: UTC}}",
            "no month of the calendar begins",
        ),
        ("{duration: 1Q, calendar: {startTime: 2026-02-01, timeZone: UTC}}", "no quarter of the calendar"),
        (
            "{duration: 1w, calendar: {startTime: 2026-01-06, timeZone: UTC}}",
            "no week of the calendar begins",
        ),
        ("{duration: 1M, calendar: {startTime: 2026-01-01 12:00:00, timeZone: UTC}}", "begins at midnight"),
        ("{duration: 1M, calendar: {startTime: soon, timeZone: UTC}}", "`soon` is no date and time"),
        (
            "{duration: 1M, calendar: {startTime: 2026-01-01, timeZone: Europe/Berlin}}",
            "periods begin by UTC",
        ),
    ],
)
def test_windows_that_cannot_be_had_are_refused(window: str, message: str) -> None:
    text = INLINE.replace("{duration: 28d, isRolling: true}", window)
    (problem,) = decode({"slo.yaml": text, "ladder.yaml": LADDER}).problems
    assert message in problem.message
    assert problem.hint


def test_a_single_objective_needs_no_name() -> None:
    text = INLINE.replace("    - {displayName: Most, target: 0.99}\n", "").replace(
        "displayName: Nearly all, ", ""
    )
    (monitor,) = decode({"slo.yaml": text, "ladder.yaml": LADDER}).bundle.monitors
    assert [objective.name for objective in monitor.objectives] == ["objective"]


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_whatever_stands_in_a_field_is_read_or_refused_with_a_place(data: st.DataObject) -> None:
    trees = list(yaml.safe_load_all(data.draw(st.sampled_from([APART, INLINE]))))
    # An empty document is none: what is changed lies inside of one.
    *around, last = data.draw(st.sampled_from([path for path in paths(trees) if len(path) > 1]))
    parent = trees
    for key in around:
        parent = parent[key]  # type: ignore[call-overload]
    parent[last] = data.draw(TREES)  # type: ignore[call-overload]
    text = yaml.safe_dump_all(trees, allow_unicode=True)
    decoded = decode({"slo.yaml": text, "ladder.yaml": LADDER})
    assert decoded.bundle.monitors or decoded.problems
    assert all(problem.location is not None for problem in decoded.problems)

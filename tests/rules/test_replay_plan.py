"""What an expression reads, how far back, and which rules an alert stands on."""

from __future__ import annotations

from typing import Any

import pytest

from airis_mon.rules.replay import PlanError, plan, selectors


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("up", {"up": 0}),
        ('up{job="a", code!~"5.."}', {'up{code!~"5..", job="a"}': 0}),
        ("rate(x[5m]) / rate(x[1h])", {"x": 3600}),
        ("rate(x[5m] offset 1h)", {"x": 3900}),
        ("x offset -5m", {"x": 0}),
        ("max_over_time(sum(rate(x[5m]))[1d:1m] offset 2h)", {"x": 86_400 + 7200 + 300}),
        ("topk(scalar(n), -(x)) unless absent(y)", {"n": 0, "x": 0, "y": 0}),
        ('{__name__=~"a.*", q="\\""}', {'{__name__=~"a.*", q="\\""}': 0}),
        ("vector(1)", {}),
    ],
)
def test_an_expression_reads(expression: str, expected: dict[str, float]) -> None:
    assert {str(selector): selector.reach for selector in selectors(expression)} == expected


def rules(*given: dict[str, Any]) -> dict[str, Any]:
    return {"groups": [{"name": "g", "rules": list(given)}]}


def recording(name: str, expr: str, **labels: str) -> dict[str, Any]:
    return {"record": name, "expr": expr, "labels": labels}


def test_recordings_are_planned_after_those_they_read_and_as_far_back_as_they_are_read() -> None:
    found = plan(
        [
            rules(
                recording("a:ratio", "a:errors / a:all"),
                recording("a:errors", "sum(rate(errors[10m]))"),
                recording("a:all", "sum(rate(all[5m]))"),
                recording("unread", "sum(rate(all[30d]))"),
                {
                    "alert": "A",
                    "expr": "avg_over_time(a:ratio[1h]) > 1",
                    "for": "2m",
                    "keep_firing_for": "1m",
                },
            )
        ]
    )
    assert {one.name: one.reach for one in found.recordings} == {
        "a:errors": 3600,
        "a:all": 3600,
        "a:ratio": 3600,
    }
    assert [(one.name, one.level) for one in found.recordings][-1] == ("a:ratio", 1)
    assert {one.level for one in found.recordings[:-1]} == {0}
    assert {str(one): one.reach for one in found.stored} == {"errors": 4200, "all": 3900}
    assert found.reach == 4200
    assert (found.alerts[0].duration, found.alerts[0].keep_firing_for) == (120, 60)


def test_an_alert_stands_on_the_recordings_of_its_own_labels() -> None:
    found = plan(
        [
            rules(
                recording("a:ratio", "x", monitor="one"),
                recording("a:ratio", "y", monitor="two"),
                {"alert": "A", "expr": 'a:ratio{monitor="two"} > 1'},
            )
        ]
    )
    assert [one.expression for one in found.recordings] == ["y"]


def test_what_is_within_a_wider_selector_is_read_once() -> None:
    found = plan([rules({"alert": "A", "expr": 'rate(x{a="1", b!="2"}[1h]) > x{a="1"} or x{c="3"} > y'})])
    assert {str(one): one.reach for one in found.stored} == {'x{a="1"}': 3600, 'x{c="3"}': 0, "y": 0}


def test_braces_that_are_no_template_read_as_they_fire() -> None:
    found = plan(
        [
            rules(
                {
                    "alert": "A",
                    "expr": "up",
                    "labels": {"model": 'a{{ "{{" }}b'},
                    "annotations": {"summary": 'is {{ "{{" }}'},
                }
            )
        ]
    )
    assert found.alerts[0].labels == (("model", "a{{b"),)
    assert found.alerts[0].summary == "is {{"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            [recording("a", "b"), recording("b", "a"), {"alert": "A", "expr": "a"}],
            "reads what it records itself",
        ),
        ([{"alert": "A", "expr": "up @ 5"}], "alert A: `@` reads at a fixed time"),
        ([{"alert": "A", "expr": "up{"}], "alert A:"),
    ],
)
def test_rules_that_cannot_be_replayed_are_refused(given: list[dict[str, Any]], expected: str) -> None:
    with pytest.raises(PlanError, match=expected):
        plan([rules(*given)])

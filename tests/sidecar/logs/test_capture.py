from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from airis_mon.sidecar.logs.capture import Capture
from airis_mon.sidecar.logs.expressions import expression
from airis_mon.sidecar.logs.patterns import Measure, Pattern
from airis_mon.sidecar.logs.record import LogRecord
from airis_mon.sidecar.translation import Translation, Update

NOW = 1_704_067_200.0


def capture(*patterns: Pattern) -> Capture:
    translation = Translation(lambda: NOW, 600.0)
    return Capture(translation.moment, translation, patterns)


def record(body: str | Mapping[str, object], **changes: Any) -> LogRecord:
    return LogRecord(**{"timestamp": NOW, "body": body, "severity": "error", "source": "gateway", **changes})


def found(capture: Capture, *records: LogRecord) -> list[tuple[str, dict[str, str], object]]:
    captured = capture.changes(enumerate(records))
    assert not captured.refusals
    return [
        (change.family.name, dict(change.labels), change.value)
        for _, changes in captured.changes
        for change in changes
        if isinstance(change, Update)
    ]


def test_a_record_that_matches_nothing_is_counted_by_source() -> None:
    assert found(capture(), record("hello")) == [
        ("airis_log_records", {"result": "unmatched", "source": "gateway"}, 1.0)
    ]


def test_a_pattern_counts_measures_and_labels() -> None:
    pattern = Pattern(
        "timeout",
        where={"severity": "error"},
        regex={"message": expression(r"(?P<model>\S+) timed out after (?P<ms>[0-9]+) ms")},
        counter="timeouts",
        measures=(Measure("histogram", "timeout_duration", "ms", "ms"),),
        labels={"model": "model", "region": "zone"},
    )
    items = found(capture(pattern), record({"msg": "gpt timed out after 1500 ms", "zone": "eu"}))
    assert items[:2] == [
        ("timeouts", {"model": "gpt", "region": "eu", "source": "gateway"}, 1.0),
        ("timeout_duration_seconds", {"model": "gpt", "region": "eu", "source": "gateway"}, 1.5),
    ]
    assert items[2][1]["result"] == "matched"


def test_an_event_is_kept_without_personal_data() -> None:
    pattern = Pattern("refusal", regex={"message": expression("refused")}, event="refusal")
    given = record("refused ann@mail.example", attributes={"peer": "10.0.0.1"}, trace_id="ab")
    captured = capture(pattern).changes([(7, given)])
    event = captured.events[7]
    assert (event.message, event.attributes) == ("refused [email]", {"peer": "[ip]"})
    assert (event.event_type, event.severity, event.trace_id) == ("refusal", "error", "ab")


def test_labels_beyond_the_budget_become_other_and_none_holds_personal_data() -> None:
    pattern = Pattern("users", counter="logins", labels={"user": "user"}, budget=2)
    records = [record({"user": f"u{number}"}) for number in range(4)] + [record({"user": "u0"})]
    values = [labels["user"] for name, labels, _ in found(capture(pattern), *records) if name == "logins"]
    assert values == ["u0", "u1", "other", "other", "u0"]
    masked = found(capture(pattern), record({"user": "ann@mail.example"}))
    assert masked[0][1]["user"] == "[email]"


def test_a_measure_without_a_number_is_refused_with_its_field() -> None:
    pattern = Pattern("slow", measures=(Measure("gauge", "queue", "depth"),))
    captured = capture(pattern).changes([(3, record({"depth": "deep"}))])
    assert [(refusal.index, refusal.error.field) for refusal in captured.refusals] == [(3, "depth")]
    assert not captured.changes


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (r"(\w+) \1", "invalid escape sequence"),
        ("(?=a)", r"invalid perl operator"),
        ("(", "missing \\)"),
        ("a{1000}{1000}", "bad repetition operator"),
        ("((a{100}){100}){100}", "no regular expression"),
        ("a" * 501, "501 characters; 500 are allowed"),
        ("\ud800", "half a character"),
    ],
)
def test_an_expression_that_re2_does_not_take_is_refused(written: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        expression(written)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "written", ["(a+)+$", "(a|aa)*c", "(x+x+)+y", "[^ ]*[^ ]*[^ ]*[^ ]*[^ ]*z", "(.*.*.*)*="]
)
def test_no_expression_takes_long_whatever_it_is(written: str) -> None:
    for text in ("a" * 65_536 + "b", "x" * 65_536, "ax" * 30_000):
        assert expression(written).search(text) is None


@pytest.mark.parametrize(
    "written", [r"(?P<a>[0-9.]+) s .* (?P<b>\w+)", "[a+]+", "(ab)+", r"\(a+\)+", "a{2,3}"]
)
def test_an_honest_expression_is_taken(written: str) -> None:
    assert expression(written).pattern == written

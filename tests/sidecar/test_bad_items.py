from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.sidecar.conftest import Sidecar, event, metric

GOOD = metric(metric_name="good", metric_type="counter")


def without(item: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != key}


def written(**changes: str) -> bytes:
    """A metric as JSON text, with values written as given: what `json.dumps` would not write."""
    texts = {name: json.dumps(value) for name, value in metric().items()} | changes
    return ("{" + ",".join(f'"{name}":{text}' for name, text in texts.items()) + "}").encode()


BAD_METRICS = {
    "wrong type of value": (metric(value="1"), "value", "Expected `float`, got `str`"),
    "value as boolean": (metric(value=True), "value", "Expected `float`, got `bool`"),
    "null": (metric(value=None), "value", "Expected `float`, got `null`"),
    "missing": (without(metric(), "value"), "value", "Object missing required field `value`"),
    "misspelt": (metric(tag={"a": "b"}), "tag", "Object contains unknown field `tag`"),
    "no object": (5, "", "Expected `object`, got `int`"),
    "a list": ([], "", "Expected `object`, got `array`"),
    "a number as tag": (
        metric(tags={"region": "eu", "a": 1}),
        "tags.a",
        "Expected `str`, got `int`; a text belongs there, in quotes",
    ),
    "nothing as tag": (metric(tags={"a b": None}), "tags.a b", "Expected `str`, got `null`; a text belongs"),
    "a number as tag of a long name": (metric(tags={"x" * 200: 1}), f"tags.{'x' * 195}...", "got `int`"),
    "tags as list": (metric(tags=["a"]), "tags", "Expected `object`, got `array`"),
    "no time zone": (
        metric(timestamp="2024-01-01T00:00:00"),
        "timestamp",
        "Expected `datetime` with a timezone",
    ),
    "no time": (metric(timestamp="yesterday"), "timestamp", "Invalid RFC3339 encoded datetime"),
    "a number as time": (metric(timestamp=1704067200), "timestamp", "Expected `datetime`, got `int`"),
    "the future": (
        metric(timestamp="2024-01-01T00:11:01Z"),
        "timestamp",
        "601 s in the future, at most 600 s",
    ),
    "unknown unit": (
        metric(unit="milisecond"),
        "unit",
        "unknown unit `milisecond`, did you mean `millisecond`?",
    ),
    "unit of nothing": (metric(unit="/s/s"), "unit", "unknown unit `/s/s`"),
    "unit per nothing": (metric(unit="tokens/"), "unit", "unknown unit `tokens/`"),
    "unknown type": (
        metric(metric_type="preformance"),
        "metric_type",
        "unknown metric_type `preformance`, did you mean `performance`?",
    ),
    "negative counter": (
        metric(metric_name="sold", metric_type="counter", value=-1),
        "value",
        "a counter takes 0 or more, got -1",
    ),
    "negative duration": (
        metric(metric_name="took", metric_type="latency", value=-1),
        "value",
        "a histogram takes 0 or more, got -1",
    ),
    "too large": (metric(value=1e101), "value", "a number between -1e+100 and 1e+100 is wanted"),
    "too large an increment": (
        metric(metric_name="sold", metric_type="counter", value=1e32),
        "value",
        "a counter takes at most 9007199254740992 (2^53) at once, got 1e+32",
    ),
    "too large an increment in base units": (
        metric(metric_name="moved", metric_type="counter", value=2**20, unit="TB"),
        "value",
        "a counter takes at most 9007199254740992 bytes (2^53) at once, got 1.04858e+18",
    ),
    "too large in base units": (metric(value=1e300, unit="TiB"), "value", "a number between"),
    "no name": (metric(metric_name=""), "metric_name", "Expected `str` of length >= 1"),
    "no letter": (metric(metric_name="°°"), "metric_name", "`°°` leaves no name"),
    "a rule's name": (
        metric(metric_name="slo:x"),
        "metric_name",
        "`slo:x` has a colon, which Prometheus keeps for the names of recording rules; write `slo_x`",
    ),
    "reserved name": (metric(metric_name="up"), "metric_name", "`up` is a name that Prometheus"),
    "own name": (
        metric(metric_name="airis_sidecar_series"),
        "metric_name",
        "this process gives to its own series",
    ),
    "the events' name": (
        metric(metric_name="airis.events", metric_type="counter"),
        "metric_name",
        "this process gives to its own series",
    ),
    "long name": (metric(metric_name="x" * 201), "metric_name", "Expected `str` of length <= 200"),
    "long tag": (metric(tags={"x": "y" * 1025}), "tags.x", "Expected `str` of length <= 1024"),
    "long key": (metric(tags={"x" * 201: "y"}), "tags", "Expected `str` of length <= 200 for a key"),
    "many tags": (
        metric(tags={f"t{n}": "v" for n in range(33)}),
        "tags",
        "Expected `object` of length <= 32",
    ),
    "much text in tags": (
        metric(tags={f"t{n}": "v" * 1000 for n in range(5)}),
        "tags",
        "5010 characters in all, at most 4096",
    ),
    "equal tags": (
        metric(tags={"a.b": "1", "a_b": "2"}),
        "tags.a_b",
        "another tag already is the label `a_b`; rename one of them",
    ),
    "tag without letters": (metric(tags={"日本": "1"}), "tags.日本", "`日本` leaves no label name"),
}


@pytest.mark.parametrize(("item", "field", "message"), BAD_METRICS.values(), ids=BAD_METRICS)
def test_a_bad_metric_is_told_by_index_and_field_and_the_good_ones_count(
    shared: Sidecar, item: Any, field: str, message: str
) -> None:
    before = shared.value("good_total", source="tests") or 0
    answer = shared.post([GOOD, item, GOOD])
    assert answer.status_code == 400
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (2, 1)
    (error,) = answer.json()["errors"]
    assert (error["index"], error["field"]) == (1, field)
    assert error["message"].startswith(message) or message in error["message"]
    assert shared.value("good_total", source="tests") == before + 2


BAD_EVENTS = {
    "severity": (event(severity="warn"), "severity", "unknown severity `warn`, did you mean `warning`?"),
    "severity in capitals": (event(severity="ERROR"), "severity", "did you mean `error`?"),
    "nonsense": (event(severity="x"), "severity", "known are debug, info, warning, error, critical"),
    "no type": (event(event_type=""), "event_type", "Expected `str` of length >= 1"),
    "future": (event(timestamp="2025-01-01T00:00:00Z"), "timestamp", "in the future"),
    "message": (event(message=["x"]), "message", "Expected `str`, got `array`"),
    "long message": (event(message="x" * 8193), "message", "Expected `str` of length <= 8192"),
    "metric": (metric(), "metric_type", "Object contains unknown field"),
}


@pytest.mark.parametrize(("item", "field", "message"), BAD_EVENTS.values(), ids=BAD_EVENTS)
def test_a_bad_event_is_told_by_index_and_field(
    shared: Sidecar, item: dict[str, Any], field: str, message: str
) -> None:
    answer = shared.post([event(), item], "/v1/events")
    assert answer.status_code == 400
    assert answer.json()["accepted"] == 1
    (error,) = answer.json()["errors"]
    assert (error["index"], error["field"]) == (1, field)
    assert message in error["message"]


MALFORMED = {
    "NaN": (written(value="NaN"), "value", "NaN and Infinity are no JSON numbers"),
    "Infinity": (written(value="-Infinity"), "value", "NaN and Infinity are no JSON numbers"),
    "NaN deep inside": (written(metadata='{"a":[NaN]}'), "", "JSON is malformed: invalid character (byte"),
    "too large a float": (written(value="1e999"), "value", "Number out of range"),
    "huge integer": (written(value="9" * 5000), "value", "Number out of range"),
    "huge integer inside": (
        written(metadata='{"a":' + "9" * 5000 + "}"),
        "metadata",
        "Integer value out of range",
    ),
    "lone surrogate": (written(source='"\\ud800"'), "", "surrogate"),
    "invalid UTF-8": (written(source='"@"').replace(b"@", b"\xff"), "", "invalid UTF-8"),
}


@pytest.mark.parametrize("form", ["array", "lines"])
@pytest.mark.parametrize(("item", "field", "message"), MALFORMED.values(), ids=MALFORMED)
def test_an_item_that_is_no_json_costs_no_other_item(
    shared: Sidecar, form: str, item: bytes, field: str, message: str
) -> None:
    good = json.dumps(GOOD).encode()
    if form == "array":
        answer = shared.post(b"[" + b" ,\n".join((good, item, good)) + b"]")
    else:
        answer = shared.post(b"\n".join((good, item, good)), media="application/x-ndjson")
    assert answer.status_code == 400
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (2, 1)
    (error,) = answer.json()["errors"]
    assert (error["index"], error["field"]) == (1, field)
    assert message in error["message"]


@pytest.mark.parametrize(("item", "field", "message"), MALFORMED.values(), ids=MALFORMED)
def test_the_same_alone(shared: Sidecar, item: bytes, field: str, message: str) -> None:
    answer = shared.post(item)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["index"], error["field"]) == (0, field)
    assert message in error["message"]


BAD_BODIES = {
    "empty": (b"", "JSON is malformed: expecting value (character 0)"),
    "cut": (b'[{"timestamp":', "JSON is malformed: expecting value (character 14)"),
    "cut string": (b'[{"timestamp', "JSON is malformed: unterminated string starting at (character 2)"),
    "no comma": (b"[{} {}]", "JSON is malformed: `,` or `]` is wanted (character 4)"),
    "more": (b"[] x", "JSON is malformed: more text after its end"),
    "more after an object": (b"{} {}", "JSON is malformed: more text after its end"),
    "comma at the end": (b"[{},]", "JSON is malformed: expecting value (character 4)"),
    "UTF-16": ("[]".encode("utf-16"), "JSON is malformed: expecting value (character 0)"),
    "byte order mark": (b"\xef\xbb\xbf[]", "JSON is malformed: expecting value (character 0)"),
    "bytes": (bytes(range(256)), "JSON is malformed"),
    "deep": (b"[" * 10_000 + b"]" * 10_000, "JSON is nested too deep"),
    "deep and never closed": (b'{"a":' * 1_000_000, "JSON is nested too deep"),
}


@pytest.mark.parametrize(("body", "message"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_body_that_is_no_json_says_where(shared: Sidecar, body: bytes, message: str) -> None:
    answer = shared.post(body)
    assert answer.status_code == 400
    assert answer.json()["accepted"] == 0
    (error,) = answer.json()["errors"]
    assert (error["index"], error["field"]) == (None, "")
    assert error["message"].startswith(message)


def test_a_line_that_is_nested_too_deep_costs_no_other_line(shared: Sidecar) -> None:
    good, deep = json.dumps(GOOD).encode(), written(metadata='{"a":' + "[" * 10_000 + "]" * 10_000 + "}")
    answer = shared.post(b"\n".join((good, deep, good)), media="application/x-ndjson")
    assert (answer.json()["accepted"], answer.json()["errors"][0]["message"]) == (
        2,
        "JSON is nested too deep",
    )


def test_a_name_keeps_its_type(fresh: Sidecar) -> None:
    fresh.post(metric(metric_type="histogram"))
    answer = fresh.post([metric(metric_type="gauge"), metric(metric_type="histogram")])
    (error,) = answer.json()["errors"]
    assert (answer.json()["accepted"], error["index"], error["field"]) == (1, 0, "metric_type")
    assert "`thing` is a histogram already and cannot be a gauge too" in error["message"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (metric(metric_type="histogram"), metric(metric_name="thing_count")),
        (metric(metric_name="thing_count"), metric(metric_type="histogram")),
        (metric(metric_type="counter"), metric(metric_name="thing_total")),
        (metric(metric_type="counter"), metric(metric_name="thing_created")),
    ],
)
def test_names_that_would_expose_the_same_series_collide(
    fresh: Sidecar, first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert fresh.post(first).status_code == 202
    answer = fresh.post(second)
    assert answer.status_code == 400
    assert "belongs to the metric" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"media": None}, "there is no Content-Type"),
        ({"media": "text/plain"}, "Content-Type `text/plain` is not understood; send application/json"),
        ({"media": "application/x-www-form-urlencoded"}, "is not understood"),
        (
            {"media": "application/json; charset=latin-1"},
            "charset `latin-1` is not understood; JSON is UTF-8",
        ),
        ({"media": "\xff/\xfe"}, "is not understood"),
        ({"Content_Encoding": "br"}, "Content-Encoding `br` is not understood; send the body as it is"),
    ],
)
def test_what_is_not_understood_is_415(shared: Sidecar, headers: dict[str, Any], message: str) -> None:
    answer = shared.post(GOOD, **headers)
    assert answer.status_code == 415
    assert message in answer.json()["errors"][0]["message"]


def test_other_methods_are_405(shared: Sidecar) -> None:
    answer = requests.get(f"{shared.url}/v1/metrics", timeout=5)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_refusals_are_counted_by_reason(fresh: Sidecar) -> None:
    fresh.post([GOOD, metric(unit="x"), metric(value="1"), metric(value=1e200)])
    fresh.post([event(), event(severity="x")], "/v1/events")
    items, errors = "airis_sidecar_items_total", "airis_sidecar_item_errors_total"
    assert fresh.value(items, kind="metric", result="accepted") == 1
    assert fresh.value(items, kind="metric", result="rejected") == 3
    assert fresh.value(items, kind="event", result="rejected") == 1
    for reason in ("unit", "schema", "value"):
        assert fresh.value(errors, kind="metric", reason=reason) == 1

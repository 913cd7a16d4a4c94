"""Whatever is sent, the answer is 2xx or 4xx, its numbers add up, and what is exposed stays readable."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.sidecar.conftest import Sidecar, event, metric

SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
PATHS = st.sampled_from(["/v1/metrics", "/v1/events"])
MEDIA = st.sampled_from(["application/json", "application/x-ndjson"])

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
WORDS = st.text(max_size=30) | st.sampled_from(
    [
        "le",
        "__name__",
        "a_total",
        "x_bucket",
        "x",
        "x_sum",
        "x_count",
        "x_created",
        "up",
        "info",
        "Inf",
        "NaN",
    ]
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "timestamp": st.datetimes().map(lambda moment: moment.isoformat() + "Z")
    | st.sampled_from(["2024-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]),
    "source": WORDS,
    "metric_type": st.sampled_from(["histogram", "counter", "gauge", "quality", "Gauge"]) | WORDS,
    "metric_name": WORDS,
    "value": st.floats() | st.integers(),
    "unit": st.sampled_from(["ms", "s", "%", "{token}", "1", "/", "{}", "tokens/s", "s/s", "per", "a per s"])
    | WORDS,
    "tags": st.dictionaries(WORDS, WORDS, max_size=4),
    "event_type": WORDS,
    "severity": st.sampled_from(["info", "warn"]) | WORDS,
    "message": WORDS,
}


@st.composite
def nearly(draw: st.DrawFn) -> dict[str, Any]:
    """An item that was good before a few of its fields were changed."""
    item: dict[str, Any] = dict(draw(st.sampled_from([metric(), event()])))
    for name in draw(st.lists(st.sampled_from(sorted(item)), max_size=3)):
        item[name] = draw(FIELDS.get(name, ANYTHING) | ANYTHING)
    return item


def check(sidecar: Sidecar, body: bytes, path: str, media: str) -> dict[str, Any]:
    answer = sidecar.post(body, path, media)
    assert answer.status_code in (202, 400, 413), (answer.status_code, answer.text, body)
    said = answer.json()
    assert (answer.status_code == 202) == ("errors" not in said)
    if answer.status_code == 400 and said["errors"][0]["index"] is not None:
        assert said["rejected"] == len(said["errors"]) + said.get("errors_not_listed", 0)
    return dict(said)


@SETTINGS
@given(items=st.lists(nearly(), max_size=6), path=PATHS, media=MEDIA)
def test_items_that_are_nearly_good(shared: Sidecar, items: list[Any], path: str, media: str) -> None:
    texts = [json.dumps(item) for item in items]
    body = "\n".join(texts) if media == "application/x-ndjson" else f"[{','.join(texts)}]"
    said = check(shared, body.encode(), path, media)
    assert said["accepted"] + said["rejected"] == len(items)


@SETTINGS
@given(value=ANYTHING, path=PATHS, media=MEDIA)
def test_any_json(shared: Sidecar, value: Any, path: str, media: str) -> None:
    check(shared, json.dumps(value).encode(), path, media)


@SETTINGS
@given(body=st.binary(max_size=200), path=PATHS, media=MEDIA)
def test_any_bytes(shared: Sidecar, body: bytes, path: str, media: str) -> None:
    check(shared, body, path, media)


@SETTINGS
@given(cut=st.integers(0, 400), junk=st.binary(max_size=4), path=PATHS, media=MEDIA)
def test_good_items_with_a_hole(shared: Sidecar, cut: int, junk: bytes, path: str, media: str) -> None:
    good = json.dumps([metric(tags={"a": "b"}), event()]).encode()
    check(shared, good[:cut] + junk + good[cut + len(junk) :], path, media)


@pytest.fixture(autouse=True, scope="module")
def _readable_in_the_end(shared: Sidecar) -> Any:
    yield
    families = list(text_string_to_metric_families(shared.metrics("application/openmetrics-text")))  # type: ignore[no-untyped-call]
    assert len(families) > 10
    for code in ("500", "503"):
        for path in ("/v1/metrics", "/v1/events"):
            labels = {"handler": path, "method": "POST", "code": code}
            assert shared.value("airis_sidecar_http_requests_total", **labels) is None

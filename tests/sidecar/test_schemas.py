from __future__ import annotations

import json

import pytest

from tests.sidecar.conftest import Sidecar, StartSidecar, event, metric

METRIC = (
    '{"timestamp":"2024-01-01T00:00:00Z","source":"ai-model-v1.2","metric_type":"performance",'
    '"metric_name":"inference_time","value":125.3,"unit":"milliseconds","tags":{"environment":"production",'
    '"region":"us-west-2","model_version":"1.2.0"},"metadata":{"input_size":1024,"batch_size":32}}'
)
EVENT = (
    '{"id":"evt_123456789","timestamp":"2024-01-01T00:00:00Z","event_type":"model_deploy","severity":"info",'
    '"source":"deployment-service","message":"Model v1.2 deployed successfully","attributes":{"model_id":'
    '"model-123","version":"1.2.0","environment":"production"},"trace_id":"trace_abc123"}'
)
LABELS = {
    "source": "ai-model-v1.2",
    "environment": "production",
    "region": "us-west-2",
    "model_version": "1.2.0",
}
COUNTED = {"event_type": "model_deploy", "severity": "info", "source": "deployment-service"}


def test_the_metric_schema_is_accepted_as_it_stands(fresh: Sidecar) -> None:
    answer = fresh.post(METRIC.encode())
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": 0})
    assert fresh.value("inference_time_seconds_sum", **LABELS) == 0.1253
    assert fresh.value("inference_time_seconds_bucket", le="0.08", **LABELS) == 0
    assert fresh.value("inference_time_seconds_bucket", le="0.16", **LABELS) == 1
    assert fresh.value("inference_time_seconds_bucket", le="+Inf", **LABELS) == 1


def test_the_event_schema_is_accepted_as_it_stands(fresh: Sidecar) -> None:
    answer = fresh.post(EVENT.encode(), "/v1/events")
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": 0})
    assert fresh.value("airis_events_total", **COUNTED) == 1


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/events"])
@pytest.mark.parametrize("form", ["array", "ndjson"])
def test_many_items_come_as_an_array_or_a_line_each(start: StartSidecar, path: str, form: str) -> None:
    fresh = start()
    item = METRIC if path == "/v1/metrics" else EVENT
    if form == "array":
        answer = fresh.post(f" [{item}, {item},\n{item}] ".encode(), path)
    else:
        answer = fresh.post(
            f"{item}\n\n{item}\r\n{item}".encode(), path, "application/x-ndjson; charset=UTF-8"
        )
    assert (answer.status_code, answer.json()) == (202, {"accepted": 3, "rejected": 0})
    name, labels = (
        ("inference_time_seconds_count", LABELS) if path == "/v1/metrics" else ("airis_events_total", COUNTED)
    )
    assert fresh.value(name, **labels) == 3


@pytest.mark.parametrize(("body", "media"), [(b"[]", "application/json"), (b"", "application/x-ndjson")])
def test_no_items_are_fine(shared: Sidecar, body: bytes, media: str) -> None:
    answer = shared.post(body, media=media)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 0, "rejected": 0})


def test_what_is_not_about_labels_may_be_left_out(fresh: Sidecar) -> None:
    item = metric(metric_type="counter", metric_name="runs")
    del item["unit"], item["tags"]
    assert fresh.post(item).status_code == 202
    assert fresh.post(event(), "/v1/events").status_code == 202
    assert fresh.value("runs_total", source="tests") == 1


def test_a_key_given_twice_counts_with_its_last_value(fresh: Sidecar) -> None:
    body = json.dumps(metric(value=1))[:-1] + ',"value":2}'
    assert fresh.post(body.encode()).status_code == 202
    assert fresh.value("thing", source="tests") == 2

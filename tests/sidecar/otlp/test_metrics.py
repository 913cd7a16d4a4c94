"""What the data points of OTLP come to."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

from tests.sidecar.conftest import NOW, Sidecar
from tests.sidecar.otlp.messages import (
    AT,
    PROTOBUF,
    attributes,
    counter,
    distribution,
    exponential,
    export,
    gauge,
    histogram,
    number,
    packed,
)

LATER = str(int((NOW - 30) * 1e9))
SUM = 0.75


@pytest.fixture(params=["json", "protobuf"])
def send(request: pytest.FixtureRequest, fresh: Sidecar) -> Any:
    """Send a request in one of the encodings; returns (rejected, reason)."""

    def post(body: dict[str, Any], path: str = "/v1/metrics", **headers: str) -> tuple[int, str]:
        if request.param == "json":
            answer = fresh.post(body, path, **headers)
            partial = answer.json().get("partialSuccess", {})
            said = int(partial.get("rejectedDataPoints", 0)), partial.get("errorMessage", "")
        else:
            answer = fresh.post(packed(body), path, PROTOBUF, **headers)
            success = ExportMetricsServiceResponse.FromString(answer.content).partial_success
            said = success.rejected_data_points, success.error_message
        assert answer.status_code == 200, answer.text
        return said

    return post


def bucket(sidecar: Sidecar, name: str, le: str, **labels: str) -> float | None:
    return sidecar.value(f"{name}_bucket", le=le, source="shop", **labels)


def test_a_cumulative_sum_is_a_counter_that_counts_once_however_often_it_is_sent(
    send: Any, fresh: Sidecar
) -> None:
    body = export(counter("gen_ai.client.inference.usage.input_tokens", number(374), unit="{token}"))
    for path in ("/v1/metrics", "/otlp/v1/metrics", "/v1/metrics"):
        assert send(body, path) == (0, "")
    assert fresh.value("gen_ai_client_inference_usage_input_tokens_total", source="shop") == 374


def test_a_restarted_sender_begins_at_its_new_start_and_what_is_older_changes_nothing(
    send: Any, fresh: Sidecar
) -> None:
    send(export(counter("calls", number(50))))
    send(export(counter("calls", number(2, at=LATER))))
    send(export(counter("calls", number(51))))
    assert fresh.value("calls_total", source="shop") == 2


def test_deltas_add_up_and_a_numbered_batch_counts_once(send: Any, fresh: Sidecar) -> None:
    body = export(
        counter("calls", number(3), delta=True),
        distribution("took", histogram([0.1, 1.0], [1, 2, 0], SUM), delta=True),
    )
    for key in ("first", "second", "second"):
        send(body, Idempotency_Key=key)
    assert fresh.value("calls_total", source="shop") == 6
    assert bucket(fresh, "took_seconds", "0.1") == 2
    assert bucket(fresh, "took_seconds", "1.0") == 6
    assert fresh.value("took_seconds_sum", source="shop") == 2 * SUM


def test_a_cumulative_histogram_keeps_its_own_boundaries(send: Any, fresh: Sidecar) -> None:
    send(export(distribution("took", histogram([0.3, 3.0], [1, 2, 4], 20.0))))
    assert [bucket(fresh, "took_seconds", le) for le in ("0.3", "3.0", "+Inf")] == [1, 3, 7]
    rejected, reason = send(export(distribution("took", histogram([0.5, 3.0], [1, 2, 4], 20.0))))
    assert rejected == 1
    assert "keeps them" in reason


def test_two_applications_may_have_boundaries_of_their_own(send: Any, fresh: Sidecar) -> None:
    send(export(distribution("took", histogram([0.3, 3.0], [1, 2, 4], 20.0))))
    for _ in range(2):
        other = export(distribution("took", histogram([0.5], [5, 6], 30.0), delta=True), service_name="other")
        assert send(other) == (0, "")
    text = [line for line in fresh.metrics().splitlines() if line.startswith("took_seconds")]
    assert text == [
        'took_seconds_bucket{le="0.3",source="shop"} 1.0',
        'took_seconds_bucket{le="3.0",source="shop"} 3.0',
        'took_seconds_bucket{le="+Inf",source="shop"} 7.0',
        'took_seconds_count{source="shop"} 7.0',
        'took_seconds_sum{source="shop"} 20.0',
        'took_seconds_bucket{le="0.5",source="other"} 10.0',
        'took_seconds_bucket{le="+Inf",source="other"} 22.0',
        'took_seconds_count{source="other"} 22.0',
        'took_seconds_sum{source="other"} 60.0',
    ]


def test_an_exponential_histogram_is_exact_at_powers_of_two(send: Any, fresh: Sidecar) -> None:
    # Scale 1: buckets end at 2^(1/2), 2, 2^(3/2), 4 for offset 0.
    point = {
        "timeUnixNano": AT,
        "count": "12",
        "sum": 30.0,
        "scale": 1,
        "zeroCount": "2",
        "positive": {"offset": -1, "bucketCounts": ["1", "2", "3", "4"]},
    }
    assert send(export(exponential("took", point))) == (0, "")
    found = [bucket(fresh, "took_seconds", le) for le in ("0.0009765625", "0.5", "1.0", "2.0", "4.0", "+Inf")]
    assert found == [2, 2, 3, 8, 12, 12]
    assert fresh.value("took_seconds_count", source="shop") == 12


def test_an_exponential_histogram_wider_than_powers_of_two_is_refused(send: Any, fresh: Sidecar) -> None:
    point = {"timeUnixNano": AT, "count": "1", "sum": 3.0, "scale": -1, "positive": {"bucketCounts": ["1"]}}
    rejected, reason = send(export(exponential("took", point), gauge("x", number(1))))
    assert rejected == 1
    assert "took.scale: 0 to 20 are taken, not -1" in reason
    assert fresh.value("x", source="shop") == 1


def test_replicas_never_overwrite_each_other(send: Any, fresh: Sidecar) -> None:
    for value, resource in enumerate(
        [{"service_instance_id": "a"}, {"service_instance_id": "b"}, {"host_name": "c"}, {"host_name": "d"}]
    ):
        send(export(counter("calls", number(value + 1)), **resource))
    values = [
        sample.value
        for metric in fresh.counted.collect()
        for sample in metric.samples
        if sample.name == "calls_total"
    ]
    assert sorted(values) == [1, 2, 3, 4]
    assert fresh.value("calls_total", source="shop", service_instance_id="b") == 2


def test_two_instrumentations_in_one_process_do_not_either(send: Any, fresh: Sidecar) -> None:
    for value, scope in enumerate(("one", "two")):
        send(export(counter("calls", number(value + 1)), scope=scope))
    assert fresh.value("calls_total", source="shop", otel_scope_name="one") == 1
    assert fresh.value("calls_total", source="shop", otel_scope_name="two") == 2


def test_attributes_of_every_shape_become_labels(send: Any, fresh: Sidecar) -> None:
    point = {
        "timeUnixNano": AT,
        "asInt": "-5",
        "attributes": [
            {"key": "flag", "value": {"boolValue": True}},
            {"key": "whole", "value": {"intValue": "9007199254740993"}},
            {"key": "half", "value": {"doubleValue": 0.5}},
            {"key": "raw", "value": {"bytesValue": "AQI="}},
            {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}}},
            {
                "key": "map",
                "value": {"kvlistValue": {"values": [{"key": "k", "value": {"arrayValue": {"values": []}}}]}},
            },
            {"key": "empty", "value": {"stringValue": ""}},
            {"key": "nothing", "value": {}},
            {"key": "a.b", "value": {"stringValue": "1"}},
            {"key": "a_b", "value": {"stringValue": "2"}},
            {"key": "source", "value": {"stringValue": "x"}},
            {"key": "le", "value": {"stringValue": "x"}},
            {"key": "__name__", "value": {"stringValue": "x"}},
            {"key": "2nd", "value": {"stringValue": "x"}},
        ],
    }
    assert send(export(gauge("thing", point))) == (0, "")
    labels = {
        "flag": "true",
        "whole": "9007199254740993",
        "half": "0.5",
        "raw": "AQI=",
        "list": '["a",1]',
        "map": '{"k":[]}',
        "a_b": "1;2",
        "source": "shop",
        "tag_source": "x",
        "tag_le": "x",
        "key_name_": "x",
        "key_2nd": "x",
    }
    assert fresh.value("thing", **labels) == -5


@pytest.mark.parametrize(
    ("name", "unit", "kind", "exposed"),
    [
        ("gen_ai.client.operation.duration", "s", "gauge", "gen_ai_client_operation_duration_seconds"),
        ("http.server.duration", "ms", "gauge", "http_server_duration_milliseconds"),
        ("cpu.utilization", "1", "gauge", "cpu_utilization_ratio"),
        ("requests.total", "1", "counter", "requests_total"),
        ("total.requests", "{request}", "counter", "requests_total"),
        ("disk.speed", "By/s", "gauge", "disk_speed_bytes_per_second"),
        ("memory.bytes.used", "By", "gauge", "memory_bytes_used"),
        ("gen_ai.usage.cost", "USD", "counter", "gen_ai_usage_cost_USD_total"),
        ("2xx", "", "counter", "_2xx_total"),
        ("a..b--c", "", "gauge", "a_b_c"),
        ("flow", "{packet}/s", "gauge", "flow_per_second"),
        ("vllm:running", "", "gauge", "vllm:running"),
    ],
)
def test_names_are_those_of_prometheus_own_receiver(
    fresh: Sidecar, name: str, unit: str, kind: str, exposed: str
) -> None:
    metric = (gauge if kind == "gauge" else counter)(name, number(7), unit=unit)
    assert fresh.post(export(metric)).json() == {}
    assert fresh.value(exposed, source="shop") == 7


def test_a_point_without_a_recorded_value_ends_its_series(send: Any, fresh: Sidecar) -> None:
    send(export(gauge("x", number(1))))
    assert send(export(gauge("x", {"timeUnixNano": AT, "flags": 1}))) == (0, "")
    assert fresh.value("x", source="shop") is None


def test_exemplars_lead_to_the_trace(fresh: Sidecar) -> None:
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    point = histogram([0.1, 1.0], [0, 1, 0], 0.5)
    point["exemplars"] = [{"timeUnixNano": AT, "asDouble": 0.5, "traceId": trace, "spanId": span}]
    assert fresh.post(export(distribution("took", point))).json() == {}
    text = fresh.metrics("application/openmetrics-text")
    assert f'# {{span_id="{span}",trace_id="{trace}"}} 0.5' in text


REFUSED = {
    "a counter takes 0 or more": counter("x", number(-1)),
    "finite number, got nan": counter("x", number("NaN")),
    "finite number, got inf": counter("x", number("Infinity")),
    "a delta is at most": counter("x", number(1e17), delta=True),
    "1 (delta) or 2 (cumulative) is wanted, not 0": {
        "name": "x",
        "sum": {"dataPoints": [number(1)], "isMonotonic": True},
    },
    "no known start": {"name": "x", "sum": {"dataPoints": [number(1)], "aggregationTemporality": 1}},
    "quantiles do not add up": {"name": "x", "summary": {"dataPoints": [{"timeUnixNano": AT}]}},
    "2 boundaries make 3 buckets, not 2": distribution("x", histogram([1.0, 2.0], [1, 1], 1.0)),
    "each more than the one before": distribution("x", histogram([2.0, 1.0], [1, 1, 1], 1.0)),
    "0 to 1e+100 are taken, got nan": distribution("x", histogram([1.0], [1, 1], "NaN")),  # type: ignore[arg-type]
    "the buckets hold 2": distribution("x", histogram([1.0], [1, 1], 1.0) | {"count": "3"}),
    "histograms have one": distribution(
        "x", {key: value for key, value in histogram([1.0], [1, 1], 1.0).items() if key != "sum"}
    ),
    "257 of them": distribution("x", histogram([float(n) for n in range(257)], [0] * 258, 1.0)),
    "send when the value was measured": gauge("x", number(1, at="0")),
    "check the sender's clock": gauge("x", number(1, at=str(int((NOW + 3600) * 1e9)))),
    "leaves no name": gauge("...", number(1)),
    "a series of this process itself": counter("process.cpu.seconds", number(1)),
    "x.value: there is none": gauge("x", {"timeUnixNano": AT}),
    "more than 128 attributes": gauge(
        "x", number(1) | {"attributes": attributes(**{f"a{n}": "x" for n in range(129)})}
    ),
    "at most 4096 are taken": gauge("x", number(1, long="x" * 5000)),
    "leaves no label name": gauge("x", number(1) | {"attributes": attributes(**{"..": "x"})}),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_has_no_exact_form_is_refused_and_the_rest_counts(
    send: Any, fresh: Sidecar, reason: str
) -> None:
    rejected, said = send(export(REFUSED[reason], gauge("good", number(1))))
    assert rejected == 1
    assert reason in said
    assert fresh.value("good", source="shop") == 1
    assert fresh.value("airis_sidecar_items_total", kind="otlp_data_point", result="rejected") == 1
    assert fresh.value("airis_sidecar_items_total", kind="otlp_data_point", result="accepted") == 1


def test_gauges_may_be_nan_and_infinite(send: Any, fresh: Sidecar) -> None:
    assert send(export(gauge("up.side", number("Infinity")), gauge("nothing", number("NaN")))) == (0, "")
    assert fresh.value("up_side", source="shop") == float("inf")
    assert "nothing{" in fresh.metrics()
    assert fresh.metrics().rpartition("nothing{")[2].split("\n")[0].endswith(" NaN")


def test_own_items_that_only_speak_of_otlp_stay_own_items(fresh: Sidecar) -> None:
    item = {
        "timestamp": "2024-01-01T00:00:00Z",
        "source": "tests",
        "metric_type": "gauge",
        "metric_name": "own",
        "value": 1,
        "metadata": {"resourceMetrics": []},
    }
    assert fresh.post(item).json() == {"accepted": 1, "rejected": 0}


def test_a_large_batch_is_taken_apart_beside_the_others(send: Any, fresh: Sidecar) -> None:
    points = [number(1, n=str(count)) for count in range(2000)]
    assert send(export(gauge("many", *points, {"timeUnixNano": AT}))) == (
        1,
        "many.value: there is none; send asDouble or asInt",
    )
    assert fresh.value("airis_sidecar_items_total", kind="otlp_data_point", result="accepted") == 2000

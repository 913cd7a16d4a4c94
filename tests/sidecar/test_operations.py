"""Operations of models over HTTP: the series that the SDK itself would expose, and what is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from airis_mon.exporters import series
from airis_mon.instrument import Instruments, Operation
from airis_mon.instrument.sender import _line
from airis_mon.sidecar.limits import Limits
from tests.sidecar.conftest import NOW, Sidecar, StartSidecar

COMMON = {
    "source": "tests",
    "gen_ai_operation_name": "chat",
    "gen_ai_provider_name": "openai",
    "gen_ai_request_model": "gpt",
}


def operation(**changes: Any) -> dict[str, Any]:
    item = {
        "timestamp": "2024-01-01T00:00:00Z",
        "source": "tests",
        "provider": "openai",
        "model": "gpt",
        "duration": 1.25,
    }
    return {**item, **changes}


def test_one_item_is_a_whole_operation(fresh: Sidecar) -> None:
    item = operation(
        time_to_first_chunk=0.2,
        time_per_output_chunk=0.01,
        input_tokens=1000,
        output_tokens=200,
        cache_read_tokens=640,
        trace_id="a" * 32,
    )
    answer = fresh.post(item, "/v1/operations")
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": 0})
    assert fresh.value(f"{series.GEN_AI_OPERATION_DURATION}_sum", **COMMON) == 1.25
    assert fresh.value(f"{series.GEN_AI_TIME_TO_FIRST_CHUNK}_count", **COMMON) == 1
    text = {**COMMON, "gen_ai_token_modality": "text"}
    assert fresh.value(series.GEN_AI_INPUT_TOKENS, **text) == 1000
    assert fresh.value(series.GEN_AI_CACHE_READ_TOKENS, **text) == 640
    assert fresh.value(series.GEN_AI_REASONING_TOKENS, **text) is None
    assert fresh.value(series.SIDECAR_ITEMS, kind="operation", result="accepted") == 1
    exposed = fresh.metrics("application/openmetrics-text")
    assert f'# {{trace_id="{"a" * 32}"}} 1.25 1704067200.0' in exposed
    list(text_string_to_metric_families(exposed))  # type: ignore[no-untyped-call]


def test_a_prediction_is_an_operation_as_well(fresh: Sidecar) -> None:
    item = operation(operation="predict", model="digits", version="2", confidence=[0.9, 0.5])
    del item["provider"]
    assert fresh.post([item, {**item, "error_type": "timeout"}], "/v1/operations").status_code == 202
    labels = {"source": "tests", "model": "digits", "model_version": "2"}
    assert fresh.value(series.PREDICTIONS, outcome="ok", **labels) == 1
    assert fresh.value(series.PREDICTIONS, outcome="timeout", **labels) == 1
    assert fresh.value(f"{series.PREDICTION_CONFIDENCE}_count", **labels) == 4


BAD = {
    "a negative duration": ({"duration": -1}, "duration", "Expected `float` >= 0.0"),
    "a boolean": ({"input_tokens": True}, "input_tokens", "Expected `int | null`, got `bool`"),
    "negative tokens": ({"input_tokens": -1}, "input_tokens", "Expected `int` >= 0"),
    "half a token": ({"output_tokens": 1.5}, "output_tokens", "Expected `int | null`, got `float`"),
    "no provider": ({"provider": ""}, "provider", "wanted for `chat`: OpenTelemetry's word"),
    "confidence of a chat": ({"confidence": [0.5]}, "confidence", "belongs to the operation `predict` alone"),
    "version of a chat": ({"version": "1"}, "version", "belongs to the operation `predict` alone"),
    "tokens of a prediction": (
        {"operation": "predict", "input_tokens": 1},
        "input_tokens",
        "means nothing for the operation `predict`",
    ),
    "cached tokens of a prediction": (
        {"operation": "predict", "cache_read_tokens": 0},
        "cache_read_tokens",
        "means nothing for the operation `predict`",
    ),
    "too sure": ({"operation": "predict", "confidence": [1.5]}, "confidence[0]", "Expected `float` <= 1.0"),
    "a trace in capitals": ({"trace_id": "A" * 32}, "trace_id", "matching regex"),
    "unknown field": ({"latency": 1}, "latency", "Object contains unknown field `latency`"),
    "the future": ({"timestamp": "2024-01-02T00:00:00Z"}, "timestamp", "in the future"),
    "a long model": ({"model": "m" * 201}, "model", "Expected `str` of length <= 200"),
}


@pytest.mark.parametrize(("changes", "field", "message"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_told_and_costs_the_good_ones_nothing(
    shared: Sidecar, changes: dict[str, Any], field: str, message: str
) -> None:
    before = shared.value(f"{series.GEN_AI_OPERATION_DURATION}_count", **COMMON) or 0
    answer = shared.post([operation(), operation(**changes), operation()], "/v1/operations")
    assert answer.status_code == 400, answer.text
    content = answer.json()
    assert (content["accepted"], content["rejected"]) == (2, 1)
    assert (content["errors"][0]["index"], content["errors"][0]["field"]) == (1, field)
    assert message in content["errors"][0]["message"]
    assert shared.value(f"{series.GEN_AI_OPERATION_DURATION}_count", **COMMON) == before + 2


def test_an_operation_that_has_no_room_is_not_half_counted(start: StartSidecar) -> None:
    sidecar = start(limits=Limits(series=4))
    answer = sidecar.post(operation(input_tokens=1, output_tokens=1), "/v1/operations")
    assert answer.status_code == 400
    assert "label sets are kept already" in answer.json()["errors"][0]["message"]
    assert "gen_ai_client" not in sidecar.metrics()


word = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8)
tokens = st.none() | st.integers(0, 10**6)
seconds = st.floats(0, 1e6)
called = st.builds(
    Operation,
    timestamp=st.just(NOW),
    operation=st.sampled_from(["chat", "embeddings"]),
    provider=st.sampled_from(["openai", "anthropic"]),
    model=word,
    version=st.just(""),
    response_model=st.just("") | word,
    duration=seconds,
    time_to_first_chunk=st.none() | seconds,
    time_per_output_chunk=st.none() | seconds,
    input_tokens=tokens,
    output_tokens=tokens,
    cache_read_tokens=tokens,
    cache_write_tokens=tokens,
    reasoning_tokens=tokens,
    error_type=st.sampled_from(["", "Timeout"]),
    confidence=st.just(()),
    trace_id=st.just(""),
)


def exposed(metrics: list[Metric]) -> dict[tuple[str, frozenset[tuple[str, str]]], object]:
    """Return every value that is not zero, by name and labels other than the source and empty ones."""
    return {
        (
            sample.name,
            frozenset((k, v) for k, v in sample.labels.items() if v and k != series.SOURCE),
        ): pytest.approx(sample.value)
        for metric in metrics
        for sample in metric.samples
        if metric.name.startswith(("gen_ai_", "airis_prediction")) and sample.value
    }


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(called, max_size=8))
def test_what_is_sent_is_exposed_as_the_sdk_exposes_it(
    start: StartSidecar, operations: list[Operation]
) -> None:
    registry = CollectorRegistry()
    instruments = Instruments(registry=registry)
    for each in operations:
        llm = instruments.llm(model=each.model, provider=each.provider, operation=each.operation)
        llm.record(
            each.duration,
            each.input_tokens,
            each.output_tokens,
            each.cache_read_tokens,
            each.cache_write_tokens,
            each.reasoning_tokens,
            each.time_to_first_chunk,
            each.time_per_output_chunk,
            each.error_type or None,
            each.response_model,
        )
    sidecar = start()
    body = "\n".join(_line(each, "tests") for each in operations).encode()
    assert sidecar.post(body, "/v1/operations", "application/x-ndjson").status_code == 202
    assert exposed(list(sidecar.counted.collect())) == exposed(list(registry.collect()))


class Told:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def offer(self, operation: Operation) -> None:
        # The sidecar of these tests has a clock of its own, to which the present is the far future.
        self.operations.append(operation._replace(timestamp=NOW))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(word, st.just("") | word, st.none() | st.floats(0, 1), st.booleans()), max_size=8))
def test_predictions_that_are_sent_are_exposed_as_the_sdk_exposes_them(
    start: StartSidecar, predictions: list[tuple[str, str, float | None, bool]]
) -> None:
    registry, told = CollectorRegistry(), Told()
    instruments = Instruments(registry=registry, sink=told)
    for model, version, confidence, fails in predictions:
        with (
            suppress(TimeoutError),
            instruments.predictor(model=model, version=version).call() as call,
        ):
            if confidence is not None:
                call.confidence(confidence)
            if fails:
                raise TimeoutError
    assert len(told.operations) == len(predictions)
    sidecar = start()
    body = "\n".join(_line(each, "tests") for each in told.operations).encode()
    assert sidecar.post(body, "/v1/operations", "application/x-ndjson").status_code == 202
    assert exposed(list(sidecar.counted.collect())) == exposed(list(registry.collect()))


def test_the_wire_names_its_time_with_a_zone() -> None:
    given_at = Operation(NOW, "chat", "p", "m", "", "", 1.0, *(None,) * 7, "", (), "")
    item = json.loads(_line(given_at, "tests"))
    assert datetime.fromisoformat(item["timestamp"]) == datetime.fromtimestamp(NOW, UTC)
    assert set(item) == {"timestamp", "source", "operation", "provider", "model", "duration"}

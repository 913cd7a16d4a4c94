from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from airis_mon.demo.digits import Classifier, drifted

StartService = Callable[[str], str]


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def samples(http: requests.Session, url: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = http.get(f"{url}/metrics").text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(http: requests.Session, url: str, name: str, **labels: str) -> float:
    wanted = set(labels.items())
    found = samples(http, url)
    return sum(value for (sample, pairs), value in found.items() if sample == name and wanted <= pairs)


def prompt(tokens: int, most: int) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "why " * tokens}], "max_tokens": most}


def test_llm_streams_as_many_tokens_as_asked_and_counts_them(
    service: StartService, http: requests.Session
) -> None:
    url = service("llm_service")
    with http.post(f"{url}/v1/chat/completions", json=prompt(100, 5), stream=True) as answer:
        events = [line for line in answer.iter_lines() if line]
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert len(events) == 6
    assert events[-1] == b"data: [DONE]"
    assert total(http, url, "gen_ai_client_inference_usage_input_tokens_total") == 100
    assert total(http, url, "gen_ai_client_inference_usage_output_tokens_total") == 5
    assert total(http, url, "gen_ai_client_operation_duration_seconds_count", error_type="") == 1
    first = total(http, url, "gen_ai_client_operation_time_to_first_chunk_seconds_sum")
    assert 0.1 < first < 1
    per_token = "gen_ai_client_operation_time_per_output_chunk_seconds"
    assert total(http, url, f"{per_token}_count") == 1


def test_llm_fault_slows_and_refuses_until_repaired(service: StartService, http: requests.Session) -> None:
    url = service("llm_service")
    assert http.post(f"{url}/-/fault", json={"latency_factor": 4}).ok
    http.post(f"{url}/v1/chat/completions", json=prompt(1, 1))
    assert total(http, url, "gen_ai_client_operation_time_to_first_chunk_seconds_sum") > 0.4
    assert http.post(f"{url}/-/fault", json={"error_share": 1}).ok
    assert http.post(f"{url}/v1/chat/completions", json=prompt(1, 1)).status_code == 503
    duration = "gen_ai_client_operation_duration_seconds_count"
    assert total(http, url, duration, error_type="overloaded") == 1
    assert http.post(f"{url}/-/fault", json={}).ok
    assert http.post(f"{url}/v1/chat/completions", json=prompt(1, 1)).ok


def test_llm_names_what_is_wrong_with_a_fault_or_a_prompt(
    service: StartService, http: requests.Session
) -> None:
    url = service("llm_service")
    for fault, message in (
        ('{"latency": 4}', "expected an object with any of latency_factor, error_share"),
        ('{"latency_factor": 0}', "latency_factor has to be a number from 0.1 to 100"),
        ('{"error_share": true}', "latency_factor and error_share are numbers"),
        ("[", "no JSON"),
    ):
        answer = http.post(f"{url}/-/fault", data=fault)
        assert answer.status_code == 400
        assert message in answer.text
    for body, message in (
        ("[", "Expecting value"),
        ("[]", 'expected {"messages": '),
        ('{"messages": []}', "messages are objects with a `content`"),
        ('{"messages": [{"content": 1}]}', "messages are objects with a `content`"),
        ('{"messages": [{"content": "a"}], "max_tokens": 0}', "max_tokens is a whole number from 1 to 4096"),
    ):
        answer = http.post(f"{url}/v1/chat/completions", data=body)
        assert answer.status_code == 400
        assert message in answer.json()["error"]["message"]
    assert total(http, url, "gen_ai_client_operation_duration_seconds_count") == 0


def test_classifier_reads_digits_and_doubts_drifted_ones(
    service: StartService, http: requests.Session
) -> None:
    url = service("classifier_service")
    images = Classifier(1).held_out

    def confidence(image: Any) -> float:
        answer = http.post(f"{url}/predict", json={"pixels": image.tolist()}).json()
        assert 0 <= answer["digit"] <= 9
        return float(answer["confidence"])

    clear = [confidence(image) for image in images[:40]]
    dark = [confidence(image) for image in drifted(images[:40], 1)]
    assert sum(clear) / 40 > 0.85
    assert sum(dark) / 40 < 0.7
    assert total(http, url, "airis_predictions_total", outcome="ok") == 80
    assert total(http, url, "airis_prediction_confidence_sum") == pytest.approx(sum(clear) + sum(dark))


def test_classifier_counts_what_is_no_image_as_failed(service: StartService, http: requests.Session) -> None:
    url = service("classifier_service")
    for body in ("{", "[]", '{"pixels": [1]}', '{"pixels": ["a"]}', '{"pixels": [17' + ",0" * 63 + "]}"):
        assert http.post(f"{url}/predict", data=body).status_code == 400
    assert total(http, url, "airis_predictions_total", outcome="invalid_input") == 5
    assert total(http, url, "airis_predictions_total", outcome="ok") == 0

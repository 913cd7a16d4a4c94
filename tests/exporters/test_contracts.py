from __future__ import annotations

import math

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.exporters import series
from airis_mon.exporters.contracts import CONTRACTS, Contract, UnknownSignalError, matchers

EVERY_SIGNAL = [(contract, signal) for contract in CONTRACTS.values() for signal in contract.signals()]


@pytest.mark.parametrize(
    ("contract", "signal"), EVERY_SIGNAL, ids=lambda value: getattr(value, "name", value)
)
@pytest.mark.parametrize("by", [(), ("pod", "zone")], ids=["one series", "per pod and zone"])
def test_every_signal_is_promql_with_a_unit(contract: Contract, signal: str, by: tuple[str, ...]) -> None:
    expression = contract.expression(signal, {"job": "chat"}, 300, by)
    promql_parser.parse(expression)
    assert 'job="chat"' in expression
    assert all(label in expression for label in by)
    assert contract.unit(signal)


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
@pytest.mark.parametrize(
    "signal", ["", "no_such", "time_to_first_token", "request_duration_p42", "kv_cache_usage_rate", "_rate"]
)
def test_a_signal_that_a_contract_lacks_is_refused(contract: Contract, signal: str) -> None:
    with pytest.raises(UnknownSignalError):
        contract.expression(signal, {"job": "chat"}, 300)
    with pytest.raises(UnknownSignalError):
        contract.unit(signal)


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
def test_boundaries_ascend_and_leave_infinity_to_prometheus(contract: Contract) -> None:
    for distribution in contract.distributions.values():
        assert list(distribution.buckets) == sorted(set(distribution.buckets))
        assert all(math.isfinite(boundary) for boundary in distribution.buckets)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(max_size=20), max_size=3))
def test_label_values_of_any_text_stay_values(selector: dict[str, str]) -> None:
    selector = {name: value for name, value in selector.items() if "\x00" not in value and name != "__name__"}
    parsed = promql_parser.parse("up" + matchers(selector))
    assert isinstance(parsed, promql_parser.VectorSelector)
    read = {matcher.name: matcher.value for matcher in parsed.matchers.matchers}
    assert read == selector


# https://github.com/open-telemetry/semantic-conventions-genai, gen-ai-metrics.md and gen-ai-token-metrics.md,
# after Prometheus' default translation.
@pytest.mark.parametrize(
    ("name", "convention"),
    [
        (series.GEN_AI_OPERATION_DURATION, "gen_ai_client_operation_duration_seconds"),
        (series.GEN_AI_TIME_TO_FIRST_CHUNK, "gen_ai_client_operation_time_to_first_chunk_seconds"),
        (series.GEN_AI_INPUT_TOKENS, "gen_ai_client_inference_usage_input_tokens_total"),
        (series.GEN_AI_OUTPUT_TOKENS, "gen_ai_client_inference_usage_output_tokens_total"),
    ],
)
def test_names_follow_the_opentelemetry_conventions(name: str, convention: str) -> None:
    assert name == convention


def test_boundaries_follow_the_opentelemetry_conventions() -> None:
    assert series.GEN_AI_DURATION_BUCKETS == pytest.approx([0.01 * 2**power for power in range(14)])
    assert series.GEN_AI_TOKEN_BUCKETS == tuple(4**power for power in range(14))

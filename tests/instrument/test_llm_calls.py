from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from airis_mon.exporters import series
from airis_mon.exporters.contracts import CONTRACTS
from airis_mon.instrument import LLM, Instruments, LLMBuckets
from airis_mon.web.exposition import render
from tests.instrument.conftest import Bench

DURATION = series.GEN_AI_OPERATION_DURATION
FIRST = series.GEN_AI_TIME_TO_FIRST_CHUNK
CHUNK = series.GEN_AI_TIME_PER_OUTPUT_CHUNK


class ModelGoneError(Exception):
    pass


@pytest.fixture
def llm(bench: Bench) -> LLM:
    return bench.instruments.llm(model="llama", provider="openai")


def test_a_streamed_call_is_recorded_whole(bench: Bench, llm: LLM) -> None:
    with llm.call() as call:
        bench.clock.advance(0.5)
        call.first_token()
        bench.clock.advance(1.0)
        call.tokens(input=100, output=11)

    labels = {
        "gen_ai_operation_name": "chat",
        "gen_ai_provider_name": "openai",
        "gen_ai_request_model": "llama",
    }
    assert bench.value(f"{DURATION}_sum", error_type="", **labels) == 1.5
    assert bench.value(f"{DURATION}_count", error_type="", **labels) == 1
    assert bench.value(f"{FIRST}_sum", **labels) == 0.5
    assert bench.value(f"{CHUNK}_sum", **labels) == pytest.approx(0.1)
    assert bench.value(series.GEN_AI_INPUT_TOKENS, gen_ai_token_modality="text", **labels) == 100
    assert bench.value(series.GEN_AI_OUTPUT_TOKENS, gen_ai_token_modality="text", **labels) == 11
    assert bench.value(f"{series.GEN_AI_OPERATION_INPUT_TOKENS}_sum", **labels) == 100
    assert bench.value(f"{series.GEN_AI_OPERATION_OUTPUT_TOKENS}_count", **labels) == 1


def test_each_chunk_after_the_first_is_timed(bench: Bench, llm: LLM) -> None:
    with llm.call() as call:
        for pause in (0.4, 0.1, 0.3):
            bench.clock.advance(pause)
            call.chunk()
        bench.clock.advance(5)
        call.tokens(output=50)

    assert bench.value(f"{FIRST}_sum") == pytest.approx(0.4)
    assert bench.value(f"{CHUNK}_count") == 2
    assert bench.value(f"{CHUNK}_sum") == pytest.approx(0.4)


def test_a_call_that_does_not_stream_has_no_chunk_series(bench: Bench, llm: LLM) -> None:
    with llm.call() as call:
        call.tokens(input=1, output=5)
    assert bench.value(f"{FIRST}_count") is None
    assert bench.value(f"{CHUNK}_count") is None


def test_an_exception_passes_unchanged_and_is_counted_by_its_class(bench: Bench, llm: LLM) -> None:
    error = ModelGoneError("no answer")

    def ask() -> None:
        with llm.call() as call:
            call.tokens(input=7)
            bench.clock.advance(2)
            raise error

    with pytest.raises(ModelGoneError) as raised:
        ask()
    assert raised.value is error
    assert bench.value(f"{DURATION}_sum", error_type="ModelGoneError") == 2
    assert bench.value(f"{DURATION}_count", error_type="") == 0
    assert bench.value(series.GEN_AI_INPUT_TOKENS, gen_ai_token_modality="text") == 7
    assert bench.value(series.GEN_AI_OUTPUT_TOKENS, gen_ai_token_modality="unknown") == 0


def test_a_failed_call_leaves_the_per_operation_token_histograms_alone(bench: Bench, llm: LLM) -> None:
    with llm.call() as call:
        call.tokens(input=7, output=0)
        call.fail("rate_limited")
    assert bench.value(f"{series.GEN_AI_OPERATION_INPUT_TOKENS}_count") == 0
    assert bench.value(f"{DURATION}_count", error_type="rate_limited") == 1


def test_a_successful_call_of_zero_tokens_counts_in_the_histograms(bench: Bench, llm: LLM) -> None:
    with llm.call() as call:
        call.tokens(input=0, output=0)
    assert bench.value(f"{series.GEN_AI_OPERATION_INPUT_TOKENS}_count") == 1


def test_a_stated_reason_goes_before_the_exception_that_follows(bench: Bench, llm: LLM) -> None:
    def ask() -> None:
        with llm.call() as call:
            call.fail("rate_limited")
            raise ModelGoneError

    with pytest.raises(ModelGoneError):
        ask()
    assert bench.value(f"{DURATION}_count", error_type="rate_limited") == 1
    assert bench.value(f"{DURATION}_count", error_type="ModelGoneError") is None


def test_reasons_beyond_the_limit_fold_into_other(bench: Bench) -> None:
    instruments = Instruments(registry=bench.registry, clock=bench.clock, reasons=3)
    llm = instruments.llm(model="llama", provider="openai")
    for number in range(10):
        with llm.call() as call:
            call.fail(f"reason-{number}")
    assert bench.value(f"{DURATION}_count", error_type="_OTHER") == 7
    assert bench.value(f"{DURATION}_count", error_type="reason-2") == 1


@pytest.mark.parametrize("count", [-1, -(10**30)])
def test_a_negative_count_of_tokens_is_taken_for_unknown(bench: Bench, llm: LLM, count: int) -> None:
    with llm.call() as call:
        call.tokens(input=count, output=3)
    assert bench.value(series.GEN_AI_INPUT_TOKENS) == 0
    assert bench.value(f"{series.GEN_AI_OPERATION_INPUT_TOKENS}_count") == 0
    assert bench.value(series.GEN_AI_OUTPUT_TOKENS) == 3


def test_success_is_at_zero_from_the_start(bench: Bench, llm: LLM) -> None:
    assert bench.value(f"{DURATION}_count", error_type="") == 0
    assert bench.value(series.GEN_AI_OUTPUT_TOKENS, gen_ai_token_modality="text") == 0


def test_models_of_one_registry_share_the_families(bench: Bench, llm: LLM) -> None:
    other = bench.instruments.llm(model="mistral", provider="openai", operation="embeddings")
    for instrument in (llm, other, other):
        with instrument.call():
            pass
    assert bench.value(f"{DURATION}_count", gen_ai_request_model="llama") == 1
    assert bench.value(f"{DURATION}_count", gen_ai_request_model="mistral") == 2
    assert bench.value(f"{DURATION}_count", gen_ai_operation_name="embeddings") == 2


def test_calls_of_async_code_are_recorded(bench: Bench, llm: LLM) -> None:
    async def work() -> None:
        async with llm.call() as call:
            bench.clock.advance(0.25)
            await asyncio.sleep(0)
            call.tokens(output=2)

    asyncio.run(work())
    assert bench.value(f"{DURATION}_sum", error_type="") == 0.25
    assert bench.value(series.GEN_AI_OUTPUT_TOKENS) == 2


def test_an_observed_function_keeps_its_result_name_and_exception(bench: Bench, llm: LLM) -> None:
    @llm.observe(usage=lambda answer: (answer["in"], answer["out"]))
    def ask(prompt: str) -> dict[str, int]:
        """Ask."""
        if not prompt:
            raise ModelGoneError
        return {"in": 3, "out": 4}

    assert ask("hello") == {"in": 3, "out": 4}
    with pytest.raises(ModelGoneError):
        ask("")
    assert (ask.__name__, ask.__doc__) == ("ask", "Ask.")
    assert bench.value(series.GEN_AI_INPUT_TOKENS) == 3
    assert bench.value(f"{DURATION}_count") == 2
    assert bench.value(f"{DURATION}_count", error_type="ModelGoneError") == 1


def test_a_usage_that_cannot_be_read_does_not_reach_the_caller(
    bench: Bench, llm: LLM, caplog: pytest.LogCaptureFixture
) -> None:
    @llm.observe(usage=lambda answer: answer.usage)
    def ask() -> str:
        return "text"

    assert ask() == "text"
    assert bench.value(f"{DURATION}_count", error_type="") == 1
    assert "could not be read" in caplog.text


def test_an_observed_coroutine_is_timed_while_it_is_awaited(bench: Bench, llm: LLM) -> None:
    @llm.observe
    async def ask() -> str:
        await asyncio.sleep(0)
        bench.clock.advance(3)
        return "yes"

    assert asyncio.run(ask()) == "yes"
    assert bench.value(f"{DURATION}_sum", error_type="") == 3


def test_an_observed_generator_times_its_items_and_stays_a_generator(bench: Bench, llm: LLM) -> None:
    received: list[object] = []

    @llm.observe
    def stream() -> Generator[str, object, str]:
        for text in ("a", "b", "c"):
            bench.clock.advance(0.5)
            received.append((yield text))
        return "end"

    def consume() -> Generator[str, object, None]:
        result = yield from stream()
        received.append(result)

    assert list(consume()) == ["a", "b", "c"]
    assert received == [None, None, None, "end"]
    assert bench.value(f"{FIRST}_sum") == 0.5
    assert bench.value(f"{CHUNK}_count") == 2
    assert bench.value(f"{DURATION}_sum", error_type="") == 1.5


def test_send_and_throw_reach_an_observed_generator(bench: Bench, llm: LLM) -> None:
    seen: list[object] = []

    @llm.observe
    def stream() -> Generator[int, str, None]:
        seen.append((yield 1))
        try:
            yield 2
        except KeyError as error:
            seen.append(error)
        yield 3

    generator = stream()
    error = KeyError("thrown")
    assert (next(generator), generator.send("sent"), generator.throw(error)) == (1, 2, 3)
    assert list(generator) == []
    assert seen == ["sent", error]
    assert bench.value(f"{DURATION}_count", error_type="") == 1


def test_a_stream_that_breaks_is_a_failure_and_one_left_early_is_none(bench: Bench, llm: LLM) -> None:
    closed = []

    @llm.observe
    def stream(breaks: bool) -> Iterator[int]:
        try:
            yield 1
            if breaks:
                raise ModelGoneError
            yield 2
        finally:
            closed.append(True)

    with pytest.raises(ModelGoneError):
        list(stream(breaks=True))
    left = stream(breaks=False)
    next(left)
    left.close()  # type: ignore[attr-defined]
    assert closed == [True, True]
    assert bench.value(f"{DURATION}_count", error_type="ModelGoneError") == 1
    assert bench.value(f"{DURATION}_count", error_type="") == 1


def test_an_observed_async_generator_times_its_items(bench: Bench, llm: LLM) -> None:
    closed = []

    @llm.observe(usage=lambda item: (10, item))
    async def stream(items: int) -> AsyncIterator[int]:
        try:
            for number in range(1, items + 1):
                bench.clock.advance(0.25)
                yield number
        finally:
            closed.append(items)

    async def consume() -> list[int]:
        numbers = [item async for item in stream(3)]
        left = stream(9)
        await anext(left)
        await left.aclose()  # type: ignore[attr-defined]
        return numbers

    assert asyncio.run(consume()) == [1, 2, 3]
    assert closed == [3, 9]
    assert bench.value(f"{FIRST}_count") == 2
    assert bench.value(f"{CHUNK}_count") == 2
    assert bench.value(series.GEN_AI_OUTPUT_TOKENS) == 4
    assert bench.value(f"{DURATION}_count", error_type="") == 2


def test_an_exception_in_an_observed_async_generator_passes_unchanged(bench: Bench, llm: LLM) -> None:
    error = ModelGoneError()

    @llm.observe
    async def stream() -> AsyncIterator[int]:
        yield 1
        raise error

    async def consume() -> None:
        async for _ in stream():
            pass

    with pytest.raises(ModelGoneError) as raised:
        asyncio.run(consume())
    assert raised.value is error
    assert bench.value(f"{DURATION}_count", error_type="ModelGoneError") == 1


def test_boundaries_default_to_the_conventions_and_can_be_set(bench: Bench) -> None:
    instruments = Instruments(
        registry=bench.registry, llm_buckets=LLMBuckets(request_duration=(0.5, 1.0, 2.0))
    )
    instruments.llm(model="llama", provider="openai")
    bounds = {
        name: tuple(
            float(sample.labels["le"])
            for metric in bench.registry.collect()
            for sample in metric.samples
            if sample.name == f"{name}_bucket"
        )[:-1]
        for name in (DURATION, series.GEN_AI_OPERATION_INPUT_TOKENS)
    }
    assert bounds[DURATION] == (0.5, 1.0, 2.0)
    assert bounds[series.GEN_AI_OPERATION_INPUT_TOKENS] == series.GEN_AI_TOKEN_BUCKETS


def test_bucket_fields_are_named_as_the_contract_s_distributions() -> None:
    assert set(LLMBuckets.__dataclass_fields__) == set(CONTRACTS["otel-genai"].distributions)


def test_every_series_of_the_contract_is_exposed_and_readable(bench: Bench, llm: LLM) -> None:
    with llm.call() as call:
        call.chunk()
        call.chunk()
        call.tokens(input=1, output=2)
    body, _ = render(bench.registry, "application/openmetrics-text")
    families = text_string_to_metric_families(body.decode())  # type: ignore[no-untyped-call]
    samples = {sample.name for family in families for sample in family.samples}
    contract = CONTRACTS["otel-genai"]
    wanted = {f"{item.metric}_bucket" for item in contract.distributions.values()}
    assert contract.requests is not None
    wanted |= {counter.metric for counter in contract.counters.values()} | {contract.requests.total}
    assert wanted <= samples
    assert not [name for name in samples if name.endswith("_created")]


def test_what_calls_cost_is_counted_by_currency_and_tokens_without_a_price_beside(bench: Bench) -> None:
    llm = bench.instruments.llm(model="a", provider="openai")
    llm.spent(0)
    assert bench.value(series.COST, currency="USD") == bench.value(series.UNPRICED_TOKENS) == 0
    llm.spent(0.25)
    llm.spent(0.5, "EUR", unpriced_tokens=7)
    for _ in range(3000):
        llm.spent(0.5)
    labels = {"gen_ai_request_model": "a", "gen_ai_provider_name": "openai", "gen_ai_operation_name": "chat"}
    assert bench.value(series.COST, currency="USD", **labels) == 1500.25
    assert bench.value(series.COST, currency="EUR", **labels) == 0.5
    assert bench.value(series.UNPRICED_TOKENS, **labels) == 7


def test_money_that_is_none_never_raises(bench: Bench) -> None:
    llm = bench.instruments.llm(model="a", provider="openai")
    llm.spent(float("nan"), "dollars", unpriced_tokens=-3)
    llm.spent(-1.0)
    llm.spent(2.0, "")
    assert bench.value(series.COST, currency="XXX") == 2.0
    assert bench.value(series.COST, currency="USD") == bench.value(series.UNPRICED_TOKENS) == 0
    bench.instruments.llm_server(model="a", provider="openai").spent(1.0)
    assert bench.value(series.COST) == 2.0

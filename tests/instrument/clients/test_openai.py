from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from airis_mon.exporters import series
from airis_mon.instrument import Instruments
from airis_mon.instrument.clients import observe_client
from tests.instrument.clients.service import Service, serving
from tests.instrument.conftest import Bench

DURATION = f"{series.GEN_AI_OPERATION_DURATION}_count"
FIRST = f"{series.GEN_AI_TIME_TO_FIRST_CHUNK}_count"
CHUNK = f"{series.GEN_AI_TIME_PER_OUTPUT_CHUNK}_count"
ASK: Any = {"messages": [{"role": "user", "content": "count"}]}


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with serving() as service:
        yield service


@pytest.fixture
def service(running: Service) -> Service:
    running.bodies.clear()
    running.go_on.clear()
    return running


@pytest.fixture
def plain(service: Service) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{service.url}/v1", api_key="k", max_retries=0, timeout=10) as client:
        yield client


@pytest.fixture
def client(plain: openai.OpenAI, bench: Bench) -> openai.OpenAI:
    return observe_client(plain, bench.instruments)


@asynccontextmanager
async def asynchronous(service: Service, bench: Bench) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{service.url}/v1", api_key="k", max_retries=0) as client:
        yield observe_client(client, bench.instruments)


def tokens(bench: Bench) -> dict[str, float | None]:
    names = (
        series.GEN_AI_INPUT_TOKENS,
        series.GEN_AI_OUTPUT_TOKENS,
        series.GEN_AI_CACHE_READ_TOKENS,
        series.GEN_AI_REASONING_TOKENS,
    )
    short = ("input", "output", "cached", "reasoning")
    return {word: bench.value(name) for word, name in zip(short, names, strict=True)}


WHOLE: dict[str, tuple[str, Callable[[openai.OpenAI], object]]] = {
    "chat.completions.create": ("chat", lambda c: c.chat.completions.create(model="m", **ASK)),
    "chat.completions.parse": ("chat", lambda c: c.chat.completions.parse(model="m", **ASK)),
    "responses.create": ("chat", lambda c: c.responses.create(model="m", input="count")),
    "responses.parse": ("chat", lambda c: c.responses.parse(model="m", input="count")),
    "completions.create": ("text_completion", lambda c: c.completions.create(model="m", prompt="count")),
    "embeddings.create": ("embeddings", lambda c: c.embeddings.create(model="m", input="count")),
}


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_comes_as_from_the_plain_client_and_is_recorded(
    name: str, plain: openai.OpenAI, client: openai.OpenAI, bench: Bench, service: Service
) -> None:
    operation, call = WHOLE[name]
    expected, answer = call(plain), call(client)

    assert type(answer) is type(expected)
    assert answer == expected
    assert service.bodies[0] == service.bodies[1]
    assert bench.value(DURATION) == 1
    assert (
        bench.value(
            DURATION,
            gen_ai_operation_name=operation,
            gen_ai_provider_name="openai",
            gen_ai_request_model="m",
            gen_ai_response_model="m-2026",
            error_type="",
        )
        == 1
    )
    assert tokens(bench)["input"] == 20
    if operation != "embeddings":
        assert tokens(bench) == {"input": 20, "output": 9, "cached": 8, "reasoning": 4}
    assert bench.value(FIRST) in (None, 0)


@pytest.mark.parametrize("usage", [True, False])
def test_a_stream_stays_a_stream_and_its_chunks_are_timed(
    usage: bool, plain: openai.OpenAI, client: openai.OpenAI, bench: Bench, service: Service
) -> None:
    options: Any = {"stream_options": {"include_usage": True}} if usage else {}
    expected = list(plain.chat.completions.create(model="m", stream=True, **ASK, **options))
    stream = client.chat.completions.create(model="m", stream=True, **ASK, **options)

    assert isinstance(stream, openai.Stream)
    assert stream.response.status_code == 200
    assert bench.value(DURATION, error_type="") in (None, 0)
    assert list(stream) == expected
    assert service.bodies[0] == service.bodies[1]
    assert bench.value(DURATION, error_type="", gen_ai_response_model="m-2026") == 1
    assert bench.value(FIRST) == 1
    assert bench.value(CHUNK) == 3
    if usage:
        assert tokens(bench) == {"input": 20, "output": 9, "cached": 8, "reasoning": 4}
    else:
        assert bench.value(series.GEN_AI_INPUT_TOKENS, gen_ai_token_modality="unknown") == 0
        assert bench.value(f"{series.GEN_AI_OPERATION_INPUT_TOKENS}_count") in (None, 0)


def test_a_responses_stream_has_its_deltas_as_chunks(client: openai.OpenAI, bench: Bench) -> None:
    events = [event.type for event in client.responses.create(model="m", input="count", stream=True)]
    assert events[-1] == "response.completed"
    assert (bench.value(FIRST), bench.value(CHUNK)) == (1, 2)
    assert tokens(bench) == {"input": 20, "output": 9, "cached": 8, "reasoning": 4}


@pytest.mark.parametrize("stream", [True, False])
def test_a_response_that_says_it_failed_is_a_failure(
    stream: bool, client: openai.OpenAI, bench: Bench
) -> None:
    answer: Any = client.responses.create(model="fails", input="count", stream=stream)
    if stream:
        list(answer)
    assert bench.value(DURATION, error_type="server_error") == 1
    assert bench.value(DURATION) == 1


def test_the_stream_helpers_give_their_final_answer_and_record_once(
    client: openai.OpenAI, bench: Bench
) -> None:
    with client.chat.completions.stream(model="m", **ASK) as stream:
        assert stream.get_final_completion().choices[0].message.content == "one two three"
    with client.responses.stream(model="m", input="count") as events:
        assert events.get_final_response().output_text == "one two three"
    assert bench.value(DURATION, error_type="") == 2
    assert bench.value(FIRST) == 2


def left_by_break(client: openai.OpenAI) -> None:
    for _ in client.chat.completions.create(model="waits", stream=True, **ASK):
        break


def left_by_close(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="waits", stream=True, **ASK)
    next(stream)
    stream.close()
    stream.close()


def left_by_context(client: openai.OpenAI) -> None:
    with client.chat.completions.create(model="waits", stream=True, **ASK) as stream:
        next(iter(stream))


def left_by_helper(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="waits", **ASK) as stream:
        next(iter(stream))


@pytest.mark.parametrize("leave", [left_by_break, left_by_close, left_by_context, left_by_helper])
def test_a_stream_that_is_left_early_records_once_and_is_no_failure(
    leave: Callable[[openai.OpenAI], None], client: openai.OpenAI, bench: Bench, service: Service
) -> None:
    leave(client)
    if leave is left_by_break:
        gc.collect()  # what is merely dropped ends when Python collects it
    assert bench.value(DURATION) == 1
    assert bench.value(DURATION, error_type="") == 1
    assert bench.value(FIRST) == 1
    service.go_on.set()


def test_a_dropped_stream_lasts_until_its_last_chunk(
    client: openai.OpenAI, bench: Bench, service: Service
) -> None:
    stream = client.chat.completions.create(model="waits", stream=True, **ASK)
    bench.clock.advance(2)
    next(stream)
    bench.clock.advance(1000)
    stream.response.stream.close()  # the connection, not the response
    del stream
    gc.collect()
    assert bench.value(f"{series.GEN_AI_OPERATION_DURATION}_sum") == 2
    service.go_on.set()


@pytest.mark.parametrize(
    ("model", "error"), [("breaks", openai.APIConnectionError), ("errs", openai.APIError)]
)
def test_a_stream_that_breaks_raises_what_the_plain_one_raises_and_records_once(
    model: str, error: type[Exception], plain: openai.OpenAI, client: openai.OpenAI, bench: Bench
) -> None:
    received = []
    for each in (plain, client):
        items: list[ChatCompletionChunk] = []
        with pytest.raises(error) as raised:
            items.extend(each.chat.completions.create(model=model, stream=True, **ASK))
        received.append((type(raised.value), str(raised.value)))
    assert received[0] == received[1]
    assert bench.value(DURATION) == 1
    assert bench.value(DURATION, error_type=received[1][0].__name__) == 1
    assert bench.value(FIRST) == 1


@pytest.mark.parametrize(
    ("model", "error"), [("429", openai.RateLimitError), ("500", openai.InternalServerError)]
)
def test_an_error_of_the_service_passes_and_is_counted_by_its_class(
    model: str, error: type[Exception], client: openai.OpenAI, bench: Bench
) -> None:
    with pytest.raises(error):
        client.chat.completions.create(model=model, **ASK)
    with pytest.raises(error):
        client.chat.completions.create(model=model, stream=True, **ASK)
    assert bench.value(DURATION, error_type=error.__name__) == 2
    assert bench.value(DURATION) == 2


def test_a_timeout_is_counted_once_whatever_the_client_retries(
    client: openai.OpenAI, bench: Bench, service: Service
) -> None:
    impatient = client.with_options(timeout=0.1, max_retries=1)
    with pytest.raises(openai.APITimeoutError):
        impatient.chat.completions.create(model="silent", **ASK)
    assert len(service.bodies) == 2
    assert bench.value(DURATION, error_type="APITimeoutError") == 1
    service.go_on.set()


def test_raw_and_streaming_responses_are_recorded(client: openai.OpenAI, bench: Bench) -> None:
    chat = client.chat.completions
    raw = chat.with_raw_response.create(model="m", **ASK)
    assert isinstance(raw.parse(), ChatCompletion)
    assert bench.value(DURATION, error_type="") == 1
    assert tokens(bench)["input"] == 20

    unread: Any = chat.with_raw_response.create(model="m", stream=True, **ASK)
    assert len(list(unread.parse())) == 4
    assert unread.parse() is unread.parse()
    assert bench.value(DURATION, error_type="") == 2
    assert bench.value(FIRST) == 1

    with chat.with_streaming_response.create(model="m", **ASK) as response:
        assert isinstance(response.parse(), ChatCompletion)
    assert tokens(bench)["input"] == 40
    with chat.with_streaming_response.create(model="m", **ASK) as response:
        assert b"one two three" in b"".join(response.iter_bytes())
    assert bench.value(DURATION, error_type="") == 4


def test_an_odd_answer_comes_as_it_is(plain: openai.OpenAI, client: openai.OpenAI, bench: Bench) -> None:
    assert client.chat.completions.create(model="odd", **ASK) == plain.chat.completions.create(
        model="odd", **ASK
    )
    assert bench.value(DURATION, error_type="") == 1
    assert bench.value(series.GEN_AI_INPUT_TOKENS) == 0


def test_what_is_no_operation_of_a_model_is_not_recorded(client: openai.OpenAI, bench: Bench) -> None:
    client.moderations.create(model="m", input="count")
    assert bench.value(DURATION) is None


def test_the_plain_client_stays_unobserved_and_a_disabled_one_is_the_same_object(
    plain: openai.OpenAI, client: openai.OpenAI, bench: Bench
) -> None:
    plain.chat.completions.create(model="m", **ASK)
    assert bench.value(DURATION) is None
    assert type(client) is openai.OpenAI
    assert observe_client(plain, Instruments(registry=bench.registry, enabled=False)) is plain


def test_another_make_of_client_is_refused_with_what_to_do(bench: Bench) -> None:
    with pytest.raises(TypeError, match=r"type dict .*decorate the function"):
        observe_client({}, bench.instruments)


def test_a_provider_is_told_by_the_class_or_by_the_caller(bench: Bench, service: Service) -> None:
    azure = openai.AzureOpenAI(azure_endpoint=service.url, api_key="k", api_version="1")
    local = openai.OpenAI(base_url=f"{service.url}/v1", api_key="k")
    with azure, local:
        observe_client(local, bench.instruments, provider="vllm").embeddings.create(model="m", input="a")
        with pytest.raises(openai.RateLimitError):
            observe_client(azure.with_options(max_retries=0), bench.instruments).chat.completions.create(
                model="429", **ASK
            )
    assert bench.value(DURATION, gen_ai_provider_name="vllm") == 1
    assert bench.value(DURATION, gen_ai_provider_name="azure.ai.openai", error_type="RateLimitError") == 1


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work())


def test_calls_of_an_async_client_are_recorded(bench: Bench, service: Service) -> None:
    async def work() -> None:
        async with asynchronous(service, bench) as client:
            chat = client.chat.completions
            assert isinstance(await chat.create(model="m", **ASK), ChatCompletion)
            stream = await chat.create(model="m", stream=True, **ASK)
            assert isinstance(stream, openai.AsyncStream)
            assert len([item async for item in stream]) == 4
            async with chat.stream(model="m", **ASK) as helper:
                final = await helper.get_final_completion()
            assert final.choices[0].message.content == "one two three"
            raw = await chat.with_raw_response.create(model="m", **ASK)
            assert isinstance(raw.parse(), ChatCompletion)
            async with chat.with_streaming_response.create(model="m", **ASK) as response:
                assert isinstance(await response.parse(), ChatCompletion)

    run(work)
    assert bench.value(DURATION, error_type="") == 5
    assert bench.value(DURATION) == 5
    assert bench.value(FIRST) == 2


def test_async_streams_that_break_or_are_left_record_once(bench: Bench, service: Service) -> None:
    async def work() -> None:
        async with asynchronous(service, bench) as client:
            chat = client.chat.completions
            with pytest.raises(openai.APIConnectionError):
                async for _ in await chat.create(model="breaks", stream=True, **ASK):
                    pass
            async with await chat.create(model="waits", stream=True, **ASK) as stream:
                await anext(stream)
            async with chat.stream(model="waits", **ASK) as helper:
                await anext(helper)
            with pytest.raises(openai.RateLimitError):
                await chat.create(model="429", **ASK)
            service.go_on.set()

    run(work)
    assert bench.value(DURATION, error_type="") == 2
    assert bench.value(DURATION, error_type="APIConnectionError") == 1
    assert bench.value(DURATION, error_type="RateLimitError") == 1
    assert bench.value(DURATION) == 4

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import Message

from airis_mon.exporters import series
from airis_mon.instrument.clients import observe_client
from tests.instrument.clients.service import Service, serving
from tests.instrument.conftest import Bench

DURATION = f"{series.GEN_AI_OPERATION_DURATION}_count"
FIRST = f"{series.GEN_AI_TIME_TO_FIRST_CHUNK}_count"
CHUNK = f"{series.GEN_AI_TIME_PER_OUTPUT_CHUNK}_count"
ASK: Any = {"max_tokens": 9, "messages": [{"role": "user", "content": "count"}]}


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
def plain(service: Service) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=service.url, api_key="k", max_retries=0, timeout=10) as client:
        yield client


@pytest.fixture
def client(plain: anthropic.Anthropic, bench: Bench) -> anthropic.Anthropic:
    return observe_client(plain, bench.instruments)


def assert_usage(bench: Bench, calls: int) -> None:
    wanted = {
        series.GEN_AI_INPUT_TOKENS: 20,
        series.GEN_AI_OUTPUT_TOKENS: 9,
        series.GEN_AI_CACHE_READ_TOKENS: 8,
        series.GEN_AI_CACHE_WRITE_TOKENS: 7,
    }
    assert {name: bench.value(name) for name in wanted} == {
        name: calls * count for name, count in wanted.items()
    }


def test_an_answer_comes_as_from_the_plain_client_and_is_recorded(
    plain: anthropic.Anthropic, client: anthropic.Anthropic, bench: Bench, service: Service
) -> None:
    expected = plain.messages.create(model="m", **ASK)
    answer = client.messages.create(model="m", **ASK)

    assert type(answer) is Message
    assert answer == expected
    assert service.bodies[0] == service.bodies[1]
    assert (
        bench.value(
            DURATION,
            gen_ai_operation_name="chat",
            gen_ai_provider_name="anthropic",
            gen_ai_request_model="m",
            gen_ai_response_model="m-2026",
            error_type="",
        )
        == 1
    )
    # Input is the whole of it: what the service counts apart for its cache is in it.
    assert_usage(bench, calls=1)


def test_a_stream_stays_a_stream_and_tells_its_tokens(
    plain: anthropic.Anthropic, client: anthropic.Anthropic, bench: Bench
) -> None:
    expected = list(plain.messages.create(model="m", stream=True, **ASK))
    stream = client.messages.create(model="m", stream=True, **ASK)
    assert isinstance(stream, anthropic.Stream)
    assert list(stream) == expected
    assert bench.value(DURATION, error_type="", gen_ai_response_model="m-2026") == 1
    assert (bench.value(FIRST), bench.value(CHUNK)) == (1, 2)
    assert_usage(bench, calls=1)


def test_the_stream_helper_gives_text_and_message_and_records_once(
    client: anthropic.Anthropic, bench: Bench
) -> None:
    with client.messages.stream(model="m", **ASK) as stream:
        assert "".join(stream.text_stream) == "one two three"
        assert stream.get_final_message().usage.output_tokens == 9
    assert bench.value(DURATION, error_type="") == 1
    assert_usage(bench, calls=1)


def test_a_stream_that_is_left_early_records_once(
    client: anthropic.Anthropic, bench: Bench, service: Service
) -> None:
    with client.messages.stream(model="waits", **ASK) as stream:
        next(iter(stream))
    assert bench.value(DURATION, error_type="") == 1
    for _ in client.messages.create(model="waits", stream=True, **ASK):
        break
    gc.collect()
    assert bench.value(DURATION, error_type="") == 2
    assert bench.value(DURATION) == 2
    service.go_on.set()


@pytest.mark.parametrize("model", ["breaks", "errs"])
def test_a_stream_that_breaks_raises_what_the_plain_one_raises_and_records_once(
    model: str, plain: anthropic.Anthropic, client: anthropic.Anthropic, bench: Bench
) -> None:
    received = []
    for each in (plain, client):
        with pytest.raises(Exception, match=r"no|peer closed") as raised:
            list(each.messages.create(model=model, stream=True, **ASK))
        received.append((type(raised.value), str(raised.value)))
    assert received[0] == received[1]
    assert bench.value(DURATION) == 1
    assert bench.value(DURATION, error_type=received[1][0].__name__) == 1


@pytest.mark.parametrize(
    ("model", "error"), [("429", anthropic.RateLimitError), ("500", anthropic.InternalServerError)]
)
def test_an_error_of_the_service_passes_and_is_counted_by_its_class(
    model: str, error: type[Exception], client: anthropic.Anthropic, bench: Bench
) -> None:
    with pytest.raises(error):
        client.messages.create(model=model, **ASK)
    assert bench.value(DURATION, error_type=error.__name__) == 1


def test_a_timeout_is_counted(client: anthropic.Anthropic, bench: Bench, service: Service) -> None:
    with pytest.raises(anthropic.APITimeoutError):
        client.with_options(timeout=0.1).messages.create(model="silent", **ASK)
    assert bench.value(DURATION, error_type="APITimeoutError") == 1
    service.go_on.set()


def test_raw_responses_and_the_beta_s_messages_are_recorded_and_counting_tokens_is_not(
    client: anthropic.Anthropic, bench: Bench
) -> None:
    client.messages.count_tokens(model="m", messages=ASK["messages"])
    assert bench.value(DURATION) is None
    assert isinstance(client.messages.with_raw_response.create(model="m", **ASK).parse(), Message)
    client.beta.messages.create(model="m", **ASK)
    assert_usage(bench, calls=2)


def test_calls_of_an_async_client_are_recorded(bench: Bench, service: Service) -> None:
    async def work() -> None:
        async with anthropic.AsyncAnthropic(base_url=service.url, api_key="k", max_retries=0) as plain:
            client = observe_client(plain, bench.instruments)
            assert type(await client.messages.create(model="m", **ASK)) is Message
            stream = await client.messages.create(model="m", stream=True, **ASK)
            assert isinstance(stream, anthropic.AsyncStream)
            assert [event.type async for event in stream][-1] == "message_stop"
            async with client.messages.stream(model="m", **ASK) as helper:
                assert await helper.get_final_text() == "one two three"
            async with client.messages.stream(model="waits", **ASK) as helper:
                await anext(aiter(helper))
            with pytest.raises(anthropic.RateLimitError):
                await client.messages.create(model="429", **ASK)
            service.go_on.set()

    asyncio.run(work())
    assert bench.value(DURATION, error_type="") == 4
    assert bench.value(DURATION, error_type="RateLimitError") == 1
    assert bench.value(DURATION) == 5

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.exporters import series
from airis_mon.instrument import Instruments
from airis_mon.instrument.servers import ASGIMiddleware
from tests.instrument.conftest import Bench

DURATION = f"{series.GEN_AI_SERVER_REQUEST_DURATION}_count"
FIRST = f"{series.GEN_AI_SERVER_TIME_TO_FIRST_TOKEN}_count"
CHUNK = f"{series.GEN_AI_SERVER_TIME_PER_OUTPUT_TOKEN}_count"
PATH = "/v1/chat/completions"
Message = dict[str, Any]


class ModelGoneError(Exception):
    pass


def observed(bench: Bench, app: Any) -> ASGIMiddleware:
    llm = bench.instruments.llm_server(model="llama", provider="vllm")
    return ASGIMiddleware(app, {PATH: llm})


def serve(app: Any, *, path: str = PATH, receives: Sequence[Message] = (), **scope: Any) -> list[Message]:
    """Serve one request as a server does; returns what the application sent."""
    sent: list[Message] = []
    waiting = [{"type": "http.request", "body": b"{}", "more_body": False}, *receives]

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        if message.pop("gone", False):
            raise OSError("nobody listens")
        sent.append(message)

    asyncio.run(app({"type": "http", "method": "POST", "path": path} | scope, receive, send))
    return sent


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def part(body: bytes, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def answering(*messages: Message, error: Exception | None = None) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for message in messages:
            await send(dict(message))
        if error is not None:
            raise error

    return app


@given(
    status=st.integers(100, 599),
    parts=st.lists(st.tuples(st.binary(max_size=9), st.booleans()), max_size=5),
    sized=st.booleans(),
    raises=st.booleans(),
)
def test_what_is_sent_and_raised_is_what_the_application_sends_and_raises(
    status: int, parts: list[tuple[bytes, bool]], sized: bool, raises: bool
) -> None:
    bench = Bench()
    headers = [(b"Content-Length", b"9")] if sized else []
    messages = [start(status, *headers), *(part(*each) for each in parts)]
    error = ModelGoneError() if raises else None
    app = observed(bench, answering(*messages, error=error))
    if error is None:
        assert serve(app) == messages
    else:
        with pytest.raises(ModelGoneError) as raised:
            serve(app)
        assert raised.value is error
    assert bench.value(DURATION) == 1


def test_the_parts_of_a_streamed_answer_are_its_tokens(bench: Bench) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        for seconds in (0.5, 0.25, 0.25):
            bench.clock.advance(seconds)
            await send(part(b"token"))
        scope["airis_mon.call"].tokens(input=20, output=3)
        await send(part(b"", more=False))
        bench.clock.advance(100)  # a task in the background: the client has its answer

    serve(observed(bench, app))
    assert bench.value(f"{series.GEN_AI_SERVER_REQUEST_DURATION}_sum", error_type="") == 1
    assert (bench.value(f"{series.GEN_AI_SERVER_TIME_TO_FIRST_TOKEN}_sum"), bench.value(CHUNK)) == (0.5, 2)


@pytest.mark.parametrize(
    "messages",
    [
        (start(), part(b"whole", more=False)),
        (start(200, (b"content-length", b"5")), part(b"wh"), part(b"ole", more=False)),
        (start(), part(b"", more=True), part(b"", more=False)),
    ],
)
def test_an_answer_that_is_not_streamed_has_no_first_token(
    messages: tuple[Message, ...], bench: Bench
) -> None:
    serve(observed(bench, answering(*messages)))
    assert bench.value(DURATION, error_type="") == 1
    assert bench.value(FIRST) in (None, 0)


@pytest.mark.parametrize(
    ("messages", "error_type"),
    [
        ((start(500), part(b"", more=False)), "500"),
        ((start(429), part(b"", more=False)), ""),
        ((), "500"),
    ],
    ids=["500", "429", "no answer"],
)
def test_a_status_of_500_and_more_is_a_failure(
    messages: tuple[Message, ...], error_type: str, bench: Bench
) -> None:
    serve(observed(bench, answering(*messages)))
    assert bench.value(DURATION, error_type=error_type) == 1
    assert bench.value(DURATION) == 1


def test_an_exception_is_a_failure_under_its_class(bench: Bench) -> None:
    with pytest.raises(ModelGoneError):
        serve(observed(bench, answering(start(), part(b"a"), error=ModelGoneError())))
    assert bench.value(DURATION, error_type="ModelGoneError") == 1


def test_a_client_that_goes_away_is_no_failure(bench: Bench) -> None:
    with pytest.raises(OSError, match="nobody listens"):
        serve(observed(bench, answering(start(), part(b"a"), part(b"b") | {"gone": True})))

    async def told(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(start())
        assert (await receive())["type"] == "http.disconnect"
        raise ModelGoneError

    with pytest.raises(ModelGoneError):
        serve(observed(bench, told), receives=[{"type": "http.disconnect"}])

    async def cancelled(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        serve(observed(bench, cancelled))
    assert bench.value(DURATION) == bench.value(DURATION, error_type="") == 3


@pytest.mark.parametrize(
    "scope",
    [{"path": "/other"}, {"method": "GET"}, {"type": "websocket"}, {"type": "lifespan"}],
    ids=["path", "method", "websocket", "lifespan"],
)
def test_everything_else_passes_untouched(scope: dict[str, Any], bench: Bench) -> None:
    seen: list[Any] = []

    async def app(*given: Any) -> None:
        seen.extend(given)

    given: list[Any] = [{"type": "http", "method": "POST", "path": PATH} | scope, object(), object()]
    asyncio.run(observed(bench, app)(*given))
    assert all(one is other for one, other in zip(seen, given, strict=True))
    assert "airis_mon.call" not in given[0]
    assert bench.value(DURATION) == 0


def test_headers_that_can_be_read_once_reach_the_server(bench: Bench) -> None:
    message = start() | {"headers": iter([(b"a", b"b")])}
    sent = serve(observed(bench, answering(message, part(b"", more=False))))
    assert list(sent[0]["headers"]) == [(b"a", b"b")]


def test_disabled_instruments_leave_the_request_alone(bench: Bench) -> None:
    disabled = Instruments(registry=bench.registry, enabled=False).predictor(model="digits")
    seen: list[Any] = []

    async def app(*given: Any) -> None:
        seen.extend(given)

    given: list[Any] = [{"type": "http", "method": "POST", "path": PATH}, object(), object()]
    asyncio.run(ASGIMiddleware(app, {PATH: disabled})(*given))
    assert all(one is other for one, other in zip(seen, given, strict=True))


def test_a_path_that_no_request_can_have_is_refused(bench: Bench) -> None:
    with pytest.raises(ValueError, match="`predict` of the routes: write it whole"):
        ASGIMiddleware(answering(), {"predict": bench.instruments.predictor(model="digits")})

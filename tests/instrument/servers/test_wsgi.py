from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.handlers import SimpleHandler
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.exporters import series
from airis_mon.instrument.servers import WSGIMiddleware
from tests.instrument.conftest import Bench

DURATION = f"{series.GEN_AI_SERVER_REQUEST_DURATION}_count"
FIRST = f"{series.GEN_AI_SERVER_TIME_TO_FIRST_TOKEN}_count"
CHUNK = f"{series.GEN_AI_SERVER_TIME_PER_OUTPUT_TOKEN}_count"
PATH = "/v1/chat/completions"


class ModelGoneError(Exception):
    pass


def observed(bench: Bench, app: Any) -> WSGIMiddleware:
    llm = bench.instruments.llm_server(model="llama", provider="vllm")
    return WSGIMiddleware(app, {PATH: llm})


def environ(**given: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"REQUEST_METHOD": "POST", "PATH_INFO": PATH, "QUERY_STRING": ""} | given
    made.setdefault("SCRIPT_NAME", "")
    setup_testing_defaults(made)
    return made


def serve(app: Any, **given: Any) -> bytes:
    """Serve one request by the handler of wsgiref; returns all that goes to the client."""
    out = io.BytesIO()
    handler = SimpleHandler(io.BytesIO(), out, io.StringIO(), environ(**given), multithread=False)
    handler.run(app)
    return out.getvalue()


def streaming(*parts: bytes, status: str = "200 OK", error: Exception | None = None) -> Any:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response(status, [("Content-Type", "text/plain")])
        yield from parts
        if error is not None:
            raise error

    return app


@given(
    status=st.sampled_from(["200 OK", "404 Not Found", "503 Overloaded"]),
    parts=st.lists(st.binary(max_size=9), max_size=5),
    sized=st.booleans(),
    listed=st.booleans(),
)
def test_by_the_validator_s_word_a_server_gets_what_the_application_gives(
    status: str, parts: list[bytes], sized: bool, listed: bool
) -> None:
    bench = Bench()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = [("Content-Type", "text/plain")]
        if sized:
            headers.append(("Content-Length", str(sum(map(len, parts)))))
        start_response(status, headers)
        return parts if listed else (each for each in parts)

    # The validator checks both sides of the middleware by PEP 3333.
    answer = serve(validator(observed(bench, validator(app))))
    assert answer.partition(b"\r\n\r\n")[2] == b"".join(parts)
    assert answer.startswith(b"HTTP/1.0 " + status.encode())
    assert bench.value(DURATION) == 1
    assert bench.value(DURATION, error_type="503") == (1 if status.startswith("5") else None)


def test_the_parts_of_a_streamed_answer_are_its_tokens(bench: Bench) -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [])
        for seconds in (0.5, 0.25, 0.25):
            bench.clock.advance(seconds)
            yield b"token"
        environ["airis_mon.call"].tokens(input=20, output=3)

    assert serve(observed(bench, app)).endswith(b"tokentokentoken")
    assert bench.value(f"{series.GEN_AI_SERVER_REQUEST_DURATION}_sum", error_type="") == 1
    assert (bench.value(f"{series.GEN_AI_SERVER_TIME_TO_FIRST_TOKEN}_sum"), bench.value(CHUNK)) == (0.5, 2)


def test_a_list_comes_through_as_it_is_and_is_no_stream(bench: Bench) -> None:
    body = [b"whole"]

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [])
        return body

    assert observed(bench, app)(environ(), lambda *_: None) is body
    assert bench.value(DURATION, error_type="") == 1
    assert bench.value(FIRST) in (None, 0)


def test_a_file_comes_through_as_the_server_s_own(bench: Bench) -> None:
    file = FileWrapper(io.BytesIO(b"whole"))

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> FileWrapper:
        start_response("200 OK", [])
        return file

    request = environ(**{"wsgi.file_wrapper": FileWrapper})
    assert observed(bench, app)(request, lambda *_: None) is file
    assert bench.value(DURATION, error_type="") == 1


@pytest.mark.parametrize("at_once", [True, False])
def test_an_exception_passes_and_is_a_failure_under_its_class(at_once: bool, bench: Bench) -> None:
    error = ModelGoneError()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if at_once:
            raise error
        answer: Iterable[bytes] = streaming(b"a", error=error)(environ, start_response)
        return answer

    with pytest.raises(ModelGoneError) as raised:
        list(observed(bench, app)(environ(), lambda *_: None))
    assert raised.value is error
    assert bench.value(DURATION, error_type="ModelGoneError") == bench.value(DURATION) == 1


def test_a_client_that_goes_away_is_no_failure_and_the_application_hears_of_it(bench: Bench) -> None:
    closed = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        try:
            yield from streaming(b"a", b"b")(environ, start_response)
        finally:
            closed.append(True)

    body: Any = observed(bench, app)(environ(), lambda *_: None)
    next(body)
    body.close()
    assert closed == [True]
    assert bench.value(DURATION, error_type="") == bench.value(DURATION) == 1


@pytest.mark.parametrize("given", [{"PATH_INFO": "/other"}, {"REQUEST_METHOD": "GET"}])
def test_everything_else_passes_untouched(given: dict[str, str], bench: Bench) -> None:
    seen: list[Any] = []

    def app(*given: Any) -> list[bytes]:
        seen.extend(given)
        return []

    request, start = environ(**given), object()
    app_as_seen: Any = observed(bench, app)
    app_as_seen(request, start)
    assert seen[0] is request
    assert seen[1] is start
    assert bench.value(DURATION) == 0


def test_a_path_below_a_mount_is_the_whole_path(bench: Bench) -> None:
    serve(observed(bench, streaming(b"a")), SCRIPT_NAME="/v1", PATH_INFO="/chat/completions")
    assert bench.value(DURATION) == 1


def test_a_client_that_goes_away_before_the_first_part_is_no_failure(bench: Bench) -> None:
    body: Any = observed(bench, streaming(b"a"))(environ(), lambda *_: None)
    body.close()
    assert bench.value(DURATION, error_type="") == bench.value(DURATION) == 1

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from airis_mon.traces.command import main
from airis_mon.traces.delivery import DeliveryError, Sidecar

HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
Answer = Callable[[BaseHTTPRequestHandler], None]


def status(code: int, text: str = "{}", **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text.encode())

    return answer


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Take the request and close without an answer, as a process does that dies just then."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def listener(*answers: Answer) -> Iterator[tuple[str, list[list[dict[str, object]]]]]:
    """An HTTP server that gives these answers in turn, the last one for ever."""
    bodies: list[list[dict[str, object]]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            assert self.path == "/v1/metrics"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(json.loads(body))
            answers[min(len(bodies), len(answers)) - 1](self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Clock:
    def __init__(self) -> None:
        self.time = 0.0
        self.pauses: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds


@contextlib.contextmanager
def sidecar(url: str, clock: Clock, notify: Callable[[str], None] = lambda _: None) -> Iterator[Sidecar]:
    it = Sidecar(url, notify=notify, now=clock.now, sleep=clock.sleep)
    try:
        yield it
    finally:
        it.close()


def test_a_batch_that_was_not_taken_is_offered_again() -> None:
    clock = Clock()
    with (
        listener(status(503), status(429, Retry_After="2"), status(503), status(202)) as (url, bodies),
        sidecar(url, clock) as receiver,
    ):
        receiver.post([{"value": 1}])
    assert bodies == [[{"value": 1}]] * 4
    assert clock.pauses == [0.2, 2.0, 0.8]


def test_patience_ends() -> None:
    clock = Clock()
    with (
        listener(status(503)) as (url, _),
        sidecar(url, clock) as receiver,
        pytest.raises(DeliveryError, match="took nothing for 30 s: it answered 503") as raised,
    ):
        receiver.post([{"value": 1}])
    assert not raised.value.in_doubt
    assert clock.time <= 30


@contextlib.contextmanager
def nobody() -> Iterator[str]:
    """The URL of a port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{free.getsockname()[1]}"


def test_a_refused_connection_is_told_at_once_and_tried_again() -> None:
    clock, told = Clock(), list[tuple[float, str]]()
    with (
        nobody() as url,
        sidecar(url, clock, lambda said: told.append((clock.time, said))) as receiver,
        pytest.raises(DeliveryError, match="took nothing for 5 s: connection refused") as e,
    ):
        receiver.post([{"value": 1}])
    assert not e.value.in_doubt
    assert told == [(0.0, f"{url}/v1/metrics: connection refused; trying again for 5 s")]
    assert len(clock.pauses) >= 5
    assert clock.time == pytest.approx(5.0)


def test_a_sidecar_that_answered_before_is_waited_for_longer() -> None:
    clock, told = Clock(), list[str]()
    with contextlib.ExitStack() as ending:
        with listener(status(202, Connection="close")) as (url, _):
            receiver = ending.enter_context(sidecar(url, clock, told.append))
            receiver.post([{"value": 1}])
            assert told == []
        with pytest.raises(DeliveryError, match="took nothing for 30 s: connection refused"):
            receiver.post([{"value": 2}])
    assert told == [f"{url}/v1/metrics: connection refused; trying again for 30 s"]


def test_command_prints_no_queries_where_nothing_was_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airis_mon.traces.delivery.FIRST_PATIENCE", 0.2)
    path = tmp_path / "short.csv"
    path.write_text(HEADER + "2023-11-16 18:15:46.6,10,2\n")
    with nobody() as url:
        assert main([str(path), "--speed", "max", "--to", url]) == 1
    out, err = capsys.readouterr()
    assert f"{url}/v1/metrics: connection refused; trying again for 0 s" in err
    assert "stopped after 0 of 1 requests" in out
    assert "the next batch was not counted" in out
    assert "read them back" not in out + err
    assert "sum(" not in out + err


def test_command_names_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, said in ((tmp_path / "no.csv", "no such file"), (tmp_path, "is a directory")):
        assert main([str(path)]) == 1
        assert f"airis-mon replay: {path}: {said}\n" in capsys.readouterr().err


def test_a_batch_in_doubt_is_not_sent_again() -> None:
    with (
        listener(hang_up) as (url, bodies),
        sidecar(url, Clock()) as receiver,
        pytest.raises(DeliveryError, match="may or may not have taken the last batch") as raised,
    ):
        receiver.post([{"value": 1}])
    assert raised.value.in_doubt
    assert len(bodies) == 1


def test_an_answer_that_refuses_items_ends_the_delivery_with_its_text() -> None:
    answer = status(400, '{"errors": [{"index": 3, "field": "value"}], "accepted": 1}')
    with (
        listener(answer) as (url, bodies),
        sidecar(url, Clock()) as receiver,
        pytest.raises(DeliveryError, match=r'answered 400: \{"errors": ') as raised,
    ):
        receiver.post([{"value": 1}])
    assert raised.value.in_doubt
    assert len(bodies) == 1


def test_an_answer_that_took_nothing_leaves_no_doubt() -> None:
    with (
        listener(status(413, '{"accepted": 0, "rejected": 0, "errors": []}')) as (url, _),
        sidecar(url, Clock()) as receiver,
        pytest.raises(DeliveryError, match="answered 413") as raised,
    ):
        receiver.post([{"value": 1}])
    assert not raised.value.in_doubt


def test_command_says_what_was_counted_when_a_batch_is_in_doubt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "long.csv"
    path.write_text(HEADER + "2023-11-16 18:15:46.6,10,2\n" * 1200)
    with listener(status(202), hang_up) as (url, bodies):
        assert main([str(path), "--speed", "max", "--to", url, "--json"]) == 1
    out, err = capsys.readouterr()
    last = json.loads(out.splitlines()[-1])
    assert (last["requests"], last["input_tokens"], last["output_tokens"]) == (500, 5000, 1000)
    assert "stopped after 500 of 1200 requests were counted for certain; the next batch may have been" in err
    assert len(bodies) == 2


def test_command_sends_nothing_of_a_trace_with_a_broken_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(HEADER + "2023-11-16 18:15:46.6,10,2\n" * 600 + "2023-11-16 18:15:46.7,10\n")
    with listener(status(202)) as (url, bodies):
        assert main([str(path), "--speed", "max", "--to", url]) == 1
    assert f"{path}:602: there are 2 cells; expected a line such as" in capsys.readouterr().err
    assert bodies == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--speed", "fast"], "`fast` is no speed; write a number above 0, or `max`"),
        (["--speed", "-1"], "`-1` is no speed"),
        (["--model", ""], "argument --model: the model's name is empty; write the name"),
        (["--model", " "], "argument --model: the model's name is empty"),
        (["--model", "x" * 1025], "the model's name has 1025 characters, at most 1024 are taken"),
        (["--model", "\udcff"], "the model's name is no UTF-8"),
        (["--to", "127.0.0.1:9466"], "`127.0.0.1:9466` is no URL; write one such as http://"),
    ],
)
def test_arguments_that_cannot_be_used_are_named(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["trace.csv", *arguments])
    assert raised.value.code == 2
    assert message in capsys.readouterr().err

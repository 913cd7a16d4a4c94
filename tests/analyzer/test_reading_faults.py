"""Answers that no healthy Prometheus gives: each is a QueryError that says what came, and soon."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from airis_mon.analyzer.query import HttpQuerier, LimitError, QueryError
from airis_mon.remote_write import STALE
from tests.analyzer.stub import Prometheus, season, serving

NOW = 1_700_006_400


@pytest.fixture
def there() -> Iterator[Prometheus]:
    with serving(Prometheus({(("pod", "a"),): season}, NOW)) as stub:
        yield stub


def raw(status: str, body: bytes, length: int | None = None) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), length or len(body), body)


def error(kind: str, words: str) -> bytes:
    return json.dumps({"status": "error", "errorType": kind, "error": words}).encode()


GOOD = b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[60,"1"]]}]}}'


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (raw("429 Too Many Requests", b"slow down"), "answered 429, not in Prometheus' form: slow down"),
        (raw("503 Service Unavailable", error("unavailable", "busy")), "answered 503: unavailable: busy"),
        (raw("500 Internal Server Error", b""), "answered 500"),
        (raw("422 Unprocessable Entity", error("execution", "query processing would load too many samples")),
         "answered 422: execution: query processing would load too many samples"),
        (raw("200 OK", GOOD, length=len(GOOD) + 100), "ended its answer early: "),
        (raw("200 OK", GOOD[:-20]), "not in Prometheus' form"),
        (raw("200 OK", b"[]"), "not in Prometheus' form"),
        (raw("200 OK", GOOD.replace(b'"metric":{}', b'"metric":3')), "something that is no series"),
        (raw("200 OK", GOOD.replace(b'"1"', b'"one"')), "something that is no series"),
        (raw("200 OK", GOOD.replace(b"matrix", b"string")), "answered a range with a string"),
        (raw("302 Found", b""), "answered 302"),
        (b"\x16\x03\x01\x00", "is not reachable"),
        (b"", "is not reachable"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_an_error_with_its_words(
    there: Prometheus, answer: bytes, words: str
) -> None:
    there.fault = lambda path, form: answer
    querier = HttpQuerier(there.url)
    with pytest.raises(QueryError) as raised:
        querier.range("latency", 0, 600, 60)
    assert words in str(raised.value)
    querier.close()


def test_a_server_that_is_too_slow_is_waited_for_no_longer_than_allowed(there: Prometheus) -> None:
    ended = threading.Event()

    def slow(path: str, form: dict[str, str]) -> bytes | None:
        ended.wait(20)
        return b""

    there.fault = slow
    querier = HttpQuerier(there.url, timeout=0.2)
    with pytest.raises(LimitError, match="timed out") as told:
        querier.instant("latency", NOW)
    assert told.value.limit == "timeout"
    ended.set()
    querier.close()


def test_an_answer_that_stops_in_the_middle_is_waited_for_no_longer_either() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def half() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
                ended.wait(20)

        ended = threading.Event()
        thread = threading.Thread(target=half)
        thread.start()
        querier = HttpQuerier(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.2)
        with pytest.raises(LimitError) as told:
            querier.instant("latency", NOW)
        assert told.value.limit == "timeout"
        ended.set()
        thread.join()
        querier.close()


def test_a_stale_marker_and_what_is_no_number_are_gaps(there: Prometheus) -> None:
    there.fault = lambda path, form: raw(
        "200 OK",
        GOOD.replace(b'[[60,"1"]]', b'[[0,"NaN"],[60,"1"],[120,"+Inf"],[180,"-Inf"],[240,"%s"]]')
        % str(STALE).encode(),
    )
    querier = HttpQuerier(there.url)
    frame = querier.range("latency", 0, 300, 60)
    np.testing.assert_array_equal(frame.values, [[np.nan, 1.0, np.nan, np.nan, np.nan, np.nan]])
    querier.close()


def test_no_question_is_for_more_points_than_prometheus_answers(there: Prometheus) -> None:
    asked: list[int] = []

    def counted(path: str, form: dict[str, str]) -> bytes | None:
        asked.append((int(form["end"]) - int(form["start"])) // int(form["step"]) + 1)
        return None

    there.fault = counted
    querier = HttpQuerier(there.url)
    frame = querier.range("latency", 0, 60 * 25_000, 60)
    assert sum(asked) == 25_001
    assert max(asked) <= 11_000
    np.testing.assert_array_equal(frame.values[0], season(frame.timestamps))
    querier.close()

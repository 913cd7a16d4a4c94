"""A connection is kept from one request to the next, as long as both sides want it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from airis_mon.remote_write import Backoff, Delivery, HttpWriter, Sample, WriteResult
from tests.waiting import until

WRITTEN = b"X-Prometheus-Remote-Write-Samples-Written: 1\r\n"
OK = b"HTTP/1.1 204 No Content\r\n" + WRITTEN + b"\r\n"
Exchange = Callable[[socket.socket, int], bool]
"""Answers a request on a connection, given how many came before on it; False to hang up."""


class Listener:
    """A receiver at the level of connections, which http.server hides."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.requests: list[int] = []
        """For each request, the number of the connection that it came on."""
        self.ended = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/api/v1/write"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            number += 1
            thread = threading.Thread(target=self._serve, args=(connection, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, connection.makefile("rb") as read:
            before = 0
            while self._request(read):
                self.requests.append(number)
                if not self.exchange(connection, before):
                    break
                before += 1
        self.ended += 1

    @staticmethod
    def _request(read: object) -> bool:
        size = None
        try:
            for line in iter(read.readline, b"\r\n"):  # type: ignore[attr-defined]
                if not line:
                    return False
                if line.lower().startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            read.read(size or 0)  # type: ignore[attr-defined]
        except OSError:
            return False
        return size is not None

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(5)


@contextmanager
def listener(exchange: Exchange) -> Iterator[Listener]:
    there = Listener(exchange)
    try:
        yield there
    finally:
        there.close()


def answering(answer: bytes) -> Exchange:
    def exchange(connection: socket.socket, before: int) -> bool:
        connection.sendall(answer)
        return True

    return exchange


def writer(url: str, *, timeout: float = 5.0, budget: float = 5.0) -> HttpWriter:
    return HttpWriter(Delivery(url, timeout=timeout), budget=budget, backoff=Backoff(0.001, 0.001))


def write(to: HttpWriter, at: int) -> WriteResult:
    return to.write([Sample({"__name__": "yhat"}, at, 1.0)])


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 200 OK\r\n" + WRITTEN + b"Content-Length: 3\r\n\r\nyes",
        b"HTTP/1.1 200 OK\r\n"
        + WRITTEN
        + b"Transfer-Encoding: chunked\r\n\r\n2\r\nye\r\n1\r\ns\r\n0\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 30000\r\n\r\n" + b"n" * 30_000,
    ],
    ids=["empty", "short", "chunked", "long refusal"],
)
def test_a_connection_is_kept_for_the_next_batch_whatever_was_answered(answer: bytes) -> None:
    with listener(answering(answer)) as there:
        to = writer(there.url)
        for at in range(1, 6):
            write(to, at)
        assert set(there.requests) == {1}
        assert len(there.requests) >= 5
        to.close()
        until(lambda: there.ended == 1, 5, "the end of the connection")


def test_a_receiver_that_says_too_much_is_hung_up_on() -> None:
    talk = b"HTTP/1.1 200 OK\r\n" + WRITTEN + b"\r\n" + b"n" * 1_000_000

    def exchange(connection: socket.socket, before: int) -> bool:
        try:
            connection.sendall(talk)
        except OSError:
            return False  # it hung up
        return False

    with listener(exchange) as there:
        to = writer(there.url)
        assert [write(to, at).sent for at in (1, 2)] == [1, 1]
        assert there.requests == [1, 2]
        to.close()


def test_a_slow_end_of_an_answer_holds_nothing_up() -> None:
    begin = b"HTTP/1.1 200 OK\r\n" + WRITTEN + b"Content-Length: 10\r\n\r\nn"
    with listener(answering(begin)) as there:
        to = writer(there.url, timeout=0.2)
        assert write(to, 1).sent == 1
        to.close()


def test_what_came_on_a_connection_that_had_been_hung_up_on_is_sent_again_once() -> None:
    # The receiver reads the second request on a kept connection and closes it without a word.
    def exchange(connection: socket.socket, before: int) -> bool:
        if before:
            return False
        connection.sendall(OK)
        return True

    with listener(exchange) as there:
        to = writer(there.url)
        results = [write(to, at) for at in (1, 2, 3)]
        to.close()
    assert [result.sent for result in results] == [1, 1, 1]
    assert [result.errors for result in results] == [(), (), ()]
    assert there.requests == [1, 1, 2, 2, 3]


def test_a_new_connection_that_is_hung_up_on_is_not_tried_again_at_once() -> None:
    with listener(lambda connection, before: False) as there:
        to = writer(there.url, budget=0.0005)
        result = write(to, 1)
        to.close()
    assert result.dropped == 1
    assert there.requests in ([], [1])  # it is for the backoff to say when


def test_a_receiver_that_hangs_up_on_everything_after_the_first_is_given_the_backoff() -> None:
    asked = iter([True])

    def exchange(connection: socket.socket, before: int) -> bool:
        if next(asked, False):
            connection.sendall(OK)
            return True
        return False

    waits: list[float] = []

    def sleep(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) == 2  # told to stop

    with listener(exchange) as there:
        to = HttpWriter(Delivery(there.url), budget=60, backoff=Backoff(1.0, 1.0), sleep=sleep)
        assert write(to, 1).sent == 1
        assert write(to, 2).dropped == 1
        to.close()
    # On the kept connection, at once on a new one, and after each wait once.
    assert there.requests == [1, 1, 2, 3]
    assert len(waits) == 2


def test_threads_take_turns_on_the_connection() -> None:
    busy = threading.Lock()
    overlapped: list[bool] = []

    def exchange(connection: socket.socket, before: int) -> bool:
        overlapped.append(not busy.acquire(blocking=False))
        busy.release()
        connection.sendall(OK)
        return True

    with listener(exchange) as there:
        to = writer(there.url)
        threads = [threading.Thread(target=write, args=(to, at)) for at in range(1, 21)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(there.requests) == 20
        assert set(there.requests) == {1}
        assert not any(overlapped)
        to.close()

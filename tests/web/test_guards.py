"""Connections that take too much: others are answered all the same."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import requests
from aiohttp import web
from prometheus_client import CollectorRegistry

from airis_mon.web import ConnectionLimits, application
from tests.waiting import until
from tests.web.serving import serving

QUICK = ConnectionLimits(
    connections=100, header_seconds=0.5, write_seconds=0.5, idle_seconds=5, look_seconds=0.05
)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def app(registry: CollectorRegistry) -> web.Application:
    made = application(name="thing", description="A thing.", registry=registry, ready=lambda: True)

    async def much(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 50_000_000)

    made.router.add_get("/much", much)

    async def left(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.set_write_buffer_limits(high=100_000_000)
        request.transport.write(b"x" * 50_000_000)
        request.transport.close()
        return web.Response()

    made.router.add_get("/left", left)

    async def never(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    made.router.add_get("/never", never)
    return made


@contextmanager
def connection(url: str) -> Iterator[socket.socket]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as made:
        yield made


def refused(registry: CollectorRegistry, reason: str) -> float:
    return registry.get_sample_value("thing_http_connections_refused_total", {"reason": reason}) or 0


@pytest.mark.parametrize("begin", [b"", b"G", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "])
def test_headers_that_do_not_come_end_the_connection(
    app: web.Application, registry: CollectorRegistry, begin: bytes
) -> None:
    with serving(app, limits=QUICK) as url, connection(url) as slow:
        slow.sendall(begin)
        assert closed(slow)
    assert refused(registry, "headers") == 1


def test_headers_that_drip_end_the_connection(app: web.Application, registry: CollectorRegistry) -> None:
    with serving(app, limits=QUICK) as url, connection(url) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        slow.settimeout(0.02)

        def dripped() -> bool:
            try:
                slow.sendall(b"X: 1\r\n")
                return slow.recv(100) == b""
            except TimeoutError:
                return False
            except OSError:
                return True

        until(dripped)
    assert refused(registry, "headers") == 1


def test_the_second_request_of_a_connection_is_timed_from_its_first_byte(
    app: web.Application, registry: CollectorRegistry
) -> None:
    with serving(app, limits=QUICK) as url, connection(url) as slow:
        slow.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200 OK" in slow.recv(10_000)
        slow.sendall(b"GET /-/heal")
        assert closed(slow)
    assert refused(registry, "headers") == 1


def test_an_idle_connection_ends_without_a_complaint(
    app: web.Application, registry: CollectorRegistry
) -> None:
    limits = ConnectionLimits(idle_seconds=0.3, header_seconds=10, look_seconds=0.05)
    with serving(app, limits=limits) as url, connection(url) as idle:
        idle.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200 OK" in idle.recv(10_000)
        assert closed(idle)
    assert refused(registry, "headers") == 0


def test_who_does_not_read_its_answer_is_cut_off(app: web.Application, registry: CollectorRegistry) -> None:
    with serving(app, limits=QUICK) as url, connection(url) as slow:
        slow.sendall(b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: refused(registry, "reader") == 1)
        until(lambda: registry.get_sample_value("thing_http_connections") == 0)


def test_what_is_left_of_a_closed_connection_is_not_written_for_ever(
    app: web.Application, registry: CollectorRegistry
) -> None:
    with serving(app, limits=QUICK) as url, connection(url) as slow:
        slow.sendall(b"GET /left HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: refused(registry, "reader") == 1)
        until(lambda: registry.get_sample_value("thing_http_connections") == 0)


def test_requests_that_pile_up_behind_one_are_not_read(app: web.Application) -> None:
    with serving(app, grace=0.1) as url, connection(url) as greedy:
        greedy.sendall(b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
        greedy.settimeout(1.0)
        many = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n" * 2_000_000
        with pytest.raises(TimeoutError):
            greedy.sendall(many)


def test_a_slow_reader_that_reads_gets_all(app: web.Application) -> None:
    limits = ConnectionLimits(write_seconds=5, look_seconds=0.05)
    with serving(app, limits=limits) as url:
        answer = requests.get(f"{url}/much", stream=True, timeout=20)
        assert sum(map(len, answer.iter_content(100_000))) == 50_000_000


def test_one_connection_too_many_is_told_so_and_others_go_on(
    app: web.Application, registry: CollectorRegistry
) -> None:
    limits = ConnectionLimits(connections=5)
    with serving(app, limits=limits) as url, ExitStack() as stack:
        held = [stack.enter_context(connection(url)) for _ in range(5)]
        until(lambda: registry.get_sample_value("thing_http_connections") == 5)
        with connection(url) as sixth:
            assert sixth.recv(1_000).startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n")
        held[0].sendall(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"200 OK" in held[0].recv(10_000)
        until(lambda: registry.get_sample_value("thing_http_connections") == 4)
        assert requests.get(f"{url}/-/healthy", timeout=10).status_code == 200
    assert refused(registry, "limit") == 1


def test_hundreds_of_silent_connections_keep_nobody_out(app: web.Application) -> None:
    limits = ConnectionLimits(connections=1_200, header_seconds=30)
    with serving(app, limits=limits) as url, ExitStack() as stack:
        for _ in range(400):
            stack.enter_context(connection(url)).sendall(b"GET / HT")
        for _ in range(20):
            assert requests.get(f"{url}/-/healthy", timeout=10).status_code == 200


def closed(reader: socket.socket) -> bool:
    try:
        return reader.recv(1) == b""
    except ConnectionResetError:
        return True

from __future__ import annotations

import gzip
import json
import logging
import socket
import subprocess
import threading
import time
from contextlib import ExitStack

import pytest
import requests
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from airis_mon.stack.servers import Server
from airis_mon.web import AddressInUseError, ListenError, application, request_id
from airis_mon.web.logs import JsonFormatter
from tests.waiting import until
from tests.web.serving import serving

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS_2_42 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


def connected(url: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=5)


class Thing:
    """A small process: one route of its own, readiness and reload that the test decides."""

    def __init__(self, *, reloads: bool = True) -> None:
        self.registry = CollectorRegistry()
        self.is_ready = False
        self.bad: str | None = None
        self.now = 1000.0
        self.entered = threading.Event()
        self.app = application(
            name="airis-thing",
            description="Does <things>.",
            registry=self.registry,
            ready=lambda: self.is_ready,
            reload=self._reload if reloads else None,
            body_limit=1000,
            links=(("/echo", "Says it again"),),
            new_request_id=lambda: "generated",
            wall_clock=lambda: self.now,
        )
        self.app.router.add_post("/echo", self._echo)
        self.app.router.add_get("/broken/{what}", self._broken)

    async def _reload(self) -> None:
        if self.bad is not None:
            raise ValueError(self.bad)

    async def _echo(self, request: web.Request) -> web.Response:
        self.entered.set()
        return web.Response(body=await request.read(), headers={"Seen": request_id()})

    async def _broken(self, request: web.Request) -> web.Response:
        raise RuntimeError("a defect")

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def thing() -> Thing:
    return Thing()


def test_the_landing_page_says_what_it_is_and_where_to_go(thing: Thing) -> None:
    with serving(thing.app) as url:
        answer = requests.get(f"{url}/", timeout=5)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for text in ("airis-thing", "Does &lt;things&gt;.", "Version", 'href="/metrics"', 'href="/echo"'):
        assert text in answer.text


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/plain", TEXT),
        (PROMETHEUS_2_42, OPENMETRICS),
        (PROMETHEUS_3, OPENMETRICS),
        ("application/openmetrics-text", OPENMETRICS),
        ("application/openmetrics-text;version=0.0.1", TEXT),
        ("application/openmetrics-text;version=2.0.0", TEXT),
        ("application/openmetrics-text;q=0.4,text/plain;version=0.0.4;q=0.5", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;version=nonsense;q=x,;;;=,", TEXT),
        ("application/openmetrics-text;q=nan", TEXT),
    ],
)
def test_the_scraper_gets_the_format_that_it_prefers(thing: Thing, accept: str, content_type: str) -> None:
    with serving(thing.app) as url:
        answer = requests.get(f"{url}/metrics", headers={"Accept": accept}, timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == content_type
    assert ("# EOF" in answer.text) == (content_type == OPENMETRICS)


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [("gzip", True), ("deflate, gzip;q=0.5", True), ("identity", False), ("gzip;q=0", False), ("br", False)],
)
def test_metrics_are_gzipped_for_those_who_accept_it(thing: Thing, accepted: str, compressed: bool) -> None:
    with serving(thing.app) as url:
        answer = requests.get(f"{url}/metrics", headers={"Accept-Encoding": accepted}, timeout=5, stream=True)
        raw = answer.raw.read(decode_content=False)
    assert (answer.headers.get("Content-Encoding") == "gzip") == compressed
    assert b"airis_thing_build_info" in (gzip.decompress(raw) if compressed else raw)


def test_both_forms_leave_out_created_series_and_pass_the_strict_parser(thing: Thing) -> None:
    Counter("jobs", "Jobs.", registry=thing.registry).inc()
    Histogram("job_seconds", "Time.", registry=thing.registry).observe(1)
    with serving(thing.app) as url:
        text = requests.get(f"{url}/metrics", timeout=5).text
        openmetrics = requests.get(f"{url}/metrics", headers={"Accept": PROMETHEUS_3}, timeout=5).text
    families = {family.name: family for family in text_string_to_metric_families(openmetrics)}  # type: ignore[no-untyped-call]
    assert families["jobs"].samples[0].value == 1
    assert "job_seconds_count 1.0" in text
    assert "_created" not in text + openmetrics


def test_names_can_be_asked_for(thing: Thing) -> None:
    Counter("jobs", "Jobs.", registry=thing.registry)
    with serving(thing.app) as url:
        text = requests.get(f"{url}/metrics", params={"name[]": "jobs_total"}, timeout=5).text
    assert [line for line in text.splitlines() if not line.startswith("#")] == ["jobs_total 0.0"]


def test_metrics_please_promtool(thing: Thing, promtool: Server) -> None:
    with serving(thing.app) as url:
        requests.post(f"{url}/-/reload", timeout=5)
        text = requests.get(f"{url}/metrics", timeout=5).content
    check = subprocess.run(
        [promtool.path, "check", "metrics"],
        input=text,
        capture_output=True,
        cwd=promtool.cwd,
        check=False,
        timeout=30,
    )
    assert (check.returncode, check.stdout + check.stderr) == (0, b"")


def test_health_is_at_once_and_readiness_when_it_is(thing: Thing) -> None:
    with serving(thing.app) as url:
        assert requests.get(f"{url}/-/healthy", timeout=5).status_code == 200
        assert requests.get(f"{url}/-/ready", timeout=5).status_code == 503
        thing.is_ready = True
        assert requests.get(f"{url}/-/ready", timeout=5).status_code == 200


def test_a_reload_is_a_post_and_its_failure_keeps_the_old_state(thing: Thing) -> None:
    successful = "airis_thing_config_last_reload_successful"
    moment = "airis_thing_config_last_reload_success_timestamp_seconds"
    with serving(thing.app) as url:
        get = requests.get(f"{url}/-/reload", timeout=5)
        assert (get.status_code, get.headers["Allow"]) == (405, "POST")
        assert (thing.value(successful), thing.value(moment)) == (1, 1000)

        thing.bad, thing.now = "line 3: no such key", 2000.0
        failed = requests.post(f"{url}/-/reload", timeout=5)
        assert failed.status_code == 500
        assert "the old one stays: line 3: no such key" in failed.text
        assert (thing.value(successful), thing.value(moment)) == (0, 1000)

        thing.bad = None
        assert requests.post(f"{url}/-/reload", timeout=5).status_code == 200
        assert (thing.value(successful), thing.value(moment)) == (1, 2000)


def test_where_there_is_nothing_to_reload_it_says_so() -> None:
    thing = Thing(reloads=False)
    with serving(thing.app) as url:
        answer = requests.post(f"{url}/-/reload", timeout=5)
    assert (answer.status_code, answer.text) == (404, "This process has no configuration to reload.\n")
    assert thing.value("airis_thing_config_last_reload_successful") is None


def test_a_body_over_the_limit_is_refused_by_its_length_before_it_is_read(thing: Thing) -> None:
    with serving(thing.app) as url:
        with connected(url) as connection:
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")
        assert not thing.entered.is_set()
        assert requests.post(f"{url}/echo", data=b"x" * 1000, timeout=5).status_code == 200


def test_a_chunked_body_over_the_limit_is_refused_too(thing: Thing) -> None:
    with serving(thing.app) as url:
        answer = requests.post(f"{url}/echo", data=iter([b"x" * 600] * 2), timeout=5)
    assert answer.status_code == 413
    assert "larger than 1000 bytes" in answer.text


def test_a_compressed_body_is_left_to_the_process(thing: Thing) -> None:
    packed = gzip.compress(b"x" * 100_000)
    with serving(thing.app) as url:
        answer = requests.post(f"{url}/echo", data=packed, headers={"Content-Encoding": "gzip"}, timeout=5)
    assert answer.content == packed


def test_a_request_id_is_kept_or_made(thing: Thing) -> None:
    def ask(given: str | None) -> tuple[str, str]:
        headers = {} if given is None else {"X-Request-ID": given}
        answer = requests.post(f"{url}/echo", headers=headers, timeout=5)
        return answer.headers["X-Request-ID"], answer.headers["Seen"]

    with serving(thing.app) as url:
        assert ask("abc-1.2_3") == ("abc-1.2_3", "abc-1.2_3")
        assert ask(None) == ("generated", "generated")
        assert ask('"><script>') == ("generated", "generated")
        assert ask("x" * 65) == ("generated", "generated")


def test_a_defect_is_a_500_that_says_nothing_and_a_log_line_that_says_all(
    thing: Thing, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(thing.app) as url:
        answer = requests.get(f"{url}/broken/1", timeout=5)
        requests.get(f"{url}/broken/2", timeout=5)
        assert requests.get(f"{url}/-/healthy", timeout=5).status_code == 200
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] == "generated"
    assert "a defect" not in answer.text
    assert "RuntimeError: a defect" in caplog.text
    requests_total = "airis_thing_http_requests_total"
    assert thing.value(requests_total, handler="/broken/{what}", method="GET", code="500") == 2


def test_unknown_paths_and_methods_do_not_become_series_of_their_own(thing: Thing) -> None:
    with serving(thing.app) as url:
        for path in ("a", "b"):
            assert requests.get(f"{url}/{path}", timeout=5).status_code == 404
        requests.request("PROPFIND", f"{url}/", timeout=5)
    assert thing.value("airis_thing_http_requests_total", handler="other", method="GET", code="404") == 2
    methods = {
        sample.labels["method"]
        for metric in thing.registry.collect()
        for sample in metric.samples
        if "method" in sample.labels
    }
    assert methods == {"GET", "other"}


def test_a_taken_port_is_named_together_with_the_flag(thing: Thing) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        said = rf"{address}.*taken.*--web\.listen-address=HOST:PORT"
        with pytest.raises(AddressInUseError, match=said), serving(thing.app, address):
            pass


def test_an_address_of_another_machine_is_named_too(thing: Thing) -> None:
    said = r"cannot listen on 192\.0\.2\.1:9466: .*--web\.listen-address"
    with pytest.raises(ListenError, match=said), serving(thing.app, "192.0.2.1:9466"):
        pass


def test_a_request_whose_body_still_arrives_is_answered_before_the_process_ends(thing: Thing) -> None:
    with ExitStack() as stack:
        with serving(thing.app) as url:
            connection = stack.enter_context(connected(url))
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
            assert thing.entered.wait(5)
            late = threading.Timer(0.2, lambda: connection.sendall(b"late"))
            late.start()
        late.join()
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"late")
    assert b"Connection: close" in answer


def test_a_request_that_never_arrives_does_not_hold_the_end_beyond_the_grace(thing: Thing) -> None:
    with ExitStack() as stack:
        begin = time.monotonic()
        with serving(thing.app, grace=0.2) as url:
            connection = stack.enter_context(connected(url))
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
            assert thing.entered.wait(5)
        assert time.monotonic() - begin < 5


def test_a_sender_that_hangs_up_is_no_defect(thing: Thing, caplog: pytest.LogCaptureFixture) -> None:
    def code(status: str) -> float | None:
        return thing.value("airis_thing_http_requests_total", handler="/echo", method="POST", code=status)

    with serving(thing.app) as url:
        with connected(url) as connection:
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
            assert thing.entered.wait(5)
        until(lambda: code("499") is not None, what="a request that its sender left")
    assert (code("499"), code("500")) == (1, None)
    assert "request failed" not in caplog.text


def test_a_log_line_names_the_request_that_it_belongs_to(
    thing: Thing, caplog: pytest.LogCaptureFixture
) -> None:
    lines: list[dict[str, str]] = []

    async def work(request: web.Request) -> web.Response:
        record = logging.makeLogRecord({"msg": "inside", "levelname": "INFO"})
        lines.append(json.loads(JsonFormatter().format(record)))
        return web.Response()

    thing.app.router.add_get("/work", work)
    with serving(thing.app) as url:
        requests.get(f"{url}/work", headers={"X-Request-ID": "mine"}, timeout=5)
    assert lines[0]["request_id"] == "mine"

"""A server that is no Prometheus, does not let us in, is too slow or says too much is told in words."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from airis_mon.analyzer.access import Access
from airis_mon.cli.commands import check
from airis_mon.cli.live.client import Client, LiveError
from airis_mon.stack import ports
from tests.cli.documents import small

EMPTY = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}}).encode()
Answer = Callable[[BaseHTTPRequestHandler], object]


@contextmanager
def answering(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve one answer to everything, and yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer(self)

        do_POST = do_GET  # noqa: N815  the name is http.server's

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def plain(body: bytes, status: int = 200, content_type: str = "application/json", **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in (
            {"Content-Type": content_type, "Content-Length": str(len(body))} | headers
        ).items():
            handler.send_header(name, value)
        handler.end_headers()
        try:
            handler.wfile.write(body)
        except OSError:
            handler.close_connection = True  # it had enough

    return answer


def refused(answer: Answer, timeout: float = 5.0) -> str:
    with answering(answer) as url, pytest.raises(LiveError) as told:
        Client(url, Access(), timeout).vector("up")
    assert str(told.value).count("\n") == 0
    return str(told.value)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (plain(b"<html>", content_type="text/html"), "answers HTML; write the root of a Prometheus"),
        (plain(b"{", status=502), "answers no JSON (HTTP 502)"),
        (plain(b"[1]"), "answers no JSON"),
        (plain(b"[" * 100_000), "answers no JSON"),
        (plain(b"", status=401), "does not let us in (HTTP 401); say who we are with --live.http-config"),
        (plain(b"", status=302, Location="http://127.0.0.1:1/"), "leads elsewhere (HTTP 302)"),
        (plain(b"x" * (9 << 20)), "answers with more than 8 MiB"),
        (
            plain(b'{"status": "error", "error": "too\\u001b[31m much"}'),
            "says no to `up`: too\ufffd[31m much",
        ),
        (plain(b'{"status": "success", "data": {}}'), "something that is no result"),
        (plain(b'{"status": "success", "data": {"result": [{"metric": 1, "value": 2}]}}'), "is no result"),
        (plain(b'{"status": "success", "data": {"result": [7]}}'), "is no result"),
    ],
)
def test_what_is_no_answer_is_told(answer: Answer, message: str) -> None:
    assert message in refused(answer)


def test_an_answer_that_drips_ends_at_its_deadline() -> None:
    ended = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while not ended.wait(0.05):
                handler.wfile.write(b" " * (1 << 16))
        except OSError:
            handler.close_connection = True

    try:
        assert "did not answer within 0.5 s" in refused(drip, timeout=0.5)
    finally:
        ended.set()


def test_a_server_that_never_answers_is_left() -> None:
    ended = threading.Event()
    try:
        assert "did not answer within 0.3 s" in refused(lambda _: bool(ended.wait(10)), timeout=0.3)
    finally:
        ended.set()


def test_nobody_there_is_told_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.yaml").write_text(small("m"))
    url = f"http://127.0.0.1:{ports.free_port()}"
    assert check.run([str(tmp_path / "m.yaml"), "--live", url], tmp_path) == 1
    assert capsys.readouterr().err == f"error: cannot reach {url}: Connection refused\n\n1 problem\n"
    assert check.run([str(tmp_path / "m.yaml"), "--live", url, "--format", "json"], tmp_path) == 1
    (problem,) = json.loads(capsys.readouterr().out)
    assert problem["message"] == f"cannot reach {url}: Connection refused"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("prometheus:9090", "is no URL of Prometheus; write http://127.0.0.1:9090"),
        ("http://", "is no URL of Prometheus"),
        ("http://[::1", "is no URL of Prometheus"),
        ("http://me:s3cret@prometheus:9090", "a password in a URL is seen by everybody"),
        ("http://prometheus:9090/graph?x=1", "has more than a root"),
    ],
)
def test_a_url_that_cannot_be_one_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, message: str
) -> None:
    with pytest.raises(SystemExit):
        check.run([str(tmp_path / "m.yaml"), "--live", url], tmp_path)
    said = capsys.readouterr().err
    assert message in said
    assert "s3cret" not in said


def test_who_we_are_comes_from_files_and_goes_with_every_question(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[dict[str, str]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append(dict(handler.headers))
        plain(EMPTY)(handler)

    (tmp_path / "m.yaml").write_text(small("m"))
    (tmp_path / "password").write_text("s3cret\n")
    (tmp_path / "token").write_text("t0ken\n")
    access = tmp_path / "access.yaml"
    access.write_text(
        "basic_auth: {username: me, password_file: password}\n"
        "http_headers: {X-Scope-OrgID: {values: [team-a]}}\n"
    )
    with answering(answer) as url:
        options = [str(tmp_path / "m.yaml"), "--live", url, "--live.http-config", str(access)]
        assert check.run(options, tmp_path) == 1  # no series is there
        assert "no series is called" in capsys.readouterr().err
        basic = "Basic " + base64.b64encode(b"me:s3cret").decode()
        assert {(one["Authorization"], one["X-Scope-OrgID"]) for one in seen} == {(basic, "team-a")}
        seen.clear()
        access.write_text("authorization: {credentials_file: token}\n")
        assert check.run(options, tmp_path) == 1
        assert {one["Authorization"] for one in seen} == {"Bearer t0ken"}


def test_a_certificate_is_believed_by_its_authority_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "m.yaml").write_text(small("m"))
    (tmp_path / "access.yaml").write_text("tls_config: {ca_file: ca.pem}\n")
    with answering(plain(EMPTY), context) as url:
        plainly = [str(tmp_path / "m.yaml"), "--live", url]
        assert check.run(plainly, tmp_path) == 1
        assert "name its authority in --live.http-config (tls_config.ca_file)" in capsys.readouterr().err
        assert check.run([*plainly, "--live.http-config", str(tmp_path / "access.yaml")], tmp_path) == 1
        assert "no series is called" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("basic_auth: {username: me, password: s3cret}", "a password does not belong here"),
        ("authorization: {credentials: s3cret}", "a token does not belong here"),
        ("basic_auht: {username: s3cret}", "did you mean `basic_auth`?"),
        ("basic_auth: {username: me, password_file: nowhere}", "nowhere: No such file or directory"),
        ("tls_config: {cert_file: a}", "cert_file and key_file belong together"),
        ("tls_config: {ca_file: nowhere}", "nowhere: No such file or directory"),
        ("[]", "a list stands where a mapping belongs"),
        ("a: 1\n---\nb: 2", "one mapping with basic_auth, authorization"),
        ("", "the file holds no document"),
        ("x: [" + "[" * 500, "nested deeper"),
    ],
)
def test_a_file_that_does_not_say_who_we_are_is_told_with_its_place_and_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (tmp_path / "m.yaml").write_text(small("m"))
    (tmp_path / "access.yaml").write_text(text)
    options = ["--live", "http://127.0.0.1:9", "--live.http-config", str(tmp_path / "access.yaml")]
    assert check.run([str(tmp_path / "m.yaml"), *options], tmp_path) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "access.yaml" in said
    assert "s3cret" not in said

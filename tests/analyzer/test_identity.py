"""A real Prometheus behind a proxy that lets in who it knows: a tenant, a token, a name with its password."""

from __future__ import annotations

import argparse
import base64
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from airis_mon.analyzer.commands import flags, identity
from airis_mon.analyzer.service import main
from airis_mon.spec import SpecError

QUERY = "queries:\n  - {monitor: m, model: x, for: one, expr: 'vector(1)', history: 2h}\n"
Knows = Callable[[BaseHTTPRequestHandler], bool]


@contextmanager
def gate(server: str, knows: Knows, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[str]]]:
    """Pass on to `server` what comes from who is known; its URL, and the paths of what was turned away."""
    turned_away: list[str] = []
    upstream = requests.Session()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer, sent = 401, b"no org id\n", {}
            if knows(self):
                passed = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                told = upstream.request(
                    self.command, server + self.path, data=body, headers=passed, timeout=10
                )
                status, answer = told.status_code, told.content
                sent = {name: value for name, value in told.headers.items() if name.startswith("X-")}
            else:
                turned_away.append(self.path.partition("?")[0])
            self.send_response(status)
            for name, value in {**sent, "Content-Length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST  # noqa: N815  the name is http.server's

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.daemon_threads = True
    if tls is not None:
        proxy.socket = tls.wrap_socket(proxy.socket, server_side=True)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{proxy.server_port}", turned_away
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
        upstream.close()


def tenant(handler: BaseHTTPRequestHandler) -> bool:
    return handler.headers.get("X-Scope-OrgID") == "chat"


def written(url: str) -> list[str]:
    query = {"query": 'y{for="one"}'}
    found = requests.get(f"{url}/api/v1/query", params=query, timeout=10).json()["data"]["result"]
    return [series["value"][1] for series in found]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "analyzer.yaml"
    file.write_text(QUERY)
    return file


def test_the_tenant_of_the_server_is_said_with_questions_and_with_writes(
    prometheus_server: Callable[..., Any], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = prometheus_server()
    with gate(server.url, tenant) as (url, turned_away):
        words = [f"--config.file={config}", f"--prometheus.url={url}"]
        assert main(["once", *words]) == 1
        assert "answered 401, not in Prometheus' form: no org id; say who we are" in capsys.readouterr().err
        assert turned_away == ["/api/v1/query"]

        assert main(["once", *words, "--prometheus.header=X-Scope-OrgID: chat"]) == 0
        assert main(["explain", "m/one", *words, "--prometheus.header=X-Scope-OrgID: chat"]) == 0
        assert len(turned_away) == 1
    assert written(server.url) == ["1"]


def test_another_server_to_write_to_is_told_what_is_meant_for_it_alone(
    prometheus_server: Callable[..., Any], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = prometheus_server(), prometheus_server()
    with gate(source.url, tenant) as (read, _), gate(target.url, tenant) as (write, turned_away):
        words = [
            "once", f"--config.file={config}", f"--prometheus.url={read}",
            f"--remote-write.url={write}/api/v1/write", "--prometheus.header=X-Scope-OrgID: chat",
        ]  # fmt: skip
        assert main(words) == 1
        assert "answered 401: no org id" in capsys.readouterr().err
        assert set(turned_away) == {"/api/v1/write"}
        assert main([*words, "--remote-write.header=X-Scope-OrgID: chat"]) == 0
    assert (written(source.url), written(target.url)) == ([], ["1"])


def test_backfill_asks_the_server_that_it_writes_to_as_who_it_writes(
    prometheus_server: Callable[..., Any], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = prometheus_server()
    with gate(server.url, tenant) as (url, turned_away):
        words = [
            "backfill", f"--config.file={config}", f"--prometheus.url={server.url}", "--since=30m",
            "--interval=5m", f"--remote-write.url={url}/api/v1/write",
            "--remote-write.header=X-Scope-OrgID: chat",
        ]  # fmt: skip
        assert main(words) == 0
        assert turned_away == []
    assert "were there already" not in capsys.readouterr().out
    assert written(server.url) == ["1"]


@pytest.mark.parametrize("way", ["token", "password"])
def test_secrets_are_read_from_files_and_the_certificate_is_checked(
    prometheus_server: Callable[..., Any],
    config: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    way: str,
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "secret").write_text("s3cret\n")
    said, expected = {
        "token": ("authorization: {credentials_file: secret}", "Bearer s3cret"),
        "password": (
            "basic_auth: {username: analyzer, password_file: secret}",
            "Basic " + base64.b64encode(b"analyzer:s3cret").decode(),
        ),
    }[way]
    file = tmp_path / "http.yaml"
    file.write_text(f"{said}\ntls_config: {{ca_file: ca.pem}}\n")
    server = prometheus_server()
    with gate(server.url, lambda asked: asked.headers.get("Authorization") == expected, context) as (url, _):
        words = ["once", f"--config.file={config}", f"--prometheus.url={url}"]
        assert main(words) == 1
        assert "is not reachable: certificate verify failed: " in capsys.readouterr().err
        assert main([*words, f"--prometheus.http-config={file}"]) == 0
        (tmp_path / "secret").write_text("another\n")
        assert main([*words, f"--prometheus.http-config={file}"]) == 1
        told = capsys.readouterr()
        assert "answered 401" in told.err
        assert "another" not in told.out + told.err
    assert written(server.url) == ["1"]


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    flags.add_servers(parser)
    identity.add_writing(parser)
    return parser.parse_args(["--prometheus.url=http://there:9090", *words])


def test_a_header_on_the_command_line_wins_over_the_file_whatever_its_case(tmp_path: Path) -> None:
    file = tmp_path / "http.yaml"
    (tmp_path / "tenant").write_text("of-the-file\n")
    file.write_text("http_headers: {X-Scope-OrgID: {files: [tenant]}, X-Team: {values: [a]}}\n")
    who = identity.reading(
        parsed(f"--prometheus.http-config={file}", "--prometheus.header=x-scope-orgid: me")
    )
    assert who is not None
    assert who.headers == {"X-Team": "a", "x-scope-orgid": "me"}
    assert "of-the-file" not in repr(who)


@pytest.mark.parametrize("content", ["two\nlines", "tab\there", "schlüssel"])
def test_a_token_that_no_header_can_hold_is_told_without_being_shown(tmp_path: Path, content: str) -> None:
    (tmp_path / "token").write_text(content)
    file = tmp_path / "http.yaml"
    file.write_text("authorization: {credentials_file: token}\n")
    with pytest.raises(SpecError, match="header Authorization is no line of printable ASCII") as told:
        identity.reading(parsed(f"--prometheus.http-config={file}"))
    assert content not in str(told.value)


def test_a_password_is_sent_in_utf_8_as_prometheus_reads_it(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("пароль\n", encoding="utf-8")
    file = tmp_path / "http.yaml"
    file.write_text("basic_auth: {username: wächter, password_file: password}\n", encoding="utf-8")
    who = identity.reading(parsed(f"--prometheus.http-config={file}"))
    assert who is not None
    with who.session() as session:
        sent = session.prepare_request(requests.Request("GET", "http://there/")).headers["Authorization"]
    assert base64.b64decode(str(sent).removeprefix("Basic ")).decode() == "wächter:пароль"


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("http://there:9090/api/v1/push", True),
        ("http://THERE:9090/api/v1/push", True),
        ("http://there:9091/api/v1/push", False),
        ("https://there:9090/api/v1/push", False),
        ("http://there.example:9090/api/v1/push", False),
    ],
)
def test_only_the_same_server_hears_what_is_said_to_it_for_writes_too(url: str, same: bool) -> None:
    who = identity.writing(parsed("--prometheus.header=X-Scope-OrgID: chat", f"--remote-write.url={url}"))
    assert (who is not None) is same


def test_nobody_in_particular_is_nobody() -> None:
    assert identity.reading(parsed()) is None
    assert identity.writing(parsed()) is None


@pytest.mark.parametrize("name", ["Content-Type", "user-agent", "X-Prometheus-Remote-Write-Version"])
@pytest.mark.parametrize("server", ["prometheus", "remote-write"])
def test_the_protocols_own_headers_are_refused(tmp_path: Path, name: str, server: str) -> None:
    with pytest.raises(argparse.ArgumentError, match="leave it out"):
        parsed(f"--{server}.header={name}: a")
    file = tmp_path / "http.yaml"
    file.write_text(f"http_headers: {{{name}: {{values: [a]}}}}\n")
    with pytest.raises(SpecError, match="leave it out"):
        identity.writing(parsed(f"--{server}.http-config={file}"))


def test_a_file_that_cannot_be_used_ends_the_command_with_its_place(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "http.yaml"
    file.write_text("authorization: {credentials: s3cret}\n")
    words = [
        f"--config.file={config}",
        "--prometheus.url=http://127.0.0.1:1",
        f"--prometheus.http-config={file}",
    ]
    for action in ("once", "run", "backfill", "replay"):
        more = ["--since=1h"] if action == "backfill" else []
        assert main([action, *words, *more]) == 1
        said = capsys.readouterr().err
        assert "a token does not belong here" in said
        assert "s3cret" not in said

"""`airis-mon silence` against the real Alertmanager."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import bcrypt
import pytest
import re2
import requests
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.cli.commands.silence import run
from airis_mon.cli.silences import Matcher
from airis_mon.stack import alertmanager as alertmanager_command
from airis_mon.stack.processes import Process
from airis_mon.stack.servers import Server
from tests.cli.documents import small
from tests.waiting import until

REST = ("--author", "jo", "--comment", "on it")
DEAD = "http://127.0.0.1:9"


class Line:
    """The command line, told where Alertmanager is."""

    def __init__(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.url = url
        self._capsys = capsys

    def __call__(self, *words: str, code: int = 0, url: str | None = None) -> str:
        at = ("--alertmanager.url", url or self.url)
        assert run([words[0], *at, *words[1:]], Path()) == code
        said = self._capsys.readouterr()
        return said.out if code == 0 else said.err

    def refused(self, *words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            run([words[0], "--alertmanager.url", self.url, *words[1:]], Path())
        assert ended.value.code == 2
        return self._capsys.readouterr().err


@pytest.fixture
def line(alertmanager_server: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(alertmanager_server().url, capsys)


@pytest.fixture
def nowhere(capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(DEAD, capsys)


def alerts(url: str, *monitors: str) -> None:
    now = datetime.now(UTC).isoformat()
    body = [{"labels": {"alertname": "Any", "monitor": name}, "startsAt": now} for name in monitors]
    requests.post(f"{url}/api/v2/alerts", json=body, timeout=5).raise_for_status()
    until(lambda: len(requests.get(f"{url}/api/v2/alerts", timeout=5).json()) == len(monitors), what="alerts")


def silenced(url: str) -> set[str]:
    told = requests.get(f"{url}/api/v2/alerts", timeout=5).json()
    return {one["labels"]["monitor"] for one in told if one["status"]["silencedBy"]}


def test_a_silence_is_made_seen_and_ended(line: Line) -> None:
    alerts(line.url, "chat", "search", "digits")
    said = line("create", "--monitor", "chat", "--monitor", "search", "--for", "2h", *REST)
    identifier = said.split()[0]
    assert 'silences monitor=~"chat|search" until ' in said
    assert "2 alerts of these stand now" in said
    until(lambda: silenced(line.url) == {"chat", "search"}, what="silenced alerts")

    heading, row = line("list").splitlines()
    assert heading.split() == ["ID", "STATE", "FROM", "UNTIL", "AUTHOR", "MATCHERS", "COMMENT"]
    assert row.startswith(f"{identifier}  active")
    assert row.endswith('jo  monitor=~"chat|search"  on it')

    assert line("expire", identifier) == f"{identifier} is expired\n"
    until(lambda: silenced(line.url) == set(), what="an end of the silence")
    assert line("list") == "there is no silence\n"
    assert "expired" in line("list", "--expired")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("alertname=Any",), {"chat", "a.b", "a|b"}),
        (("monitor=a.b",), {"a.b"}),
        (("monitor=~a.b",), {"a.b", "a|b"}),
        (("alertname=Any", "monitor!=chat"), {"a.b", "a|b"}),
        (("alertname=Any", "monitor!~a.*"), {"chat"}),
        (("--monitor", "a|b", "--monitor", "nothing"), {"a|b"}),
        (('monitor="chat"',), {"chat"}),
    ],
)
def test_matchers_mean_what_alertmanager_means(
    line: Line, words: tuple[str, ...], expected: set[str]
) -> None:
    alerts(line.url, "chat", "a.b", "a|b")
    said = line("create", *words, "--for", "1h", *REST)
    assert f"{len(expected)} alert" in said
    until(lambda: silenced(line.url) == expected, what=f"silence of {expected}")
    assert len(line("list", *(word for word in words if "=" in word)).splitlines()) == 2


def test_a_monitor_that_no_document_declares_is_not_silenced(line: Line, tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(small("support-chat"))
    for words in (["--monitor", "suport-chat"], ["monitor=suport-chat"]):
        told = line("create", *words, "-f", str(file), "--for", "2h", *REST, code=1)
        assert "there is no ModelMonitor `suport-chat` in these files; did you mean `support-chat`?" in told
    assert line("list") == "there is no silence\n"
    made = line("create", "--monitor", "support-chat", "-f", str(file), "--for", "2h", *REST)
    assert 'silences monitor="support-chat"' in made
    file.write_text(small("support-chat").replace("of: error_ratio", "of: errors"))
    assert "nothing was silenced" in line(
        "create", "--monitor", "support-chat", "-f", str(file), "--for", "2h", *REST, code=1
    )


def test_a_silence_may_begin_later_in_any_zone(line: Line) -> None:
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    here = begin.astimezone().isoformat()
    line("create", "monitor=chat", "--from", here, "--for", "90m", *REST)
    row = line("list").splitlines()[1].split()
    assert row[1] == "pending"
    assert row[2:4] == [f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in (begin, begin + timedelta(minutes=90))]


def test_what_alertmanager_refuses_is_told_in_its_words(line: Line) -> None:
    said = line("create", "monitor=~.*", "--for", "1h", *REST, code=1)
    assert f"{line.url} answered 400" in said
    assert "at least one matcher must not match the empty string" in said
    assert "answered 400" in line("create", "monitor=~(", "--for", "1h", *REST, code=1)
    unknown = "01234567-0123-0123-0123-0123456789ab"
    assert "answered" in line("expire", unknown, code=1)
    assert "is no id of a silence" in line("expire", "../alerts", code=1)


def test_the_first_member_that_answers_is_told(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    both = ["list", "--alertmanager.url", DEAD, "--alertmanager.url", line.url]
    assert run(both, Path()) == 0
    assert "there is no silence" in capsys.readouterr().out
    assert run([*both[:3], "--alertmanager.url", "http://127.0.0.1:7/prefix"], Path()) == 1
    said = capsys.readouterr().err
    assert f"{DEAD} is not reachable" in said
    assert "http://127.0.0.1:7/prefix is not reachable" in said


def test_who_asks_is_said_from_a_file(
    alertmanager: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], free_port: Callable[[], int]
) -> None:
    digest = bcrypt.hashpw(b"se:cret", bcrypt.gensalt(4)).decode()
    web = tmp_path / "web.yaml"
    web.write_text(yaml.safe_dump({"basic_auth_users": {"jo": digest}}))
    config = tmp_path / "alertmanager.yml"
    config.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    process = Process(
        alertmanager_command.command(
            alertmanager,
            config=config,
            data=tmp_path / "data",
            address=f"127.0.0.1:{free_port()}",
            flags=[f"--web.config.file={web}"],
        ),
        tmp_path / "log",
    )
    try:
        # Not even `ready` is told to a stranger.
        url = process.command.url
        until(lambda: _status(url) == 401, what="a server that asks who is there")
        _is_let_in_with_the_right_file(Line(url, capsys), tmp_path / "secret")
    finally:
        process.stop()


def _status(url: str) -> int:
    try:
        return requests.get(f"{url}/-/ready", timeout=5).status_code
    except requests.ConnectionError:
        return 0


def _is_let_in_with_the_right_file(line: Line, secret: Path) -> None:
    assert "answered 401" in (said := line("list", code=1))
    assert "--alertmanager.basic-auth-file" in said
    secret.write_text("jo:se:cret\n")
    assert "no silence" in line("list", "--alertmanager.basic-auth-file", str(secret))
    secret.write_text("jo:wrong")
    assert "answered 401" in line("list", "--alertmanager.basic-auth-file", str(secret), code=1)


@pytest.mark.parametrize("content", [b"", b"\xff:x", b"a:b\nc:d", b"nobody", b":x", b"a:" + b"b" * 9000])
def test_a_file_that_says_nothing_of_who_asks_is_refused(
    nowhere: Line, tmp_path: Path, content: bytes
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(content)
    said = nowhere("list", "--alertmanager.basic-auth-file", str(secret), code=1)
    assert str(secret) in said
    assert "does not hold" in said
    missing = nowhere("list", "--alertmanager.bearer-file", str(tmp_path / "none"), code=1)
    assert "No such file" in missing


def test_a_token_is_sent_and_an_answer_is_read_within_bounds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str | None] = []
    answers = [
        (200, b"[]"), (200, b"<html>"), (200, b'[{"id": 1}]'), (502, b"\x1b[31mbad gateway" + b"x" * 10_000),
        (302, b""), (200, b"[" + b"0," * (9 << 20) + b"0]"),
    ]  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            code, body = answers.pop(0)
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            if code == 302:
                self.send_header("Location", "http://elsewhere.example.com/")
            self.end_headers()
            with contextlib.suppress(OSError):  # who asked has heard enough
                self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    secret = tmp_path / "token"
    secret.write_text("abc\n")
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        line = Line(f"http://127.0.0.1:{server.server_port}", capsys)
        token = ("list", "--alertmanager.bearer-file", str(secret))
        try:
            assert "no silence" in line(*token)
            assert "is it an Alertmanager?" in line(*token, code=1)
            assert "not Alertmanager's" in line(*token, code=1)
            gateway = line(*token, code=1)
            assert "\x1b" not in gateway
            assert len(gateway) < 1000
            assert "http://elsewhere.example.com/" in line(*token, code=1)
            assert "more than 16 MiB" in line(*token, code=1)
        finally:
            server.shutdown()
            thread.join()
    assert set(seen) == {"Bearer abc"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("create", "--for", "1h", *REST), "what is to be silenced?"),
        (("create", "monitor", "--for", "1h", *REST), "`monitor` is no matcher"),
        (("create", "a=b", "--for", "1h", "--comment", "x"), "--author"),
        (("create", "a=b", "--for", "1h", "--author", "x"), "--comment"),
        (("create", "a=b", *REST), "one of the arguments --for --until is required"),
        (("create", "a=b", "--for", "1h", "--until", "2100-01-01T00:00:00Z", *REST), "not allowed with"),
        (("create", "a=b", "--for", "400d", *REST), "is out of bounds"),
        (("create", "a=b", "--for", "soon", *REST), "is no duration"),
        (("create", "a=b", "--until", "2100-01-01T00:00:00Z", *REST), "days are too long"),
        (("create", "a=b", "--until", "2020-01-01T00:00:00Z", *REST), "before it begins"),
        (("create", "a=b", "--from", "2020-01-01T00:00:00Z", "--for", "1h", *REST), "ended at 2020-01-01T01"),
        (("create", "a=b", "--until", "2030-01-01T00:00:00", *REST), "distance from UTC"),
        (("create", "a=b", "--for", "1h", "--author", "x", "--comment", " "), "one line of at most"),
        (("create", *(f"a{n}=b" for n in range(21)), "--for", "1h", *REST), "21 matchers are too many"),
        (("create", f"a={'b' * 4001}", "--for", "1h", *REST), "4000 are allowed"),
        (("list", "--alertmanager.url", "http://jo:pw@host:9093"), "do not belong in a URL"),
        (("list", "--alertmanager.url", "host:9093"), "is no URL"),
    ],
)
def test_wrong_usage_says_what_to_write(nowhere: Line, words: tuple[str, ...], message: str) -> None:
    assert message in " ".join(nowhere.refused(*words).split())


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3))
def test_any_name_is_matched_as_it_is(names: list[str]) -> None:
    matcher = Matcher.one_of("monitor", names)
    if matcher.regex:
        pattern = re2.compile(f"^(?s:{matcher.value})$")
        assert all(pattern.fullmatch(name) for name in names)
        assert not pattern.fullmatch("".join(names) + "x")
    else:
        assert matcher.value == names[0]

"""`airis-mon analyzer ACTION`, as a person types it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from airis_mon.analyzer.commands import ACTIONS
from airis_mon.analyzer.service import main
from tests.remote_write.receiver import Reply, receiver

GOOD = "  - {monitor: m, model: x, for: one, expr: 'vector(1)', history: 2h}\n"
ABSENT = "  - {monitor: m, model: x, for: absent, expr: absent_metric, history: 2h}\n"
BROKEN = "  - {monitor: m, model: x, for: broken, expr: 'rate(', history: 2h}\n"


def ended(words: list[str]) -> int:
    try:
        return main(words)
    except SystemExit as end:
        return int(str(end.code))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "analyzer.yaml"
    file.write_text("queries:\n" + GOOD)
    return file


def test_help_lists_every_action(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["--help"]) == 0
    said = capsys.readouterr().out
    for name, action in ACTIONS.items():
        assert f"    {name} " in said
        assert action.HELP.split()[:4] == said.partition(f"    {name} ")[2].split()[:4]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--config.file=a.yaml"], "write `airis-mon analyzer run --config.file=a.yaml ...`"),
        (["on"], "invalid choice: 'on'"),
        ([], "ACTION"),
    ],
)
def test_what_names_no_action_is_refused(
    capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert ended(words) == 2
    assert told in capsys.readouterr().err


def test_once_writes_one_time_and_says_what(
    capsys: pytest.CaptureFixture[str], prometheus_server: Callable[..., Any], config: Path
) -> None:
    server = prometheus_server()
    flags = [f"--config.file={config}", f"--prometheus.url={server.url}"]
    assert ended(["once", *flags]) == 0
    said = capsys.readouterr().out
    assert "m/one: 1 series, 0 scored, 1 warming up; 3 samples\n" in said
    assert said.endswith("Z: 3 samples written, 0 given up\n")
    stored = requests.get(
        f"{server.url}/api/v1/query", params={"query": 'count_over_time(y{for="one"}[2m])'}, timeout=10
    ).json()
    assert [series["value"][1] for series in stored["data"]["result"]] == ["1"]

    # Whatever fails is an exit code, and what is well is written all the same.
    config.write_text("queries:\n" + GOOD + BROKEN)
    assert ended(["once", *flags]) == 1
    out, err = capsys.readouterr()
    assert "m/one: 1 series" in out
    assert err.startswith("m/broken: ")


def test_once_says_which_queries_had_no_series(
    capsys: pytest.CaptureFixture[str], prometheus_server: Callable[..., Any], config: Path
) -> None:
    flags = [f"--config.file={config}", f"--prometheus.url={prometheus_server().url}"]
    config.write_text("queries:\n" + ABSENT)
    assert ended(["once", *flags]) == 1
    out, err = capsys.readouterr()
    assert "m/absent: 0 series" in out
    assert err == "nothing came for m/absent; `airis-mon check --live` says what is missing\n"

    config.write_text("queries:\n" + GOOD.replace("one", "far").replace("vector(1)", "vector(1) / 0"))
    assert ended(["once", *flags]) == 1
    out, err = capsys.readouterr()
    assert "m/far: 1 series, 0 scored, 1 warming up; 0 samples" in out
    assert err == "all values are NaN or infinite: m/far\n"

    # As long as something came, one that is silent is a hint.
    config.write_text("queries:\n" + ABSENT + GOOD)
    assert ended(["once", *flags]) == 0
    assert capsys.readouterr().err.startswith("nothing came for m/absent; ")


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--query.max-series=2", "the expression gives 3 series, at most 2 are read"),
        ("--query.max-bytes=1024", "answered with more than 1024 bytes"),
    ],
)
def test_once_reads_no_more_than_the_flags_allow(
    capsys: pytest.CaptureFixture[str],
    prometheus_server: Callable[..., Any],
    config: Path,
    flag: str,
    words: str,
) -> None:
    expr = " or ".join(f'label_replace(vector(1), "a", "{n * 500}", "", "")' for n in "123")
    config.write_text(f"queries: [{{monitor: m, model: x, for: many, expr: '{expr}', history: 2h}}]")
    flags = [f"--config.file={config}", f"--prometheus.url={prometheus_server().url}"]
    assert ended(["once", *flags, flag]) == 1
    err = capsys.readouterr().err
    assert words in err
    assert f", or raise {flag.partition('=')[0]}\n" in err
    assert ended(["once", *flags]) == 0


@pytest.mark.parametrize("flag", ["--query.max-series=0", "--query.max-bytes=10", "--query.timeout=0s"])
def test_a_limit_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], config: Path, flag: str) -> None:
    assert ended(["once", f"--config.file={config}", "--prometheus.url=http://127.0.0.1:9", flag]) == 2
    assert flag.partition("=")[0] in capsys.readouterr().err


def test_once_without_a_server_is_one_line(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    assert ended(["once", f"--config.file={config}", "--prometheus.url=http://127.0.0.1:9"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("airis-mon analyzer once: http://127.0.0.1:9 is not reachable")
    assert err.count("\n") == 1


def test_once_speaks_to_the_receiver_as_it_is_told_to(
    prometheus_server: Callable[..., Any], config: Path
) -> None:
    flags = [f"--config.file={config}", f"--prometheus.url={prometheus_server().url}"]
    with receiver(lambda request: Reply()) as there:
        more = ["--remote-write.version=1.0", "--remote-write.header", "X-Scope-OrgID: chat"]
        assert ended(["once", *flags, f"--remote-write.url={there.url}", *more]) == 0
    (request,) = there.requests
    assert request.version == "0.1.0"
    assert request.headers["X-Scope-OrgID"] == "chat"

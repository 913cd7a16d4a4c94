"""A configuration that somebody wrote by hand."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.analyzer.config import Query, decode
from airis_mon.analyzer.forecasting.candidates import Candidates
from airis_mon.analyzer.places import LIMITS
from airis_mon.spec import SpecError, compose

HEAD = "queries:\n  - {monitor: m, model: x, for: s, expr: up"
BOMB = (
    "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"l{level}: &l{level} [" + ", ".join([f"*l{level - 1}"] * 10) + "]\n" for level in range(1, 7))
    + "queries: *l6\n"
)
"""Ten million values in some 300 characters."""


TRIED = "candidates: [{horizon: 1h, models: [ets]"


def refused(text: str) -> str:
    with pytest.raises(SpecError) as raised:
        decode(text, "a.yaml")
    return str(raised.value)


def test_what_is_left_out_has_defaults() -> None:
    assert decode(HEAD + "}", "a.yaml").queries == (Query("m", "x", "s", "up"),)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", "", "the one key `queries`"),
        ("queries: 3", "a.yaml:1:1", "the one key `queries`"),
        ("queries: [", "a.yaml:1:", "no YAML"),
        ("queries:\n  - up", "a.yaml:2:5", "a query is a mapping"),
        (HEAD + ", forr: x}", "a.yaml:2:", "did you mean `for`?"),
        (HEAD + ", history: 7 days}", "a.yaml:2:", "is no duration"),
        (HEAD + ", history: 2000d}", "a.yaml:2:", "whole seconds"),
        (HEAD + ", horizons: [1h, 0s]}", "a.yaml:2:", "whole seconds"),
        (HEAD + ", horizons: [1h, 60m]}", "a.yaml:2:", "twice"),
        (HEAD + ", horizons: 1h}", "a.yaml:2:", "a list"),
        (HEAD + ", direction: sideways}", "a.yaml:2:", "up, down or both"),
        (HEAD + ", score: 1}", "a.yaml:2:", "neither true nor false"),
        (HEAD + ", false_pages_per_week: .nan}", "a.yaml:2:", "number of pages"),
        (HEAD + ", false_pages_per_week: true}", "a.yaml:2:", "number of pages"),
        (HEAD + ", candidates: [ets]}", "a.yaml:2:", "written as {horizon: 24h, models: [ets_damped"),
        (HEAD + f", horizons: [1h], {TRIED}, time_budget: 5m}}]}}", "a.yaml:2:", "from 1s to 30s is needed"),
        (
            HEAD + f", horizons: [2h], {TRIED}, time_budget: 5s}}]}}",
            "a.yaml:2:",
            "no forecast looks 1h",
        ),
        (
            HEAD + f", horizons: [1h], {TRIED.replace('ets', 'e')}, time_budget: 5s}}]}}",
            "a.yaml:2:",
            "`e` is",
        ),
        (HEAD + ", by: [pod, model]}", "a.yaml:2:", "`model` is a label that the analyzer writes itself"),
        (HEAD + ", alerts: {}}", "a.yaml:2:", "such as `{ticket: 15m}`"),
        (HEAD + ", alerts: {alarm: 15m}}", "a.yaml:2:", "ticket, page are the severities"),
        (HEAD + ", alerts: {page: soon}}", "a.yaml:2:", "soon"),
        (HEAD + ", maintenance: [{}]}", "a.yaml:2:", "some of times, weekdays"),
        (HEAD + ", maintenance: [{times: []}]}", "a.yaml:2:", "`times` is a list of 1 to"),
        (HEAD + ", maintenance: [{weekdays: [sun]}]}", "a.yaml:2:", "`sun` is none of the weekdays"),
        (HEAD + ', maintenance: [{times: ["04:00-02:00"]}]}', "a.yaml:2:", "none of the times"),
        (HEAD + ', maintenance: [{days_of_month: ["0:3"]}]}', "a.yaml:2:", "none of the days_of_month"),
        (HEAD + ", maintenance: [{months: [3]}]}", "a.yaml:2:", "none of the months"),
        (HEAD + ", maintenance: [{from: now, to: then}]}", "a.yaml:2:", "Invalid isoformat"),
        (HEAD + ', maintenance: [{from: "2026-01-01T00:00:00", to: 3}]}', "a.yaml:2:", "distance from UTC"),
        (
            HEAD + ', maintenance: [{from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z"}]}',
            "a.yaml:2:",
            "is not after",
        ),
        ("queries: [{monitor: m, model: 3, for: s, expr: up}]", "a.yaml:1:", "put quotes"),
        ("queries: [{monitor: m, model: x, for: s}]", "a.yaml:1:11", "`expr` is missing"),
        ("queries: " + "[" * 30 + "]" * 30, "a.yaml:1:", "nested deeper"),
        ("queries: [&a {monitor: m, model: x, for: s, expr: up}, *a]", "a.yaml:1:", "the same series"),
        ("queries: " + "[" * 100_000, "a.yaml:1:", "nested deeper than 10 levels"),
        ("queries:\n" + "- " * 100_000, "a.yaml:2:", "nested deeper than 10 levels"),
        (BOMB, "a.yaml:", "more than 500000 values"),
        ("queries: &a [*a]", "a.yaml:1:", "nothing is anchored as `&a` before"),
        ("queries: []\nqueries: []", "a.yaml:2:", "written twice"),
        ("queries: []\n---\nqueries: []", "a.yaml:2:", "more than one document"),
        (HEAD + ", unit: 2026-02-31}", "a.yaml:2:", "is no timestamp"),
        (HEAD + ', unit: !!int ""}', "a.yaml:2:", "is no int"),
        (HEAD + ", unit: !!python/name:os.system x}", "a.yaml:2:", "tag"),
        (HEAD + ", <<: {unit: s}}", "a.yaml:2:", "unknown key `<<`"),
        (
            HEAD + ", ? " + "k" * 100_000 + " : [" + "1, " * 1000 + "1]}",
            "a.yaml:2:",
            "a key of 100000 characters",
        ),
        ("queries: []" + " " * (8 << 20), "a.yaml:1:1", "larger than 8 MiB"),
    ],
)
def test_errors_say_where_and_what(text: str, place: str, words: str) -> None:
    message = refused(text)
    assert words in message
    assert place in message


def test_all_problems_are_told_at_once() -> None:
    message = refused(HEAD + ", score: 1, history: x}\n  - {monitor: m}")
    assert message.count("error:") == 5


def test_limits_of_a_file_leave_room_for_all_queries_that_may_be_run() -> None:
    query = """  - monitor: chat-{0}
    model: chat
    for: ttft_p99
    expr: airis_signal:ttft_p99{{monitor="chat-{0}",namespace="serving"}}
    unit: seconds
    history: 28d
    direction: up
    horizons: [1h, 6h, 1d, 7d]
    by: [pod, namespace]
    window: 5m
    alerts: {{ticket: 15m, page: 30m}}
"""
    text = "queries:\n" + "".join(query.format(number) for number in range(100))
    assert len(decode(text, "a.yaml").queries) == 100
    (document,), _ = compose("a.yaml", text)
    assert document.root.size * 100 < LIMITS.nodes
    assert len(text) * 100 < LIMITS.characters


def test_a_message_has_an_end_however_much_is_wrong() -> None:
    assert refused("queries:\n" + "  - {" + "a: 1, " * 1000 + "}").count("written twice") == 50
    assert refused("queries: [" + "2026-02-31, " * 1000 + "]").count("is no timestamp") == 50


@given(st.text(max_size=200) | st.text("qeuris:[]{}-&*!|>\n \"'%<0123456789_.+e", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SpecError):
        decode(text, "a.yaml")


def test_candidates_without_statsmodels_are_refused_with_what_to_install() -> None:
    text = HEAD + f", horizons: [1h], {TRIED}, time_budget: 5s}}]}}"
    (query,) = decode(text, "a.yaml").queries
    assert query.candidates == ((3600, Candidates(("ets",), 5.0)),)
    with pytest.raises(SpecError) as raised:
        decode(text, "a.yaml", lacking=lambda: "which is not installed here")
    assert 'pip install "airis-mon[statsmodels]"' in str(raised.value)
    assert "a.yaml:2:" in str(raised.value)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("sys.modules['statsmodels'] = None", "which is not installed here"),
        (
            "sys.modules['threadpoolctl'] = None",
            "which cannot be imported here: ModuleNotFoundError: ",
        ),
        (
            "sys.path.insert(0, 'broken')",
            "which cannot be imported here: ImportError: built for another numpy",
        ),
    ],
    ids=["absent", "half", "broken"],
)
def test_what_makes_forecasts_says_what_is_wrong_with_statsmodels_and_what_explains_goes_without(
    tmp_path: Path, broken: str, words: str
) -> None:
    package = tmp_path / "broken" / "statsmodels"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('built for\\nanother numpy')")
    config = tmp_path / "a.yaml"
    config.write_text(HEAD + f", horizons: [1h], {TRIED}, time_budget: 5s}}]}}")
    said = {}
    for action, *more in (("once",), ("explain", "m/s"), ("replay",)):
        flags = [action, *more, f"--config.file={config}", "--prometheus.url=http://127.0.0.1:9"]
        script = f"import sys; {broken}\nfrom airis_mon.analyzer.service import main; sys.exit(main({flags}))"
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            timeout=60,
        )
        assert done.returncode == 1
        said[action] = done.stderr
    assert f"candidates need statsmodels, {words}" in said["once"]
    assert "Traceback" not in said["once"]
    for action in ("explain", "replay"):
        assert "statsmodels" not in said[action]

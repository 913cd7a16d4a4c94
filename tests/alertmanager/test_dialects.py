"""What is said in an alert stays text in every chat: rendered as Alertmanager would, then read back."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from airis_mon.alertmanager.dialects import DIALECTS, LINE, PARAGRAPH, Dialect
from tests.alertmanager.test_message import Render, alert, message, render

__all__ = ["render"]

WIDTHLESS = "\u200b"
MARKUP = (
    *"<>&*_~`|[]()#@!{}\\-+^?/:. \n", "a", "Z9", "é",
    "<!channel>", "<@U0123>", "@everyone", "@here", "[x](javascript:y)", "[~user]", "{noformat}", "&amp;",
    "{{ .Receiver }}", "{{DATE(2026-01-01T00:00:00Z,SHORT)}}", "<a href=javascript:1>", "\\[", "\n- ",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(MARKUP), min_size=1, max_size=12).map("".join).filter(str.strip)


def _slack(text: str) -> str:
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", text)
    return html.unescape(text)


def _backslashes(special: str, text: str) -> str:
    assert not re.search(rf"(?<!\\)[{special}]", re.sub(r"\\\\", "", text))
    return re.sub(rf"\\([\\{special}])", r"\1", text)


def _teams(text: str) -> str:
    assert "{{" not in text
    read = _backslashes(r"`*_\[\]()#~>", text.replace(f"{{{WIDTHLESS}{{", "{{"))
    return re.sub(r"(?m)^(\s*)\\([-+])", r"\1\2", read)


def _discord(text: str) -> str:
    assert not re.search(r"@\w", text)
    return _backslashes(r"`*_\[\]()#~>|<:-", text.replace(f"@{WIDTHLESS}", "@"))


def _telegram(text: str) -> str:
    assert not re.search(r"[@#/]\w", text, re.ASCII)
    return text.replace(WIDTHLESS, "")


def _sns(text: str) -> str:
    assert re.fullmatch(r"[ -~\n]*", text)
    return text


def _jira(text: str) -> str:
    assert not re.search(r"(?<!\\)[{}\[\]*_^~+!|?-]", text)
    return re.sub(r"\\([{}\[\]*_^~+!|?-])", r"\1", text).replace("&#92;", "\\")


READERS: dict[str, Callable[[str], str]] = {
    "slack": _slack,
    "teams": _teams,
    "discord": _discord,
    "telegram": _telegram,
    "plain": str,
    "sns": _sns,
    "jira": _jira,
}
"""How each dialect is read: refuses what would be markup, and returns what a person sees."""


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@example(text="".join(MARKUP[:32]))
@example(text="".join(MARKUP[32:]))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
def test_what_people_say_is_never_markup(dialect: Dialect, render: Render, text: str) -> None:
    read = READERS[dialect.name]
    data = message(alert(notes={"summary": f"S{text}S", "description": f"D{text}D"}, region=f"R{text}R"))

    title = render(f"airis-mon.{dialect.name}.title", data, "text").strip()
    assert title.startswith("[PAGE] ")
    title = read(title.removeprefix("[PAGE] "))
    body = render(f"airis-mon.{dialect.name}.text", data, "text").strip()
    body = read(body.replace("2026-01-02 01:04:05", "then"))  # its dashes are ours

    line = re.sub(r"\s+", " ", text)
    if dialect.name == "sns":
        assert title == re.sub(r"[^ -~]", "?", f"S{line}S" if len(line) < 69 else f"S{line}"[:70] + "…")
        return
    assert title == f"S{line}S"
    assert body.startswith(f"D{text}D\n")
    assert body.endswith(f", region R{line}R")


def test_every_dialect_has_its_reader() -> None:
    assert {dialect.name for dialect in DIALECTS} == set(READERS)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_long_texts_are_cut_and_a_flood_is_counted(dialect: Dialect, render: Render) -> None:
    notes = {"summary": "s" * 5000, "description": "d" * 5000}
    flood = message(*(alert(notes=notes, region="r" * 5000, pod=str(pod)) for pod in range(20)))
    title = render(f"airis-mon.{dialect.name}.title", flood, "text").strip()
    body = render(f"airis-mon.{dialect.name}.text", flood, "text").strip()

    shown = dialect.shown
    assert len(title) <= len("[PAGE] … (20 alerts)") + dialect.heading
    assert body.endswith(f"Only the first {shown} of 20 alerts are shown.")
    more = "?" if dialect.name == "sns" else "…"
    assert body.count("d" * PARAGRAPH + more) == body.count("r" * LINE + more) == shown
    assert "d" * (PARAGRAPH + 1) not in body


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_what_is_not_said_leaves_no_hole(dialect: Dialect, render: Render) -> None:
    data = message(alert())
    title = render(f"airis-mon.{dialect.name}.title", data, "text").strip()
    body = render(f"airis-mon.{dialect.name}.text", data, "text").strip()
    links = render(f"airis-mon.{dialect.name}.links", data, "text", "https://grafana.example.com").strip()

    assert title == "[PAGE] chat: ModelAnomaly"
    assert body == "Since 2026-01-02 01:04:05 UTC, model llama, team ml"
    assert links.count("http") == 1
    for label in ("Dashboard", "Runbook", "Graph"):
        assert label not in links


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_only_urls_are_linked(dialect: Dialect, render: Render) -> None:
    for url in ("javascript:alert(1)", "data:text/html,x", "//host/path", "ftp://host"):
        data = message({**alert(notes={"runbook_url": url}), "generatorURL": url})
        links = render(f"airis-mon.{dialect.name}.links", data, "text")
        assert "Runbook" not in links
        assert "Graph" not in links


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_what_stands_comes_before_what_is_over(dialect: Dialect, render: Render) -> None:
    over = [alert("resolved", {"summary": f"is over {pod}"}, pod=str(pod)) for pod in range(12)]
    body = render(
        f"airis-mon.{dialect.name}.text", message(*over, alert(notes={"summary": "stands"})), "text"
    )
    assert body.index("stands") < body.index("Resolved meanwhile:") < body.index("is over 0")
    assert f"Only the first {dialect.shown} of 12 alerts are shown." in body


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_later_step_says_why_it_is_told(dialect: Dialect, render: Render) -> None:
    told = message(alert())
    told["groupLabels"] = told["commonLabels"]
    for data, expected in ((told, True), ({**told, "status": "resolved"}, False), (message(alert()), False)):
        body = render(f"airis-mon.{dialect.name}.text", data, "text")
        assert ("Escalated to oncall: nobody has silenced this alert yet." in body) == expected

"""`airis-mon maintenance` against the real Alertmanager."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airis_mon.cli.commands.maintenance import run
from tests.alertmanager.documents import LEAD, ONCALL, STANDARD, document, monitor
from tests.cli.test_silences import REST, alerts, silenced
from tests.waiting import until

Tell = Callable[..., str]


@pytest.fixture
def url(alertmanager_server: Callable[..., Any]) -> str:
    return str(alertmanager_server().url)


@pytest.fixture
def tell(url: str, capsys: pytest.CaptureFixture[str]) -> Tell:
    def line(*words: str, code: int = 0) -> str:
        try:
            ended = run([*words, "--alertmanager.url", url], Path())
        except SystemExit as usage:
            ended = int(usage.code or 0)
        assert ended == code
        said = capsys.readouterr()
        return said.out if code == 0 else " ".join(said.err.split())

    return line


def planned(name: str, begin: datetime, end: datetime, selection: str = "monitors: [chat, search]") -> str:
    once = f"{{from: {begin.isoformat()}, to: {end.isoformat()}}}"
    return document("Maintenance", name, f"{{reason: the index is built, once: {once}, {selection}}}")


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def write(folder: Path, *documents: str) -> str:
    file = folder / "documents.yaml"
    people = (ONCALL, LEAD, STANDARD)
    monitors = (monitor("chat"), monitor("search", None), monitor("digits"))
    file.write_text("---".join((*monitors, *people, *documents)))
    return str(file)


def test_a_planned_window_is_silenced_by_its_name(
    tell: Tell, url: str, tmp_path: Path, now: datetime
) -> None:
    hour = timedelta(hours=1)
    file = write(
        tmp_path,
        planned("now", now - hour, now + hour, "monitors: [digits], teams: [chat], severities: [page]"),
        planned("later", now + hour, now + 2 * hour),
        planned("over", now - 2 * hour, now - hour),
        document(
            "Maintenance", "weekly", "{reason: patches, recurring: [{weekdays: [sunday]}], monitors: [chat]}"
        ),
    )
    alerts(url, "search", "chat", "digits")
    said = tell("start", "now", "-f", file, "--author", "jo")
    assert said.startswith('now: monitor=~"digits|search", severity="page" is silenced from ')
    tell("start", "later", "-f", file, "--author", "jo", "--comment", "as agreed")
    listed = tell("list").splitlines()[1:]
    assert [row.split("  ")[1] for row in listed] == ["active", "pending"]
    assert listed[0].endswith("[maintenance now] the index is built")
    assert listed[1].endswith("[maintenance later] as agreed")

    assert "ended at" in tell("start", "over", "-f", file, "--author", "jo", code=1)
    assert "comes again by itself" in tell("start", "weekly", "-f", file, "--author", "jo", code=1)
    unknown = tell("start", "noow", "-f", file, "--author", "jo", code=1)
    assert "there is no Maintenance `noow` in these files; there are: now, later, over, weekly" in unknown
    assert "the other options out" in tell(
        "start", "now", "-f", file, "--author", "jo", "--for", "1h", code=2
    )


def test_started_again_it_is_moved_and_not_doubled(
    tell: Tell, url: str, tmp_path: Path, now: datetime
) -> None:
    alerts(url, "chat", "search", "digits")
    file = write(tmp_path, planned("now", now, now + timedelta(hours=1), "monitors: [chat, search]"))
    tell("start", "now", "-f", file, "--author", "jo")
    file = write(tmp_path, planned("now", now, now + timedelta(hours=2), "monitors: [chat, search]"))
    tell("start", "now", "-f", file, "--author", "jo")
    (row,) = tell("list").splitlines()[1:]
    assert f"{now + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}" in row
    file = write(tmp_path, planned("now", now, now + timedelta(hours=2), "monitors: [digits]"))
    assert "for other alerts; end it first" in tell("start", "now", "-f", file, "--author", "jo", code=1)
    assert tell("end", "now") == "now: 1 silence ended\n"
    assert "stands" in tell("end", "now", code=1)
    assert tell("list") == "there is no maintenance\n"
    assert len(tell("list", "--expired").splitlines()) >= 2


def test_without_a_document_a_selection_is_silenced_at_once(tell: Tell, url: str) -> None:
    alerts(url, "chat", "search", "digits")
    tell("start", "reboot", "--monitor", "chat", "--monitor", "digits", "--for", "10m", *REST)
    until(lambda: silenced(url) == {"chat", "digits"}, what="silence of two")
    tell("end", "reboot")
    until(lambda: silenced(url) == set(), what="an end")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("start", "x", "--for", "1h", *REST), "what is worked on?"),
        (("start", "x", "--monitor", "chat", *REST), "for how long?"),
        (("start", "x", "--monitor", "chat", "--for", "1h", "--author", "jo"), "why?"),
        (("start", "x y", "--monitor", "chat", "--for", "1h", *REST), "is no name"),
        (("start", "x", "--monitor", "chat", "--until", "2020-01-01T00:00:00Z", *REST), "before it begins"),
    ],
)
def test_wrong_usage_says_what_to_write(tell: Tell, words: tuple[str, ...], message: str) -> None:
    assert message in tell(*words, code=2)


def test_a_file_with_a_slip_silences_nothing(tell: Tell, tmp_path: Path, now: datetime) -> None:
    file = write(tmp_path, planned("now", now, now - timedelta(hours=1)))
    said = tell("start", "now", "-f", file, "--author", "jo", code=1)
    assert "it ends before it begins" in said
    assert "nothing was silenced" in said
    assert tell("list") == "there is no maintenance\n"

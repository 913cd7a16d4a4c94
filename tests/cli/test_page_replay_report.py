"""The HTML page and the table, of an account that nobody would like to get: hostile names, nothing, a lot."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from airis_mon.cli.page_replay import report, table
from airis_mon.cli.page_replay.account import Account, Incident, Page, Subject, Week, subject
from airis_mon.cli.page_replay.comparison import compare
from airis_mon.cli.page_replay.replay import Span
from tests.browser import Browser

HOSTILE = '</td><script>alert(1)</script><img src=x onerror=alert(2)> & "quoted" $body ' + "long" * 40
SINCE = 1_795_000_000.0
SPAN = Span(SINCE, SINCE + 7 * 86_400, 60.0)
DESK, PHONE = (1000, 1400), (360, 2400)


def incident(number: int, name: str = "support-chat", severity: str = "page") -> Incident:
    begins = SINCE + number * 20_000
    return Incident(
        subject=Subject(name, severity, "ModelErrorBudgetBurn", "availability"),
        team="chat",
        identity=(("alertname", "ModelErrorBudgetBurn"), ("monitor", name)),
        summary=f"{name}: the error budget of availability burns too fast",
        fired_at=begins,
        resolved_at=begins + 4000 if number % 3 else None,
        told=((begins + 30, "oncall", 1), (begins + 900, "lead", 2)) if number % 2 else (),
        quiet=() if number % 2 else ("inhibited",),
    )


def page(number: int, name: str = "support-chat", reason: str = "first", receiver: str = "oncall") -> Page:
    return Page(
        at=SINCE + number * 20_000 + 30,
        receiver=receiver,
        level=1 if receiver == "oncall" else 2,
        severity="page",
        team="chat",
        group=(("monitor", name),),
        subjects=(Subject(name, "page", "ModelErrorBudgetBurn", "availability"),),
        alerts=1,
        reason=reason,
        channels=("webhook", "email"),
    )


def account(name: str = "support-chat", many: int = 12) -> Account:
    pages = [page(number, name) for number in range(many)]
    pages += [page(number, name, receiver="lead") for number in range(0, many, 3)]
    week = Week("chat", "2026-11-16", pages=many, tickets=3, repeats=4, escalations=5, budget=2.0)
    incidents = [incident(number, name, "page" if number % 4 else "ticket") for number in range(many)]
    return Account(tuple(pages), tuple(incidents), (week,) if many else ())


def test_text_of_others_stays_text() -> None:
    text = report.page([HOSTILE], [account(HOSTILE)], None, SPAN, [HOSTILE])
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "$body" in text
    out = io.StringIO()
    table.write(out, "chat\x1b[2J.yaml", account("a\x1b]0;owned\x07b[bold]"), SPAN)
    assert "\x1b" not in out.getvalue()
    assert "[bold]" in out.getvalue()


def test_what_only_a_label_keeps_apart_is_told_apart() -> None:
    labels = {
        "alertname": "ModelAnomaly",
        "for": "error_ratio",
        "monitor": "chat",
        "severity": "ticket",
        "team": "a",
    }
    found = [subject(tuple(sorted({**labels, "region": region}.items()))) for region in ("eu-1", "us-2")]
    assert [str(one) for one in found] == [
        "ModelAnomaly error_ratio region=eu-1",
        "ModelAnomaly error_ratio region=us-2",
    ]


def test_repetitions_are_folded_into_what_they_repeat() -> None:
    pages = (page(1), page(2, reason="repeat"), page(3, reason="repeat"), page(4, reason="resolved"))
    found = Account(pages, (), ())
    out = io.StringIO()
    table.write(out, "chat.yaml", found, SPAN)
    assert out.getvalue().count("repeated 2x") == 1
    assert "still firing" not in out.getvalue()
    alone = Account((page(2, reason="repeat"),), (), ())
    assert "still firing" in report.page(["chat.yaml"], [alone], None, SPAN, [])


def test_more_rows_than_anybody_reads_are_counted() -> None:
    text = report.page(["chat.yaml"], [account(many=report.SHOWN + 7)], None, SPAN, [])
    assert "And 7 more rows." in text
    out = io.StringIO()
    table.write(out, "chat.yaml", account(many=table.SHOWN + 7), SPAN)
    assert "and 7 more" in out.getvalue()


def test_a_quiet_week_is_said_to_be_one() -> None:
    text = report.page(["chat.yaml"], [account(many=0)], None, SPAN, [])
    assert "<b>0</b>pages, within the budgets" in text
    assert "<svg" not in text


def test_only_what_changes_is_told_as_a_change() -> None:
    before = account()
    after = Account(before.pages[1:], before.incidents[1:], before.weeks)
    changes = compare(before, after)
    assert changes.gone == (before.pages[0],)
    assert (changes.added, changes.moved, changes.same) == ((), (), len(after.pages))
    assert compare(before, before).same == len(before.pages)
    assert compare(before, before).only_before == ()
    text = report.page(["new.yaml", "old.yaml"], [after, before], changes, SPAN, [])
    assert "What changes from old.yaml to new.yaml" in text


@pytest.mark.slow
def test_a_reader_sees_it_on_a_desk_and_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    before, after = account(), account(HOSTILE)
    file = tmp_path / "report.html"
    text = report.page(
        ["new.yaml", "old.yaml"], [after, before], compare(before, after), SPAN, ["a note for the reader"]
    )
    # The page forbids scripts; the one that looks at it is the test's own.
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    file.write_text(text.replace("Content-Security-Policy", "x-lifted"), encoding="utf-8")
    for size in (DESK, PHONE):
        seen = browser.seen(file, size)
        assert seen["width"] <= size[0], "nobody scrolls a page sideways"
        for told in ("Who would have been paged", "ModelErrorBudgetBurn", "12 of 2", "a note for the reader"):
            assert told in seen["text"]
        assert "<script>alert(1)</script>" in seen["text"]
        picture = tmp_path / f"report-{size[0]}.png"
        browser.run(file, size, f"--screenshot={picture}")
        assert picture.stat().st_size > 10_000

"""The HTML mail as a browser shows it, from the real Alertmanager through a real SMTP server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.alertmanager.documents import build, bundle, monitor, policy, receiver
from tests.alertmanager.inboxes import smtp_inbox
from tests.browser import Browser
from tests.waiting import until

DESK, PHONE = (800, 1000), (360, 1400)
"""Width and height of a window in CSS pixels."""
LABELS = {
    "alertname": "ModelErrorBudgetBurn",
    "monitor": "support-chat",
    "severity": "page",
    "model": "llama-3-70b",
    "team": "ml-platform",
}
LONG = "https://very.long.example.com/" + "without_a_break" * 12
ALERTS = (
    {
        "labels": {**LABELS, "objective": "availability", "region": "eu-1"},
        "annotations": {
            "summary": "support-chat: the error budget of availability burns 14.4 times too fast",
            "description": "3.2% of operations failed over the last hour; 0.1% are allowed.\n"
            "At this pace the budget of 30 days is gone in 2 days.",
            "runbook_url": "https://runbooks.example.com/support-chat",
            "dashboard": "airis-support-chat",
        },
    },
    {
        "labels": {**LABELS, "objective": "first-token", "region": LONG},
        "annotations": {
            "summary": "support-chat: <b>first-token</b> <a href=javascript:alert(1)>click</a>",
            "description": f"8% of answers began later than 500ms. {LONG}",
            "dashboard": "airis-support-chat",
        },
    },
)


@pytest.fixture
def mail(
    alertmanager_server: Callable[..., Any], free_port: Callable[[], int], tmp_path: Path
) -> Callable[[bool], Path]:
    """Return the HTML part of the mail about ALERTS, while they stand or when they are over."""
    documents = (
        monitor("support-chat"),
        policy("standard", "{page: [{receivers: [mailbox]}], group_wait: 1s, group_interval: 1s}"),
    )

    def sent(resolved: bool) -> Path:
        with smtp_inbox(free_port()) as inbox:
            way = "{to: oncall@example.com, from: am@example.com, require_tls: false, smarthost: '%s'}"
            mailbox = receiver("mailbox", f"{{emails: [{way % inbox.address}]}}")
            config = build(bundle(*documents, mailbox), tmp_path, grafana_url="https://grafana.example.com")
            server = alertmanager_server(config)
            _post(server.url, over=False)
            until(lambda: inbox.mails, what="mail")
            if resolved:
                _post(server.url, over=True)
                until(lambda: len(inbox.mails) > 1, what="second mail")
            parts = inbox.mails[-1].walk()
            text = next(part for part in parts if part.get_content_type() == "text/html").get_content()
        page = tmp_path / "mail.html"
        page.write_text(str(text))
        return page

    return sent


def _post(url: str, over: bool) -> None:
    now = datetime.now(UTC)
    times = {"startsAt": (now - timedelta(minutes=7)).isoformat()}
    if over:
        times["endsAt"] = now.isoformat()
    graph = {"generatorURL": "http://prometheus.example.com/graph?g0.expr=up"}
    body = [{**alert, **graph, **times} for alert in ALERTS]
    requests.post(f"{url}/api/v2/alerts", json=body, timeout=5).raise_for_status()


@pytest.mark.slow
def test_a_reader_sees_what_is_wrong_and_where_to_go(browser: Browser, mail: Callable[[bool], Path]) -> None:
    page = mail(False)
    for size in (DESK, PHONE):
        seen = browser.seen(page, size)
        assert seen["width"] <= size[0], "nobody scrolls a mail sideways"
        for told in (
            "PAGE",
            "support-chat",
            "burns 14.4 times too fast",
            "At this pace",
            "eu-1",
            "ml-platform",
        ):
            assert told in seen["text"]
        assert "<b>first-token</b> <a href=javascript:alert(1)>click</a>" in seen["text"]
        links = [(text, url.partition("?")[0]) for text, url in seen["links"]]
        assert [text for text, _ in links] == [
            "Runbook", "Dashboard", "Graph in Prometheus", "Dashboard", "Graph in Prometheus", "Silence",
            "Alertmanager",
        ]  # fmt: skip
        assert links[0][1] == "https://runbooks.example.com/support-chat"
        assert links[1][1] == "https://grafana.example.com/d/airis-support-chat"
        browser.run(page, size, f"--screenshot={page.parent / f'mail-{size[0]}.png'}")
        assert (page.parent / f"mail-{size[0]}.png").stat().st_size > 10_000


@pytest.mark.slow
def test_a_reader_sees_that_it_is_over(browser: Browser, mail: Callable[[bool], Path]) -> None:
    page = mail(True)
    seen = browser.seen(page, DESK)
    assert seen["text"].startswith("RESOLVED")
    assert "(7m" in seen["text"]
    assert "Silence" not in [text for text, _ in seen["links"]]
    browser.run(page, DESK, f"--screenshot={page.parent / 'resolved.png'}")

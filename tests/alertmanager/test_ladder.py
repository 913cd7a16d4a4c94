"""A shortened ladder on the real Alertmanager: every scenario is a monitor, all run side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from airis_mon.cli.commands.silence import run as silence
from tests.alertmanager.documents import build, bundle, monitor, policy, receiver
from tests.alertmanager.inboxes import HttpInbox, SmtpInbox, http_inbox, smtp_inbox
from tests.waiting import until

ANNOTATIONS = {
    "summary": "mailed: the error budget of availability burns too fast",
    "description": "3.2% of operations failed over the last hour; 0.1% are allowed. <b>& {{ nothing }}",
    "runbook_url": "https://runbooks.example.com/availability",
    "dashboard": "airis-mailed",
}
GRAPH = "http://prometheus.example.com/graph?g0.expr=up%7Bjob%3D%22chat%22%7D"
PACE = "group_wait: 1s\n  group_interval: 1s\n  repeat_interval: 1h"
DOCUMENTS = (
    *(monitor(name) for name in ("standing", "resolved", "silenced", "inhibited")),
    monitor("mailed", "mail"),
    monitor("unheard", None),
    policy(
        "standard",
        f"""
  page:
    - {{receivers: [oncall]}}
    - {{receivers: [lead], after: 5s}}
    - {{receivers: [head, lead], after: 8s}}
  ticket:
    - {{receivers: [oncall]}}
  {PACE}
""",
    ),
    policy(
        "mail",
        f"""
  page:
    - {{receivers: [mailbox]}}
    - {{receivers: [mailbox], after: 3s}}
  {PACE}
""",
    ),
)


def _receivers(http: str, smtp: str) -> Iterator[str]:
    yield receiver("oncall", f"{{webhooks: [{{url: '{http}/oncall'}}]}}")
    yield receiver("head", f"{{webhooks: [{{url: '{http}/head'}}]}}")
    yield receiver("lead", f"{{webhooks: [{{url: '{http}/lead'}}]}}")
    yield receiver(
        "mailbox",
        f"""
  emails:
    - to: oncall@example.com
      from: alertmanager@example.com
      smarthost: {smtp}
      require_tls: false
""",
    )


@dataclass
class Desk:
    """An Alertmanager that runs the generated configuration, and the inboxes of those it tells."""

    url: str
    http: HttpInbox
    smtp: SmtpInbox
    started: dict[str, datetime] = field(default_factory=dict)

    def fire(self, monitor: str, alertname: str = "ModelErrorBudgetBurn", **labels: str) -> None:
        self.started.setdefault(monitor, datetime.now(UTC))
        self._post(monitor, alertname, labels, {"startsAt": self.started[monitor].isoformat()})

    def resolve(self, monitor: str) -> None:
        times = {"startsAt": self.started[monitor].isoformat(), "endsAt": datetime.now(UTC).isoformat()}
        self._post(monitor, "ModelErrorBudgetBurn", {}, times)

    def silence(self, monitor: str) -> None:
        own = ["--monitor", monitor, "--for", "10m", "--author", "oncall", "--comment", "on it"]
        assert silence(["create", "--alertmanager.url", self.url, *own], Path()) == 0

    def _post(
        self, monitor: str, alertname: str, labels: Mapping[str, str], times: Mapping[str, str]
    ) -> None:
        own = {"severity": "page", "team": "chat", "model": "llama", "objective": "availability", **labels}
        alert = {
            "labels": {"alertname": alertname, "monitor": monitor, **own},
            "annotations": ANNOTATIONS,
            "generatorURL": GRAPH,
            **times,
        }
        requests.post(f"{self.url}/api/v2/alerts", json=[alert], timeout=5).raise_for_status()


@pytest.fixture
def desk(
    alertmanager_server: Callable[..., Any], free_port: Callable[[], int], tmp_path: Path
) -> Iterator[Desk]:
    with http_inbox() as http, smtp_inbox(free_port()) as smtp:
        config = build(
            bundle(*DOCUMENTS, *_receivers(http.url, smtp.address)),
            tmp_path,
            grafana_url="https://grafana.example.com/",
        )
        yield Desk(alertmanager_server(config).url, http, smtp)


def test_pages_climb_until_somebody_acts(desk: Desk) -> None:
    for name in ("standing", "resolved", "silenced", "unheard"):
        desk.fire(name)
    desk.fire("inhibited")
    desk.fire("inhibited", severity="ticket")
    desk.fire("inhibited", severity="ticket", objective="first-token")
    desk.fire("mailed", objective="availability", region="eu-1")
    desk.fire("mailed", objective="first-token", region="eu-1")

    for name in ("resolved", "silenced"):
        until(partial(desk.http.about, name), what=f"first page of {name}")
    desk.resolve("resolved")
    desk.silence("silenced")
    until(lambda: desk.http.about("resolved", status="resolved"), what="resolution")
    until(lambda: len(desk.http.about("standing")) == 4, what="third step")
    until(lambda: len(desk.smtp.mails) >= 3, what="escalated mails")

    _climbs_in_time(desk)
    _stops_where_somebody_acted(desk)
    _inhibits_the_ticket_of_the_same_promise(desk)
    _mails_are_fit_to_read(desk)


def _climbs_in_time(desk: Desk) -> None:
    begin = desk.started["standing"].timestamp()
    posts = desk.http.about("standing")
    # Of one step nobody comes before the other.
    assert sorted(post.path for post in posts[2:]) == ["/head", "/lead"]
    assert [post.path for post in posts[:2]] == ["/oncall", "/lead"]
    for post, wait in zip(posts, (1, 5, 8, 8), strict=True):
        assert wait <= post.at - begin < wait + 10


def _stops_where_somebody_acted(desk: Desk) -> None:
    # By now the third step of an alert that began together with these has spoken.
    assert [(post.path, post.status) for post in desk.http.about("resolved")] == [
        ("/oncall", "firing"),
        ("/oncall", "resolved"),
    ]
    assert [(post.path, post.status) for post in desk.http.about("silenced")] == [("/oncall", "firing")]
    assert desk.http.about("unheard") == []


def _inhibits_the_ticket_of_the_same_promise(desk: Desk) -> None:
    told = {
        (alert["labels"]["severity"], alert["labels"]["objective"])
        for post in desk.http.about("inhibited", "/oncall")
        for alert in post.payload["alerts"]
    }
    assert told == {("page", "availability"), ("ticket", "first-token")}


def _mails_are_fit_to_read(desk: Desk) -> None:
    first, *later = desk.smtp.mails
    assert str(first["Subject"]) == f"[PAGE] {ANNOTATIONS['summary']} (2 alerts)"
    # The first step gathers both objectives in one mail; above it every alert climbs alone.
    assert [str(mail["Subject"]) for mail in later] == [f"[PAGE] {ANNOTATIONS['summary']}"] * 2
    for mail in desk.smtp.mails:
        assert mail["To"] == "oncall@example.com"
        html = _part(mail, "text/html")
        text = _part(mail, "text/plain")
        for body in (html, text):
            assert "no value" not in body
            assert ANNOTATIONS["summary"] in body
            assert ANNOTATIONS["runbook_url"] in body
            assert "https://grafana.example.com/d/airis-mailed" in body
            assert "objective availability" in body or "objective first-token" in body
            assert f"{desk.url}/#/silences/new?filter=%7Balertname%3D%22ModelErrorBudgetBurn%22" in body
            assert ("nobody has silenced this alert yet" in body) == (mail is not first)
        assert GRAPH in text
        assert "eu-1" in text
        assert "<td>eu-1</td>" in html
        assert ANNOTATIONS["description"] in text
        # What an alert says is text: neither markup nor a template.
        assert "&lt;b&gt;&amp; {{ nothing }}" in html
        assert "ZgotmplZ" not in html


def _part(mail: Any, kind: str) -> str:
    parts = [part for part in mail.walk() if part.get_content_type() == kind]
    assert len(parts) == 1
    return str(parts[0].get_content())

"""What a real Alertmanager sends to each integration, taken by a stand-in for the service."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests

from airis_mon.alertmanager.integrations import INTEGRATIONS
from airis_mon.stack.servers import Server
from tests.alertmanager.documents import build, bundle, monitor, policy, receiver
from tests.alertmanager.standins import Request, StandIn, stand_in
from tests.waiting import until

HOSTILE = "<!channel> @everyone [x](javascript:y) *b* {{ .Receiver }} <a href=javascript:1>z</a>"
SUMMARY = f"chat: slow {HOSTILE}"
LABELS = {
    "alertname": "ModelErrorBudgetBurn",
    "monitor": "chat",
    "severity": "page",
    "model": "llama",
    "team": "ml",
    "objective": "availability",
    "region": f"eu {HOSTILE}",
}
ANNOTATIONS = {
    "summary": SUMMARY,
    "description": f"3% failed. {HOSTILE}",
    "runbook_url": "https://runbooks.example.com/a|b>(c)",
    "dashboard": "airis-chat",
}
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"
GRAPH = "http://prometheus.example.com/graph?g0.expr=up"
DASHBOARD = "https://grafana.example.com/d/airis-chat"
LADDER = policy(
    "standard", "{page: [{receivers: [all]}], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}"
)


@dataclass(frozen=True)
class Way:
    """An integration and what a document says to use it."""

    key: str
    spec: str
    """`URL` stands for the stand-in, `FILE(text)` for a file that holds the text."""
    since: tuple[int, int] = (0, 25)
    requests: tuple[int, int] = (1, 2)
    """How many there are when the alert stands, and how many when it is over."""


WAYS = (
    Way("webhooks", "{url: URL/webhooks, username: am, password_file: FILE(W0123)}"),
    Way("slack", "{api_url_file: FILE(URL/slack/hook)}"),
    Way("teams", "{webhook_url_file: FILE(URL/teams/hook)}", (0, 28)),
    Way("pagerduty", "{routing_key_file: FILE(R0123), url: URL/pagerduty}"),
    Way("opsgenie", "{api_key_file: FILE(G0123), api_url: URL/opsgenie/}"),
    Way("discord", "{webhook_url_file: FILE(URL/discord/hook)}", (0, 27)),
    Way("telegram", "{bot_token_file: FILE(1:T), chat_id: -100123, api_url: URL/telegram}", (0, 26)),
    Way("sns", f"{{topic_arn: '{TOPIC}', profile: pager, api_url: URL/sns}}"),
    Way(
        "jira",
        "{url: URL/jira, project: OPS, issue_type: Task, username: a@example.com, token_file: FILE(J0123),"
        " resolve_transition: Done}",
        (0, 28),
        requests=(2, 6),
    ),
)


@dataclass
class Desk:
    """An Alertmanager that tells every integration it knows, and the stand-in that hears it."""

    url: str
    heard: StandIn
    ways: tuple[Way, ...]

    def has_told(self, resolved: bool) -> bool:
        return all(len(self.heard.to(f"/{way.key}")) >= way.requests[resolved] for way in self.ways)

    def post(self, resolved: bool = False, **labels: str) -> None:
        now = datetime.now(UTC)
        alert = {
            "labels": {**LABELS, **labels},
            "annotations": ANNOTATIONS,
            "generatorURL": GRAPH,
            "startsAt": (now - timedelta(minutes=5)).isoformat(),
            **({"endsAt": now.isoformat()} if resolved else {}),
        }
        requests.post(f"{self.url}/api/v2/alerts", json=[alert], timeout=5).raise_for_status()


def documents(ways: tuple[Way, ...], folder: Path, url: str) -> str:
    """Return a receiver with each of the ways, its secrets in files below `folder`."""
    lines = []
    for way in ways:
        head, found, rest = way.spec.partition("FILE(")
        if found:
            secret, _, tail = rest.partition(")")
            file = folder / f"{way.key}-secret"
            file.write_text(secret.replace("URL", url))
            head = f"{head}{file}{tail}"
        lines.append(f"  {way.key}: [{head.replace('URL', url)}]")
    return receiver("all", "\n" + "\n".join(lines) + "\n")


@pytest.fixture
def desk(
    alertmanager: Server,
    alertmanager_server: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Desk]:
    credentials = tmp_path / "aws-credentials"
    credentials.write_text("[pager]\naws_access_key_id = AKIA\naws_secret_access_key = s\n")
    # A bundle of this machine's own is more than Alertmanager 0.31 can take for SNS.
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    version = (alertmanager.version[0], alertmanager.version[1])
    known = tuple(way for way in WAYS if way.since <= version)
    with stand_in() as heard:
        texts = (monitor("chat"), LADDER, documents(known, tmp_path, heard.url))
        config = build(bundle(*texts), tmp_path, target=version, grafana_url="https://grafana.example.com")
        yield Desk(alertmanager_server(config).url, heard, known)


def test_each_integration_tells_what_is_wrong_and_what_to_do(desk: Desk) -> None:
    silence = f"{desk.url}/#/silences/new?filter=%7Balertname%3D%22ModelErrorBudgetBurn%22%2C"

    desk.post()
    until(lambda: desk.has_told(resolved=False), what="messages")
    desk.post(resolved=True)
    until(lambda: desk.has_told(resolved=True), what="resolutions")

    for way in desk.ways:
        CHECKS[way.key](desk.heard.to(f"/{way.key}"), silence)


def _slack(heard: list[Request], silence: str) -> None:
    firing, resolved = heard
    assert firing.path == "/slack/hook"
    payload = firing.payload
    assert not payload.get("link_names")
    (card,) = payload["attachments"]
    escaped = HOSTILE.replace("<", "&lt;").replace(">", "&gt;")
    assert card["title"] == card["fallback"] == f"[PAGE] chat: slow {escaped}"
    assert card["title_link"] == DASHBOARD
    assert card["color"] == "danger"
    assert card["mrkdwn_in"] == ["fields"]
    assert card["text"].startswith(f"3% failed. {escaped}\nSince ")
    assert card["text"].endswith(f", model llama, objective availability, team ml, region eu {escaped}")
    (links,) = (field["value"] for field in card["fields"])
    assert links.startswith(f"<{silence}")
    assert links.split("|", 1)[1] == (
        f"Silence>  <{DASHBOARD}|Dashboard>"
        f"  <https://runbooks.example.com/a%7Cb%3E%28c%29|Runbook>  <{GRAPH}|Graph>"
    )
    (card,) = resolved.payload["attachments"]
    assert card["title"].startswith("[RESOLVED] chat: slow")
    assert card["color"] == "good"
    assert "Silence" not in card["fields"][0]["value"]


def _pagerduty(heard: list[Request], silence: str) -> None:
    firing, resolved = heard
    event = firing.payload
    assert (event["event_action"], event["routing_key"]) == ("trigger", "R0123")
    body = event["payload"]
    assert body["summary"] == f"[PAGE] {SUMMARY}"
    assert (body["severity"], body["source"], body["component"]) == ("critical", "chat", "llama")
    assert (body["class"], body["group"]) == ("ModelErrorBudgetBurn", "ml")
    assert ANNOTATIONS["description"] in body["custom_details"]["firing"]
    links = {link["text"]: link["href"] for link in event["links"]}
    assert links.pop("Silence").startswith(silence)
    assert links == {"Dashboard": DASHBOARD, "Runbook": ANNOTATIONS["runbook_url"]}
    over = resolved.payload
    assert (over["event_action"], over["dedup_key"]) == ("resolve", event["dedup_key"])


def _teams(heard: list[Request], silence: str) -> None:
    firing, resolved = heard
    (attachment,) = firing.payload["attachments"]
    title, text = (block["text"] for block in attachment["content"]["body"])
    escaped = (
        r"<!channel\> @everyone \[x\]\(javascript:y\) \*b\* {\u200b{ .Receiver }}"
        r" <a href=javascript:1\>z</a\>"
    ).replace(r"\u200b", "\u200b")
    assert title == f"[PAGE] chat: slow {escaped}"
    assert text.startswith(f"3% failed. {escaped}\n\nSince ")
    _links_in_markdown(text, silence)
    assert "Silence" not in resolved.body


def _discord(heard: list[Request], silence: str) -> None:
    firing, resolved = heard
    assert not firing.payload.get("content")
    (embed,) = firing.payload["embeds"]
    escaped = (
        r"\<!channel\> @_everyone \[x\]\(javascript\:y\) \*b\* {{ .Receiver }}"
        r" \<a href=javascript\:1\>z\</a\>"
    ).replace("@_", "@\u200b")
    assert embed["title"] == rf"[PAGE] chat\: slow {escaped}"
    assert embed["description"].startswith(f"3% failed. {escaped}\nSince ")
    _links_in_markdown(embed["description"], silence)
    assert "Silence" not in resolved.body


def _links_in_markdown(text: str, silence: str) -> None:
    *_, links = text.split("\n\n")
    assert links.startswith(f"[Silence]({silence}")
    assert links.partition(")")[2] == (
        f"  [Dashboard]({DASHBOARD})  [Runbook](https://runbooks.example.com/a%7Cb%3E%28c%29)"
        f"  [Graph]({GRAPH})"
    )


def _telegram(heard: list[Request], silence: str) -> None:
    firing, resolved = heard
    assert firing.path == "/telegram/bot1:T/sendMessage"
    assert firing.payload["chat_id"] == "-100123"
    assert not firing.payload.get("parse_mode")
    lines = firing.payload["text"].split("\n")
    unmentioned = HOSTILE.replace("@e", "@\u200be").replace("/a", "/\u200ba")
    assert lines[0] == f"[PAGE] chat: slow {unmentioned}"
    assert lines[2] == f"3% failed. {unmentioned}"
    assert lines[-4].startswith(f"Silence: {silence}")
    assert lines[-3:-1] == [
        f"Dashboard: {DASHBOARD}",
        "Runbook: https://runbooks.example.com/a%7Cb%3E%28c%29",
    ]
    assert resolved.payload["text"].startswith("[RESOLVED] chat: slow")


def _opsgenie(heard: list[Request], silence: str) -> None:
    firing, resolved = heard
    assert firing.headers["Authorization"] == "GenieKey G0123"
    assert firing.path == "/opsgenie/v2/alerts"
    alert = firing.payload
    assert alert["message"] == f"[PAGE] {SUMMARY}"[:127] + "..." or alert["message"] == f"[PAGE] {SUMMARY}"
    assert (alert["priority"], alert["entity"], alert["tags"]) == ("P1", "chat", ["airis-mon"])
    assert alert["description"].startswith(ANNOTATIONS["description"])
    assert f"Silence: {silence}" in alert["description"]
    assert alert["details"]["region"] == LABELS["region"]
    assert resolved.path == f"/opsgenie/v2/alerts/{alert['alias']}/close?identifierType=alias"


def _sns(heard: list[Request], silence: str) -> None:
    firing, resolved = (parse_qs(request.body) for request in heard)
    assert "Credential=AKIA/" in heard[0].headers["Authorization"]
    assert "/eu-west-1/sns/" in heard[0].headers["Authorization"]
    assert firing["TopicArn"] == [TOPIC]
    (subject,) = firing["Subject"]
    assert subject == f"[PAGE] {SUMMARY[:70]}?"
    assert len(subject) < 100
    assert firing["Message"][0].startswith(ANNOTATIONS["description"])
    assert f"Silence: {silence}" in firing["Message"][0]
    assert resolved["Subject"][0].startswith("[RESOLVED] chat: slow")


def _jira(heard: list[Request], silence: str) -> None:
    assert [(request.method, request.path.removeprefix("/jira/rest/api/2")) for request in heard] == [
        ("POST", "/search"),
        ("POST", "/issue"),
        ("POST", "/search"),
        ("PUT", "/issue/OPS-1"),
        ("GET", "/issue/OPS-1/transitions"),
        ("POST", "/issue/OPS-1/transitions"),
    ]
    fields = heard[1].payload["fields"]
    user = base64.b64encode(b"a@example.com:J0123").decode()
    assert {request.headers["Authorization"] for request in heard} == {f"Basic {user}"}
    assert (fields["project"], fields["issuetype"]) == ({"key": "OPS"}, {"name": "Task"})
    assert "priority" not in fields
    assert fields["summary"] == f"[PAGE] {SUMMARY}"
    assert r"\[x\](javascript:y) \*b\* \{\{ .Receiver \}\}" in fields["description"]
    assert f"[Silence|{silence}" in fields["description"]
    assert f"[Dashboard|{DASHBOARD}]" in fields["description"]
    assert heard[5].payload["transition"] == {"id": "31"}


def _webhooks(heard: list[Request], silence: str) -> None:
    user = base64.b64encode(b"am:W0123").decode()
    assert [request.headers["Authorization"] for request in heard] == [f"Basic {user}"] * 2
    assert [request.payload["status"] for request in heard] == ["firing", "resolved"]


CHECKS: dict[str, Callable[[list[Request], str], None]] = {
    "webhooks": _webhooks,
    "slack": _slack,
    "teams": _teams,
    "pagerduty": _pagerduty,
    "opsgenie": _opsgenie,
    "discord": _discord,
    "telegram": _telegram,
    "sns": _sns,
    "jira": _jira,
}


def test_every_integration_is_tried() -> None:
    # Mails have their own, see test_ladder.py and test_mail_server.py.
    keys = {integration.key for integration in INTEGRATIONS} - {"emails"}
    assert {way.key for way in WAYS} == set(CHECKS) == keys

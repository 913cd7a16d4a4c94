"""What a real Alertmanager sends to each integration, taken by a stand-in for the service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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


WAYS = (
    Way("slack", "{api_url_file: FILE(URL/slack/hook)}"),
    Way("pagerduty", "{routing_key_file: FILE(R0123), url: URL/pagerduty}"),
)


@dataclass
class Desk:
    """An Alertmanager that tells every integration it knows, and the stand-in that hears it."""

    url: str
    heard: StandIn
    version: tuple[int, ...]

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
            file.write_text(secret.replace("URL", url) + "\n")
            head = f"{head}{file}{tail}"
        lines.append(f"  {way.key}: [{head.replace('URL', url)}]")
    return receiver("all", "\n" + "\n".join(lines) + "\n")


@pytest.fixture
def desk(alertmanager: Server, alertmanager_server: Callable[..., Any], tmp_path: Path) -> Iterator[Desk]:
    version = alertmanager.version[:2]
    known = tuple(way for way in WAYS if way.since <= version)
    with stand_in() as heard:
        texts = (monitor("chat"), LADDER, documents(known, tmp_path, heard.url))
        target = (version[0], version[1])
        config = build(bundle(*texts), tmp_path, target=target, grafana_url="https://grafana.example.com")
        yield Desk(alertmanager_server(config).url, heard, version)


def test_each_integration_tells_what_is_wrong_and_what_to_do(desk: Desk) -> None:
    known = [way.key for way in WAYS if way.since <= desk.version]
    silence = f"{desk.url}/#/silences/new?filter=%7Balertname%3D%22ModelErrorBudgetBurn%22%2C"

    desk.post()
    until(lambda: all(desk.heard.to(f"/{key}") for key in known), what="messages")
    desk.post(resolved=True)
    until(lambda: all(len(desk.heard.to(f"/{key}")) > 1 for key in known), what="resolutions")

    for key in known:
        firing, resolved = desk.heard.to(f"/{key}")[:2]
        CHECKS[key](firing, resolved, silence)


def _slack(firing: Request, resolved: Request, silence: str) -> None:
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


def _pagerduty(firing: Request, resolved: Request, silence: str) -> None:
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


CHECKS: dict[str, Callable[[Request, Request, str], None]] = {
    "slack": _slack,
    "pagerduty": _pagerduty,
}


def test_every_integration_is_tried() -> None:
    # Webhooks and mails have their own, see test_ladder.py.
    keys = {integration.key for integration in INTEGRATIONS} - {"webhooks", "emails"}
    assert {way.key for way in WAYS} == set(CHECKS) == keys

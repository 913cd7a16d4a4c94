from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from airis_mon.alertmanager import compile as alertmanager
from airis_mon.demo import documents
from airis_mon.demo.background import Background
from airis_mon.demo.inboxes import Channel, Inbox, InboxServers, Subject
from airis_mon.demo.story import PAGE
from airis_mon.spec import decode
from tests.waiting import until


@pytest.fixture
def inboxes() -> Iterator[tuple[Inbox, InboxServers]]:
    with ExitStack() as ending:
        background = ending.enter_context(Background())
        inbox = Inbox(time.monotonic)
        servers = InboxServers(inbox)
        ending.callback(lambda: background.run(servers.stop()))
        background.run(servers.start())
        yield inbox, servers


def arrival(inbox: Inbox, channel: Channel, subject: Subject, *, resolved: bool) -> float:
    what = f"a message of {subject} by {channel}"
    message = until(lambda: inbox.first(channel, subject, since=0, resolved=resolved), what=what)
    assert message is not None
    return message.at


def test_pages_of_a_real_alertmanager_arrive_by_both_channels(
    inboxes: tuple[Inbox, InboxServers], alertmanager_server: Callable[..., Any], tmp_path: Path
) -> None:
    inbox, servers = inboxes
    addresses = documents.Addresses(servers.webhook_url, servers.smarthost)
    decoded = decode({"monitors.yaml": documents.text(addresses)})
    assert decoded.problems == ()
    for artefact in alertmanager.artefacts(decoded.bundle):
        path = tmp_path / artefact.path
        path.parent.mkdir(exist_ok=True)
        path.write_text(artefact.text)
    server = alertmanager_server(tmp_path / "alertmanager/alertmanager.yaml")

    def post(ends: str | None) -> None:
        labels = {
            "alertname": "ModelAnomaly",
            "severity": "page",
            "monitor": documents.CHAT,
            "model": "chat-small",
            "team": "chat",
            "for": documents.FIRST_TOKEN,
        }
        summary = f"{documents.CHAT}: {documents.FIRST_TOKEN} is unlike its own past"
        alert = {"labels": labels, "annotations": {"summary": summary}, **({"endsAt": ends} if ends else {})}
        requests.post(f"{server.url}/api/v2/alerts", json=[alert], timeout=10).raise_for_status()

    post(None)
    channels: tuple[Channel, ...] = ("http", "smtp")
    fired = {channel: arrival(inbox, channel, PAGE, resolved=False) for channel in channels}
    assert all(message.resolved == frozenset() for message in inbox.messages)
    post("2020-01-01T00:00:00Z")
    for channel, at in fired.items():
        assert arrival(inbox, channel, PAGE, resolved=True) > at
    titles = [message.title for message in inbox.messages if message.channel == "smtp"]
    assert titles[0] == f"[PAGE] {documents.CHAT}: {documents.FIRST_TOKEN} is unlike its own past"


def test_http_inbox_refuses_what_is_no_page(inboxes: tuple[Inbox, InboxServers]) -> None:
    inbox, servers = inboxes
    for body in ("{", "[]", '{"alerts": [{}]}', '{"alerts": 1}'):
        answer = requests.post(servers.webhook_url, data=body, timeout=10)
        assert answer.status_code == 400
        assert "no webhook message of Alertmanager" in answer.text
    assert inbox.messages == ()

"""Where pages arrive: a real HTTP server and a real SMTP server, which remember when each message came."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from airis_mon.rules import series

Channel = Literal["http", "smtp"]
LARGEST = 1 << 20
"""Bytes of one message."""
_ABOUT = re.compile(r"^  (severity|about) +(.*)$", re.MULTILINE)


class Subject(NamedTuple):
    """What an alert in a message is about."""

    monitor: str
    severity: str
    about: str
    """As the message says it: `signal error_ratio`, `objective availability`."""


@dataclass(frozen=True)
class Message:
    """One message, told by the alerts that it carries."""

    at: float
    """When it arrived, by the inbox' clock."""
    channel: Channel
    title: str
    firing: frozenset[Subject]
    resolved: frozenset[Subject]


class Inbox:
    """Every message of both channels, in the order of arrival. Safe to read from another thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._messages: list[Message] = []

    @property
    def messages(self) -> tuple[Message, ...]:
        """What has arrived so far."""
        with self._lock:
            return tuple(self._messages)

    def first(
        self, channel: Channel, subject: Subject, *, since: float, resolved: bool = False
    ) -> Message | None:
        """Return the first message on `channel` since then that told of `subject`, None if none did."""
        for message in self.messages:
            told = message.resolved if resolved else message.firing
            if message.channel == channel and message.at >= since and subject in told:
                return message
        return None

    def take_webhook(self, payload: Mapping[str, Any]) -> None:
        """Remember a webhook message of Alertmanager (version 4)."""
        at = self._clock()
        firing: set[Subject] = set()
        resolved: set[Subject] = set()
        for alert in payload["alerts"]:
            labels = alert["labels"]
            said = about(labels.get(series.OBJECTIVE_LABEL), labels.get(series.FOR))
            subject = Subject(labels.get(series.MONITOR, ""), labels.get(series.SEVERITY, ""), said)
            (firing if alert["status"] == "firing" else resolved).add(subject)
        common = payload.get("commonLabels", {})
        title = (
            f"[{payload['status'].upper()}] {common.get('alertname', '')} {common.get(series.MONITOR, '')}"
        )
        self._add(Message(at, "http", title, frozenset(firing), frozenset(resolved)))

    def take_mail(self, content: bytes) -> None:
        """Remember a mail of Alertmanager, written by our template."""
        at = self._clock()
        mail = email.message_from_bytes(content, policy=email.policy.default)
        title = str(mail["Subject"] or "")
        part = mail.get_body(("plain",))
        body = part.get_content().replace("\r\n", "\n") if part is not None else ""
        monitor = title.partition("] ")[2].partition(":")[0]
        before, _, after = ("\n" + body).partition("\nRESOLVED\n")
        self._add(Message(at, "smtp", title, _subjects(monitor, before), _subjects(monitor, after)))

    def _add(self, message: Message) -> None:
        with self._lock:
            self._messages.append(message)


def about(objective: str | None, signal: str | None) -> str:
    """Return what an alert is about, as the message says it."""
    return (f"objective {objective}" if objective else "") + (f"signal {signal}" if signal else "")


def _subjects(monitor: str, text: str) -> frozenset[Subject]:
    values = [match[2].strip() for match in _ABOUT.finditer(text)]
    pairs: Iterable[tuple[str, str]] = zip(values[::2], values[1::2], strict=False)
    return frozenset(Subject(monitor, severity, about) for severity, about in pairs)


class InboxServers:
    """Both servers, on loopback; `addresses` are known before they serve, so that documents can name them."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in ("http", "smtp")}
        self._runner: web.AppRunner | None = None
        self._smtp: asyncio.Server | None = None

    @property
    def webhook_url(self) -> str:
        """Where the HTTP inbox takes Alertmanager's webhook."""
        return f"http://127.0.0.1:{self._sockets['http'].getsockname()[1]}/page"

    @property
    def smarthost(self) -> str:
        """`host:port` of the SMTP inbox."""
        return f"127.0.0.1:{self._sockets['smtp'].getsockname()[1]}"

    async def start(self) -> None:
        """Serve from now on, in the running loop."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_post("/page", self._page)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.SockSite(self._runner, self._sockets["http"]).start()
        loop = asyncio.get_running_loop()
        self._smtp = await loop.create_server(
            lambda: SMTP(
                self, data_size_limit=LARGEST, hostname="localhost", ident="AIRIS-MON demo", loop=loop
            ),
            sock=self._sockets["smtp"],
        )

    async def stop(self) -> None:
        """End both servers."""
        if self._smtp is not None:
            self._smtp.close()
        if self._runner is not None:
            await self._runner.cleanup()
        for each in self._sockets.values():
            each.close()

    async def _page(self, request: web.Request) -> web.Response:
        try:
            self._inbox.take_webhook(await request.json())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return web.Response(status=400, text=f"no webhook message of Alertmanager: {error!r}\n")
        return web.Response()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take one mail; aiosmtpd calls this."""
        content = envelope.content
        self._inbox.take_mail(content if isinstance(content, bytes) else (content or "").encode())
        return "250 Message accepted for delivery"

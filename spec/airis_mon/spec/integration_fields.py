"""The keys of the ways to reach somebody that a Receiver lists.

A secret never stands in a document. Keys that would hold one are refused, with the key that names its file;
no message repeats what was written there, nor the value of any other key that is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airis_mon.spec.integrations import Email, PagerDuty, Slack, Webhook
from airis_mon.spec.reading import Reading
from airis_mon.spec.records import Field, ListOf, Record
from airis_mon.spec.scalars import Flag, Text
from airis_mon.spec.words import ENDPOINT, HOST_PORT, LINE, MAILBOX, SECRET_FILE

_SLACK_CHANNEL = Text(
    wanted='a channel in quotes (such as "#oncall")',
    pattern=r"^[#@]?[^\s#@<>{}]+$",
    hint='write "#oncall", or the ID of a channel or member, such as C012AB3CD; `#` needs the quotes',
    longest=80,
)


def _record(
    title: str,
    build: Callable[..., Any],
    fields: tuple[Field, ...],
    literals: Mapping[str, str],
    exactly_one: tuple[str, ...] = (),
    check: Callable[[Any, str, Reading], None] | None = None,
) -> Record:
    """Return the shape of one way; `literals` is which key names the file of what a key would hold."""
    message = "secrets do not belong in a document"
    hint = "put it in a file and write {}: /path/of/the/file"
    return Record(
        title,
        fields,
        build,
        exactly_one=exactly_one,
        hints={key: (message, hint.format(file)) for key, file in literals.items()},
        meant=literals,
        private=True,
        check=check,
    )


def _bot_has_channel(slack: Slack, path: str, reading: Reading) -> None:
    if slack.bot_token_file is not None and slack.channel is None:
        reading.refuse(
            reading.places.get(path),
            f"{path}.channel",
            "a bot has no channel of its own",
            'write where it says it: channel: "#oncall"',
        )


WEBHOOK = _record(
    "Webhook",
    Webhook,
    (
        Field("url", ENDPOINT, "Where Alertmanager posts its webhook payload."),
        Field("url_file", SECRET_FILE, "File that holds the URL, where the URL is a secret."),
    ),
    {},
    exactly_one=("url", "url_file"),
)

EMAIL = _record(
    "Email",
    Email,
    (
        Field("to", MAILBOX, "Who is written to.", required=True),
        Field("from", MAILBOX, "Who writes.", required=True, attribute="sender"),
        Field("smarthost", HOST_PORT, "host:port of the SMTP server.", required=True),
        Field("username", LINE, "User of the SMTP server."),
        Field("password_file", SECRET_FILE, "File that holds the user's password."),
        Field("require_tls", Flag(), "Refuse to send over a plain connection.", default=True),
    ),
    {"password": "password_file", "auth_password": "password_file"},
)

SLACK = _record(
    "Slack",
    Slack,
    (
        Field("api_url_file", SECRET_FILE, "File that holds the URL of an incoming webhook."),
        Field(
            "bot_token_file",
            SECRET_FILE,
            "File that holds the token of a bot with the scope `chat:write` (`xoxb-...`).",
        ),
        Field("channel", _SLACK_CHANNEL, "Where a bot writes. An incoming webhook has its own channel."),
    ),
    {
        "api_url": "api_url_file",
        "webhook_url": "api_url_file",
        "bot_token": "bot_token_file",
        "app_token": "bot_token_file",
        "token": "bot_token_file",
    },
    exactly_one=("api_url_file", "bot_token_file"),
    check=_bot_has_channel,
)

PAGERDUTY = _record(
    "PagerDuty",
    PagerDuty,
    (
        Field(
            "routing_key_file",
            SECRET_FILE,
            "File that holds the integration key (Events API v2) of the service.",
            required=True,
        ),
        Field(
            "url",
            ENDPOINT,
            "Where events are posted, where that is not `https://events.pagerduty.com/v2/enqueue`;"
            " in Europe `https://events.eu.pagerduty.com/v2/enqueue`.",
        ),
    ),
    {"routing_key": "routing_key_file", "service_key": "routing_key_file"},
)

INTEGRATIONS = (
    Field("webhooks", ListOf(WEBHOOK, "webhook"), "HTTP endpoints."),
    Field("emails", ListOf(EMAIL, "email"), "Mailboxes."),
    Field("slack", ListOf(SLACK, "channel"), "Channels of Slack."),
    Field("pagerduty", ListOf(PAGERDUTY, "service"), "Services of PagerDuty."),
)
"""The keys of a Receiver."""

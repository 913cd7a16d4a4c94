"""The ways to reach somebody that a Receiver lists, one class per integration of Alertmanager.

Secrets are never here: what is secret is the path of the file that holds it, and its name ends in `_file`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Webhook:
    """An HTTP endpoint that takes Alertmanager's webhook payload."""

    url: str | None = None
    url_file: str | None = None
    """File that holds the URL, where the URL is a secret. Exactly one of both is set."""


@dataclass(frozen=True)
class Email:
    """A mailbox, reached through an SMTP server."""

    to: str
    sender: str
    """Written `from`."""
    smarthost: str
    """`host:port` of the SMTP server."""
    username: str | None = None
    password_file: str | None = None
    require_tls: bool = True


@dataclass(frozen=True)
class Slack:
    """A channel of Slack."""

    api_url_file: str | None = None
    """File that holds the URL of an incoming webhook."""
    bot_token_file: str | None = None
    """File that holds the token of a bot that may write. Exactly one of both is set."""
    channel: str | None = None
    """Where a bot writes; an incoming webhook has its own channel."""


@dataclass(frozen=True)
class PagerDuty:
    """A service of PagerDuty, through its Events API v2."""

    routing_key_file: str
    """File that holds the integration key of the service."""
    url: str | None = None
    """Where events are posted; None is the service region of the United States."""

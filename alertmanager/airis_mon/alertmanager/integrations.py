"""The ways to reach somebody: one table for what is written and for what is checked.

`send_resolved` is always written: its default differs from integration to integration. Secrets stay in files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airis_mon.alertmanager import chats, incidents, transports
from airis_mon.spec import Jira


@dataclass(frozen=True)
class Limit:
    """What older ones of Alertmanager do not know."""

    field: str
    """Of the way, where it is written."""
    since: tuple[int, int]
    """First version that knows it."""
    lack: str
    """What an older one does not do, after its name."""
    instead: str
    """What to write for an older one."""
    concerns: Callable[[Any], bool] | None = None
    """Which ways whose field is written it is a limit for; None is all."""

    def stops(self, way: object, target: tuple[int, int]) -> bool:
        """Say whether an Alertmanager of that version cannot do what is written."""
        written = getattr(way, self.field) is not None
        return target < self.since and written and (self.concerns is None or self.concerns(way))


@dataclass(frozen=True)
class Integration:
    """One way to reach somebody."""

    key: str
    """In a Receiver."""
    config_key: str
    """In Alertmanager's receiver."""
    config: Callable[[Any], dict[str, Any]]
    """From the value of the Receiver to what Alertmanager reads."""
    limits: tuple[Limit, ...] = ()

    def item(self, way: object) -> dict[str, Any]:
        """Return what stands for a way in Alertmanager's receiver."""
        config = self.config(way)
        return {**config, "send_resolved": config.get("send_resolved", True)}


def _in_the_cloud(jira: Jira) -> bool:
    host = jira.url.partition("://")[2].partition("/")[0].partition(":")[0]
    return host.endswith(".atlassian.net")


_RELAY = "write a `webhooks` item for a program that passes messages on"

INTEGRATIONS = (
    Integration(
        "webhooks",
        "webhook_configs",
        transports.webhook,
        (Limit("url_file", (0, 26), "cannot read a webhook's URL from a file", "write `url`"),),
    ),
    Integration("emails", "email_configs", transports.email),
    Integration("slack", "slack_configs", chats.slack),
    Integration(
        "teams",
        "msteamsv2_configs",
        chats.teams,
        (Limit("webhook_url_file", (0, 28), "does not know the workflows of Teams", _RELAY),),
    ),
    Integration("pagerduty", "pagerduty_configs", incidents.pagerduty),
    Integration("opsgenie", "opsgenie_configs", incidents.opsgenie),
    Integration(
        "discord",
        "discord_configs",
        chats.discord,
        (
            Limit(
                "webhook_url_file",
                (0, 27),
                "cannot read the URL of Discord's webhook from a file",
                "write a `slack` item whose `api_url_file` holds that URL with /slack at its end",
            ),
        ),
    ),
    Integration(
        "telegram",
        "telegram_configs",
        chats.telegram,
        (
            Limit("bot_token_file", (0, 26), "cannot read the token of Telegram's bot from a file", _RELAY),
            Limit("message_thread_id", (0, 28), "does not know topics of a group", "remove it"),
        ),
    ),
    Integration("sns", "sns_configs", transports.sns),
    Integration(
        "jira",
        "jira_configs",
        incidents.jira,
        (
            Limit("project", (0, 28), "does not know Jira", _RELAY),
            Limit(
                "url",
                (0, 29),
                "looks for issues where Jira Cloud no longer answers",
                _RELAY,
                _in_the_cloud,
            ),
        ),
    ),
)

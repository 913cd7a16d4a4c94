"""Chats in Alertmanager's words: Slack, Microsoft Teams, Discord, Telegram."""

from __future__ import annotations

from typing import Any

from airis_mon.alertmanager import message
from airis_mon.alertmanager.dialects import DISCORD, SLACK, TEAMS, TELEGRAM
from airis_mon.alertmanager.transports import bearer
from airis_mon.spec import Discord, Slack, Teams, Telegram

SLACK_API = "https://slack.com/api/chat.postMessage"
"""Where a bot writes; the incoming webhooks have URLs of their own."""


def slack(way: Slack) -> dict[str, Any]:
    """Return a `slack_configs` item."""
    config: dict[str, Any] = {"api_url_file": way.api_url_file}
    if way.bot_token_file is not None:
        config = {"api_url": SLACK_API, "http_config": bearer(way.bot_token_file)}
    if way.channel is not None:
        config["channel"] = way.channel
    return {
        **config,
        "color": message.by_severity(page="danger", ticket="warning", resolved="good"),
        "title": message.chat(SLACK, "title"),
        "title_link": message.LINK,
        "text": message.chat(SLACK, "text"),
        "fallback": message.chat(SLACK, "title"),
        "fields": [{"title": "Links", "value": message.chat(SLACK, "links")}],
        # Only the links are ours; what people and labels say stays as it is.
        "mrkdwn_in": ["fields"],
        "link_names": False,
    }


def teams(way: Teams) -> dict[str, Any]:
    """Return an `msteamsv2_configs` item."""
    return {
        "webhook_url_file": way.webhook_url_file,
        "title": message.chat(TEAMS, "title"),
        "text": f"{message.chat(TEAMS, 'text')}\n\n{message.chat(TEAMS, 'links')}",
    }


def discord(way: Discord) -> dict[str, Any]:
    """Return a `discord_configs` item."""
    return {
        "webhook_url_file": way.webhook_url_file,
        "title": message.chat(DISCORD, "title"),
        "message": f"{message.chat(DISCORD, 'text')}\n\n{message.chat(DISCORD, 'links')}",
    }


def telegram(way: Telegram) -> dict[str, Any]:
    """Return a `telegram_configs` item."""
    config: dict[str, Any] = {"bot_token_file": way.bot_token_file, "chat_id": way.chat_id}
    if way.message_thread_id is not None:
        config["message_thread_id"] = way.message_thread_id
    if way.api_url is not None:
        config["api_url"] = way.api_url
    parts = [message.chat(TELEGRAM, part) for part in ("title", "text", "links")]
    return {**config, "parse_mode": "", "message": "\n\n".join(parts)}

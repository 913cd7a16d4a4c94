"""The keys of chats: Slack, Microsoft Teams, Discord, Telegram."""

from __future__ import annotations

from airis_mon.spec.integration_record import integration
from airis_mon.spec.integrations import Discord, Slack, Teams, Telegram
from airis_mon.spec.reading import Reading
from airis_mon.spec.records import Field
from airis_mon.spec.scalars import Count, Text
from airis_mon.spec.words import ENDPOINT, SECRET_FILE

_SLACK_CHANNEL = Text(
    wanted='a channel in quotes (such as "#oncall")',
    pattern=r"^[#@]?[^\s#@<>{}]+$",
    hint='write "#oncall", or the ID of a channel or member, such as C012AB3CD; `#` needs the quotes',
    longest=80,
)


def _bot_has_channel(slack: Slack, path: str, reading: Reading) -> None:
    if slack.bot_token_file is not None and slack.channel is None:
        reading.refuse(
            reading.places.get(path),
            f"{path}.channel",
            "a bot has no channel of its own",
            'write where it says it: channel: "#oncall"',
        )


SLACK = integration(
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

TEAMS = integration(
    "Teams",
    Teams,
    (
        Field(
            "webhook_url_file",
            SECRET_FILE,
            "File that holds the URL of the channel's workflow that posts what a webhook receives.",
            required=True,
        ),
    ),
    {"webhook_url": "webhook_url_file", "url": "webhook_url_file"},
)

DISCORD = integration(
    "Discord",
    Discord,
    (
        Field(
            "webhook_url_file",
            SECRET_FILE,
            "File that holds the URL of the channel's webhook.",
            required=True,
        ),
    ),
    {"webhook_url": "webhook_url_file", "url": "webhook_url_file"},
)

TELEGRAM = integration(
    "Telegram",
    Telegram,
    (
        Field("bot_token_file", SECRET_FILE, "File that holds the token of the bot.", required=True),
        Field(
            "chat_id",
            Count(
                -(10**15),
                10**15,
                "write the number of the chat, as the bot's getUpdates tells it: -1001234567890",
            ),
            "The chat that the bot writes to; those of groups are negative.",
            required=True,
        ),
        Field("message_thread_id", Count(1, 2**31 - 1), "The topic, in a group that has topics."),
        Field("api_url", ENDPOINT, "A Bot API server of your own."),
    ),
    {"bot_token": "bot_token_file", "token": "bot_token_file"},
)

"""The ways to reach somebody that a Receiver may list."""

from __future__ import annotations

from airis_mon.spec.chat_fields import DISCORD, SLACK, TEAMS, TELEGRAM
from airis_mon.spec.incident_fields import JIRA, OPSGENIE, PAGERDUTY
from airis_mon.spec.records import Field, ListOf
from airis_mon.spec.transport_fields import EMAIL, SNS, WEBHOOK

INTEGRATIONS = (
    Field("webhooks", ListOf(WEBHOOK, "webhook"), "HTTP endpoints."),
    Field("emails", ListOf(EMAIL, "email"), "Mailboxes."),
    Field("slack", ListOf(SLACK, "channel"), "Channels of Slack."),
    Field("teams", ListOf(TEAMS, "channel"), "Channels of Microsoft Teams; Alertmanager 0.28 or newer."),
    Field("pagerduty", ListOf(PAGERDUTY, "service"), "Services of PagerDuty."),
    Field("opsgenie", ListOf(OPSGENIE, "integration"), "Integrations of Opsgenie."),
    Field("discord", ListOf(DISCORD, "channel"), "Channels of Discord; Alertmanager 0.27 or newer."),
    Field("telegram", ListOf(TELEGRAM, "chat"), "Chats of Telegram; Alertmanager 0.26 or newer."),
    Field("sns", ListOf(SNS, "topic"), "Topics of Amazon SNS."),
    Field("jira", ListOf(JIRA, "project"), "Projects of Jira; Alertmanager 0.28 or newer, for Cloud 0.29."),
)
"""The keys of a Receiver."""

"""The ways to reach somebody in Alertmanager's words: one table for what is written and for what is checked.

`send_resolved` is always written: its default differs from integration to integration. Secrets stay in files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airis_mon.alertmanager import message
from airis_mon.alertmanager.dialects import SLACK
from airis_mon.rules import series
from airis_mon.spec import Email, PagerDuty, Slack, Webhook

SLACK_API = "https://slack.com/api/chat.postMessage"
"""Where a bot writes; the incoming webhooks have URLs of their own."""


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


def _webhook(webhook: Webhook) -> dict[str, Any]:
    return {"url": webhook.url} if webhook.url is not None else {"url_file": webhook.url_file}


def _email(email: Email) -> dict[str, Any]:
    config: dict[str, Any] = {"to": email.to, "from": email.sender, "smarthost": email.smarthost}
    if email.username is not None:
        config["auth_username"] = email.username
    if email.password_file is not None:
        config["auth_password_file"] = email.password_file
    return {
        **config,
        "require_tls": email.require_tls,
        "headers": {"Subject": message.SUBJECT},
        "html": message.HTML,
        "text": message.TEXT,
    }


def _slack(slack: Slack) -> dict[str, Any]:
    config: dict[str, Any] = {"api_url_file": slack.api_url_file}
    if slack.bot_token_file is not None:
        config = {"api_url": SLACK_API, "http_config": bearer(slack.bot_token_file)}
    if slack.channel is not None:
        config["channel"] = slack.channel
    return {
        **config,
        "color": _by_severity(page="danger", ticket="warning", resolved="good"),
        "title": message.chat(SLACK, "title"),
        "title_link": message.LINK,
        "text": message.chat(SLACK, "text"),
        "fallback": message.chat(SLACK, "title"),
        "fields": [{"title": "Links", "value": message.chat(SLACK, "links")}],
        # Only the links are ours; what people and labels say stays as it is.
        "mrkdwn_in": ["fields"],
        "link_names": False,
    }


def _pagerduty(pagerduty: PagerDuty) -> dict[str, Any]:
    config: dict[str, Any] = {"routing_key_file": pagerduty.routing_key_file}
    if pagerduty.url is not None:
        config["url"] = pagerduty.url
    return {
        **config,
        "description": message.SUBJECT,
        "severity": _by_severity(page="critical", ticket="warning", resolved="info"),
        "source": f"{{{{ .CommonLabels.{series.MONITOR} }}}}",
        "class": "{{ .CommonLabels.alertname }}",
        "component": f"{{{{ .CommonLabels.{series.MODEL} }}}}",
        "group": f"{{{{ .CommonLabels.{series.TEAM} }}}}",
        "client": "Alertmanager",
        "client_url": "{{ .ExternalURL }}",
        "details": {
            "firing": '{{ template "airis-mon.text.alerts" .Alerts.Firing }}',
            "resolved": '{{ template "airis-mon.text.alerts" .Alerts.Resolved }}',
        },
        # PagerDuty takes no link without a URL; Alertmanager leaves those out.
        "links": [
            {"href": message.SILENCE, "text": "Silence"},
            {"href": message.DASHBOARD, "text": "Dashboard"},
            {"href": message.RUNBOOK, "text": "Runbook"},
        ],
    }


def bearer(token_file: str) -> dict[str, Any]:
    """Return the `http_config` that sends the content of a file as a bearer token."""
    return {"authorization": {"type": "Bearer", "credentials_file": token_file}}


def _by_severity(*, page: str, ticket: str, resolved: str) -> str:
    severity = f'if eq .CommonLabels.{series.SEVERITY} "{series.PAGE}"'
    firing = f"{{{{ {severity} }}}}{page}{{{{ else }}}}{ticket}{{{{ end }}}}"
    return f'{{{{ if eq .Status "firing" }}}}{firing}{{{{ else }}}}{resolved}{{{{ end }}}}'


_URL_FILE = Limit("url_file", (0, 26), "cannot read a webhook's URL from a file", "write `url`")

INTEGRATIONS = (
    Integration("webhooks", "webhook_configs", _webhook, (_URL_FILE,)),
    Integration("emails", "email_configs", _email),
    Integration("slack", "slack_configs", _slack),
    Integration("pagerduty", "pagerduty_configs", _pagerduty),
)

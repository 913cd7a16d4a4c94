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
    username: str | None = None
    """User of HTTP's basic authentication; then `password_file` is set too."""
    password_file: str | None = None
    token_file: str | None = None
    """File that holds a bearer token; None together with `username`."""


@dataclass(frozen=True)
class SendGrid:
    """The SMTP relay of SendGrid."""

    api_key_file: str
    """File that holds an API key that may send mail."""


@dataclass(frozen=True)
class Ses:
    """The SMTP relay of Amazon SES."""

    region: str
    """AWS's region, such as `eu-west-1`."""
    username: str
    """SMTP user name; not that of an IAM user."""
    password_file: str
    """File that holds the SMTP password; not an IAM secret key."""


@dataclass(frozen=True)
class Email:
    """A mailbox, reached through an SMTP server."""

    to: str
    sender: str
    """Written `from`."""
    smarthost: str | None = None
    """`host:port` of the SMTP server. Exactly one of `smarthost`, `sendgrid` and `ses` is set."""
    username: str | None = None
    """User of `smarthost`; a relay knows its own."""
    password_file: str | None = None
    require_tls: bool = True
    sendgrid: SendGrid | None = None
    ses: Ses | None = None


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


@dataclass(frozen=True)
class Teams:
    """A channel of Microsoft Teams, through a workflow that takes webhooks."""

    webhook_url_file: str
    """File that holds the URL of the workflow."""


@dataclass(frozen=True)
class Discord:
    """A channel of Discord."""

    webhook_url_file: str
    """File that holds the URL of the channel's webhook."""


@dataclass(frozen=True)
class Telegram:
    """A chat of Telegram."""

    bot_token_file: str
    """File that holds the token of the bot that writes."""
    chat_id: int
    """The chat; those of groups are negative."""
    message_thread_id: int | None = None
    """The topic in a group that has topics."""
    api_url: str | None = None
    """A Bot API server of one's own; None is Telegram's."""


@dataclass(frozen=True)
class Opsgenie:
    """An API integration of Opsgenie, which knows the team it belongs to."""

    api_key_file: str
    """File that holds the key of the integration."""
    api_url: str | None = None
    """Root of the API; None is the one outside of Europe."""


@dataclass(frozen=True)
class Sns:
    """A topic of Amazon SNS; the credentials are those that AWS's own tools find where Alertmanager runs."""

    topic_arn: str
    """Names the region too."""
    role_arn: str | None = None
    """The role that is assumed to publish."""
    profile: str | None = None
    """Section of AWS's credentials file; None is what AWS's tools take without one."""
    api_url: str | None = None
    """An endpoint of one's own, such as a VPC's."""

    @property
    def region(self) -> str:
        """The region of the topic."""
        return self.topic_arn.split(":")[3]


@dataclass(frozen=True)
class Jira:
    """A project of Jira, in which a message is an issue."""

    url: str
    """Root of Jira, without `/rest/api`."""
    project: str
    """Key of the project."""
    issue_type: str
    """Name of the type of the issues."""
    token_file: str
    """File that holds an API token of `username` (Jira Cloud), or a personal access token (Data Center)."""
    username: str | None = None
    """Mail address of the account on Jira Cloud."""
    resolve_transition: str | None = None
    """Transition that ends an issue whose alerts are over; None leaves it as it is."""
    reopen_transition: str | None = None
    """Transition that an ended issue takes where its alerts come again; None begins another issue."""
    reopen_duration: float = 86400.0
    """Seconds after its end in which an issue is opened again; what flaps does it within hours."""

"""What carries a message on, in Alertmanager's words: webhooks, e-mail and its relays, Amazon SNS."""

from __future__ import annotations

from typing import Any

from airis_mon.alertmanager import message
from airis_mon.alertmanager.dialects import SNS
from airis_mon.spec import Email, Sns, Webhook

SENDGRID = "smtp.sendgrid.net:587"
SENDGRID_USER = "apikey"
"""The user name is this word; the API key is the password."""
SES = "email-smtp.{region}.amazonaws.com:587"


def bearer(token_file: str) -> dict[str, Any]:
    """Return the `http_config` that sends the content of a file as a bearer token."""
    return {"authorization": {"type": "Bearer", "credentials_file": token_file}}


def basic(username: str, password_file: str | None) -> dict[str, Any]:
    """Return the `http_config` of basic authentication."""
    return {"basic_auth": {"username": username, "password_file": password_file}}


def webhook(way: Webhook) -> dict[str, Any]:
    """Return a `webhook_configs` item."""
    config: dict[str, Any] = {"url": way.url} if way.url is not None else {"url_file": way.url_file}
    if way.username is not None:
        config["http_config"] = basic(way.username, way.password_file)
    if way.token_file is not None:
        config["http_config"] = bearer(way.token_file)
    return config


def email(way: Email) -> dict[str, Any]:
    """Return an `email_configs` item."""
    config: dict[str, Any] = {"to": way.to, "from": way.sender}
    smarthost, username, password_file = _server(way)
    config["smarthost"] = smarthost
    if username is not None:
        config["auth_username"] = username
    if password_file is not None:
        config["auth_password_file"] = password_file
    return {
        **config,
        # On this port the connection begins with TLS, and older ones would then ask for it a second time.
        "require_tls": way.require_tls and not str(smarthost).endswith(":465"),
        "headers": {"Subject": message.SUBJECT},
        "html": message.HTML,
        "text": message.TEXT,
    }


def _server(way: Email) -> tuple[str | None, str | None, str | None]:
    """Return host and port, user, and the file of the password."""
    if way.sendgrid is not None:
        return SENDGRID, SENDGRID_USER, way.sendgrid.api_key_file
    if way.ses is not None:
        return SES.format(region=way.ses.region), way.ses.username, way.ses.password_file
    return way.smarthost, way.username, way.password_file


def sns(way: Sns) -> dict[str, Any]:
    """Return an `sns_configs` item."""
    signed = {"region": way.region, "profile": way.profile, "role_arn": way.role_arn}
    config: dict[str, Any] = {"api_url": way.api_url} if way.api_url is not None else {}
    return {
        **config,
        "topic_arn": way.topic_arn,
        "sigv4": {key: value for key, value in signed.items() if value is not None},
        "subject": message.chat(SNS, "title"),
        "message": message.PLAIN,
    }

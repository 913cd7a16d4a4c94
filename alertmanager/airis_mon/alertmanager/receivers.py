"""Receivers: a webhook and a mailbox in Alertmanager's words.

`send_resolved` is always written: its default differs from integration to integration. Secrets stay in files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airis_mon.alertmanager.message import HTML, SUBJECT, TEXT
from airis_mon.alertmanager.routes import UNROUTED
from airis_mon.spec import Email, Receiver, Webhook


def receivers(documents: Sequence[Receiver]) -> list[dict[str, Any]]:
    """Return every receiver of the documents after the one that tells nobody."""
    return [{"name": UNROUTED}, *(_receiver(document) for document in documents)]


def _receiver(receiver: Receiver) -> dict[str, Any]:
    config: dict[str, Any] = {"name": receiver.name}
    if receiver.webhooks:
        config["webhook_configs"] = [_webhook(webhook) for webhook in receiver.webhooks]
    if receiver.emails:
        config["email_configs"] = [_email(email) for email in receiver.emails]
    return config


def _webhook(webhook: Webhook) -> dict[str, Any]:
    place = {"url": webhook.url} if webhook.url is not None else {"url_file": webhook.url_file}
    return {**place, "send_resolved": True}


def _email(email: Email) -> dict[str, Any]:
    config: dict[str, Any] = {"to": email.to, "from": email.sender, "smarthost": email.smarthost}
    if email.username is not None:
        config["auth_username"] = email.username
    if email.password_file is not None:
        config["auth_password_file"] = email.password_file
    return {
        **config,
        "require_tls": email.require_tls,
        "headers": {"Subject": SUBJECT},
        "html": HTML,
        "text": TEXT,
        "send_resolved": True,
    }

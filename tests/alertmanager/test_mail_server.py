"""A real SMTP server that wants TLS and a password, as the relays do."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.alertmanager.documents import build, bundle, monitor, policy, receiver
from tests.alertmanager.inboxes import smtp_inbox
from tests.waiting import until

LADDER = policy("standard", "{page: [{receivers: [mailbox]}], group_wait: 1s, group_interval: 1s}")


def test_mail_is_sent_over_tls_with_the_password_of_the_file(
    alertmanager_server: Callable[..., Any],
    free_port: Callable[[], int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    (tmp_path / "password").write_text("correct horse")
    tried: list[tuple[bytes, bytes]] = []

    def let_in(server: object, session: object, envelope: object, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        tried.append((data.login, data.password))
        return AuthResult(success=tried[-1] == (b"alerts", b"correct horse"))

    options: dict[str, Any] = {
        "tls_context": context,
        "require_starttls": True,
    }
    options |= {
        "auth_required": True,
        # Its LOGIN asks in words that Go does not expect.
        "auth_exclude_mechanism": ["LOGIN"],
    }
    with smtp_inbox(free_port(), authenticator=let_in, **options) as inbox:
        mailbox = receiver(
            "mailbox",
            f"""
  emails:
    - to: oncall@example.com
      from: alerts@example.com
      smarthost: {inbox.address}
      username: alerts
      password_file: {tmp_path / "password"}
""",
        )
        config = build(bundle(monitor("chat"), LADDER, mailbox), tmp_path)
        server = alertmanager_server(config)
        labels = {"alertname": "ModelErrorBudgetBurn", "monitor": "chat", "severity": "page"}
        body = [{"labels": labels, "startsAt": datetime.now(UTC).isoformat()}]
        requests.post(f"{server.url}/api/v2/alerts", json=body, timeout=5).raise_for_status()
        until(lambda: inbox.mails, what="mail")
    assert tried == [(b"alerts", b"correct horse")]
    assert str(inbox.mails[0]["Subject"]) == "[PAGE] chat: ModelErrorBudgetBurn"

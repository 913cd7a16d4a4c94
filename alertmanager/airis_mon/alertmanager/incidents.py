"""What turns a message into an incident or an issue, in Alertmanager's words: PagerDuty, Opsgenie, Jira."""

from __future__ import annotations

from typing import Any

from airis_mon.alertmanager import message
from airis_mon.alertmanager.dialects import JIRA, PLAIN
from airis_mon.alertmanager.transports import basic, bearer
from airis_mon.rules import series
from airis_mon.spec import Jira, Opsgenie, PagerDuty, format_duration

_MONITOR = f"{{{{ .CommonLabels.{series.MONITOR} }}}}"


def pagerduty(way: PagerDuty) -> dict[str, Any]:
    """Return a `pagerduty_configs` item."""
    config: dict[str, Any] = {"routing_key_file": way.routing_key_file}
    if way.url is not None:
        config["url"] = way.url
    return {
        **config,
        "description": message.SUBJECT,
        "severity": message.by_severity(page="critical", ticket="warning", resolved="info"),
        "source": _MONITOR,
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


def opsgenie(way: Opsgenie) -> dict[str, Any]:
    """Return an `opsgenie_configs` item; labels are details by themselves."""
    config: dict[str, Any] = {"api_key_file": way.api_key_file}
    if way.api_url is not None:
        config["api_url"] = way.api_url
    return {
        **config,
        "message": message.chat(PLAIN, "title"),
        "description": message.PLAIN,
        "source": "{{ .ExternalURL }}",
        "entity": _MONITOR,
        "tags": "airis-mon",
        "priority": message.by_severity(page="P1", ticket="P3", resolved="P5"),
    }


def jira(way: Jira) -> dict[str, Any]:
    """Return a `jira_configs` item."""
    config: dict[str, Any] = {
        # The description of version 3 is no text but a tree.
        "api_url": f"{way.url.rstrip('/')}/rest/api/2",
        "http_config": bearer(way.token_file)
        if way.username is None
        else basic(way.username, way.token_file),
    }
    if way.resolve_transition is not None:
        config["resolve_transition"] = way.resolve_transition
    if way.reopen_transition is not None:
        config["reopen_transition"] = way.reopen_transition
        config["reopen_duration"] = format_duration(way.reopen_duration)
    return {
        **config,
        "project": way.project,
        "issue_type": way.issue_type,
        "summary": message.chat(PLAIN, "title"),
        "description": f"{message.chat(JIRA, 'text')}\n\n{message.chat(JIRA, 'links')}",
        "priority": "",
        # Without a transition Alertmanager would look for one without a name, and fail.
        "send_resolved": way.resolve_transition is not None,
    }

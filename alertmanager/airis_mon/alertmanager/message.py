"""The message a person reads, as Go templates for Alertmanager.

Only what Alertmanager 0.25 knows is used (no `date`, `since`, `trimSpace`). Everything that comes from an
alert is data to the template and is escaped, in mail by Go's html/template and in chats by `dialects`;
nothing of it is parsed as a template.

Annotations that the message shows where an alert carries them: `summary`, `description`, `runbook_url` and
`dashboard`, the uid of a Grafana dashboard.
"""

from __future__ import annotations

import re
from importlib import resources
from string import Template

from airis_mon.alertmanager import dialects
from airis_mon.alertmanager.dialects import DIALECTS, Dialect
from airis_mon.rules import series

FILE = "airis-mon.tmpl"
_CHAT = "chat.tmpl"
"""Written once per dialect."""

SUBJECT = '{{ template "airis-mon.subject" . }}'
TEXT = '{{ template "airis-mon.text" . }}'
HTML = '{{ template "airis-mon.html" . }}'
LINK = '{{ template "airis-mon.link" . }}'
"""The dashboard, or Alertmanager where there is none."""
SILENCE = '{{ template "airis-mon.link.silence" . }}'
DASHBOARD = '{{ template "airis-mon.link.dashboard" . }}'
RUNBOOK = '{{ template "airis-mon.link.runbook" . }}'

SHOWN = 20
"""Alerts that one message spells out; beyond that it says how many there are."""

_TOLD = (
    "alertname",
    series.SEVERITY,
    series.MONITOR,
    series.MODEL,
    series.TEAM,
    series.OBJECTIVE_LABEL,
    series.FOR,
    # The same once more, as Sloth says it.
    series.SLO_ID,
    series.SLO_SERVICE,
    series.SLO_NAME,
)
"""Labels that the message has words for; the others (a region, a horizon) are listed by name."""

_EXPLICABLE = (
    f'and (eq .Status "firing") (eq .Labels.alertname "{series.ANOMALY_ALERT}") '
    f'(match "^[a-z0-9-]+$" .Labels.{series.MONITOR}) (match "^[A-Za-z0-9_]+$" .Labels.{series.FOR})'
)
"""Whether what changed before an alert can be asked for: nothing in the command is anything to a shell."""
_CAUSES = (
    'printf "airis-mon causes FILE --monitor %s --signal %s --at %s" '
    f'.Labels.{series.MONITOR} .Labels.{series.FOR} (.StartsAt.UTC.Format "2006-01-02T15:04:05Z")'
)
"""The command that ranks what changed before; `FILE` is the document."""

_URL = re.compile(r"https?://[^\s\"'<>{}|()\[\]]+")
"""What stays a URL in HTML, in Slack's `<url|label>` and in Markdown."""


class _Go(Template):
    """`$` and braces are Go's own; `@{name}` is a name of ours."""

    delimiter = "@"


def template(grafana_url: str | None = None) -> str:
    """Return the template file that the receivers' messages are defined in.

    `grafana_url` is where dashboards are; without it messages do not link to them. ValueError where it is no
    URL.
    """
    if grafana_url is not None and not _URL.fullmatch(grafana_url):
        raise ValueError(f"`{grafana_url}` is no URL of Grafana; write https://grafana.example.com")
    words = {
        "severity": series.SEVERITY,
        "page": series.PAGE,
        "monitor": series.MONITOR,
        "model": series.MODEL,
        "team": series.TEAM,
        "objective": series.OBJECTIVE_LABEL,
        "signal": series.FOR,
        "dashboard": series.DASHBOARD,
        "explicable": _EXPLICABLE,
        "causes": _CAUSES,
        "told": " ".join(f'"{label}"' for label in _TOLD),
        "linked": "true" if grafana_url else "false",
        "grafana": (grafana_url or "").rstrip("/"),
        "shown": SHOWN,
    }
    chats = _Go(_read(_CHAT))
    parts = [_Go(_read(FILE)).substitute(words)]
    parts += [chats.substitute(words, **dialect.words()) for dialect in DIALECTS]
    return "".join(parts)


def chat(dialect: Dialect, part: str) -> str:
    """Return what shows the `title`, the `text` or the `links` of a message in a dialect."""
    return f'{{{{ template "airis-mon.{dialect.name}.{part}" . }}}}'


PLAIN = "\n\n".join(chat(dialects.PLAIN, part) for part in ("text", "links"))
"""Text and links without any markup."""


def by_severity(*, page: str, ticket: str, resolved: str) -> str:
    """Return what writes one of three words."""
    severity = f'if eq .CommonLabels.{series.SEVERITY} "{series.PAGE}"'
    firing = f"{{{{ {severity} }}}}{page}{{{{ else }}}}{ticket}{{{{ end }}}}"
    return f'{{{{ if eq .Status "firing" }}}}{firing}{{{{ else }}}}{resolved}{{{{ end }}}}'


def _read(file: str) -> str:
    return resources.files(__package__).joinpath(file).read_text(encoding="utf-8")

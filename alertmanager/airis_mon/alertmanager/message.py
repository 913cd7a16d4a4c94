"""The message a person reads, as Go templates for Alertmanager.

Only what Alertmanager 0.25 knows is used (no `date`, `since`, `trimSpace`). Everything that comes from an
alert is data to the template and is escaped by Go's html/template; nothing of it is parsed as a template.

Annotations that the message shows where an alert carries them: `summary`, `description`, `runbook_url`,
`dashboard_url`.
"""

from __future__ import annotations

from importlib import resources
from string import Template

from airis_mon.rules import series

FILE = "airis-mon.tmpl"

SUBJECT = '{{ template "airis-mon.subject" . }}'
TEXT = '{{ template "airis-mon.text" . }}'
HTML = '{{ template "airis-mon.html" . }}'

SHOWN = 20
"""Alerts that one message spells out; beyond that it says how many there are."""


class _Go(Template):
    """`$` and braces are Go's own; `@{name}` is a name of ours."""

    delimiter = "@"


def template() -> str:
    """Return the template file that the receivers' messages are defined in."""
    text = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    return _Go(text).substitute(
        severity=series.SEVERITY,
        page=series.PAGE,
        monitor=series.MONITOR,
        model=series.MODEL,
        team=series.TEAM,
        objective=series.OBJECTIVE_LABEL,
        signal=series.FOR,
        shown=SHOWN,
    )

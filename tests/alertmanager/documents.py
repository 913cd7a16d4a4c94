"""Documents as a person writes them, small: what the tests of this folder are made of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from airis_mon.alertmanager.claims import read
from airis_mon.alertmanager.compile import artefacts
from airis_mon.spec import Bundle, decode


def monitor(name: str, escalation: str | None = "standard", depends_on: Iterable[str] = ()) -> str:
    policy = f"escalation: {escalation}" if escalation else "team: chat"
    names = ", ".join(depends_on)
    needed = f"  depends_on: [{names}]\n" if names else ""
    return f"""
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {{name: {name}}}
spec:
  model: {{name: llama}}
  source: {{contract: otel-genai, selector: {{job: chat}}}}
  objectives: [{{name: availability, target: 99.9%, errors: {{}}}}]
  alerting: {{{policy}}}
{needed}"""


def document(kind: str, name: str, spec: str) -> str:
    return f"""
apiVersion: airis.dev/v1alpha1
kind: {kind}
metadata: {{name: {name}}}
spec: {spec}
"""


def receiver(name: str, spec: str) -> str:
    return document("Receiver", name, spec)


def policy(name: str, spec: str) -> str:
    return document("EscalationPolicy", name, spec)


def team(name: str, escalation: str) -> str:
    return document("Team", name, f"{{escalation: {escalation}}}")


ONCALL = receiver("oncall", "{webhooks: [{url: 'http://127.0.0.1:9/oncall'}]}")
LEAD = receiver("lead", "{emails: [{to: lead@example.com, from: am@example.com, smarthost: 'localhost:25'}]}")
STANDARD = policy(
    "standard",
    """
  page:
    - {receivers: [oncall]}
    - {receivers: [oncall, lead], after: 15m}
    - {receivers: [lead], after: 30m}
  ticket:
    - {receivers: [lead]}
""",
)


def bundle(*documents: str) -> Bundle:
    decoded = decode({"monitors.yaml": "---".join(documents)})
    assert not decoded.problems, "\n".join(map(str, decoded.problems))
    return decoded.bundle


def build(
    of: Bundle, folder: Path, *, target: tuple[int, int] = (0, 25), grafana_url: str | None = None
) -> Path:
    """Write the artefacts below `folder` and return alertmanager.yaml."""
    for artefact in artefacts(of, target=target, grafana_url=grafana_url):
        path = folder / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text)
    return folder / "alertmanager" / "alertmanager.yaml"


def cases_of(text: str) -> list[dict[str, Any]]:
    """Return every case of a file, with the names of each monitor that it is said of."""
    return [
        case for claim in read(yaml.safe_load(text)) for names in claim.of for case in claim.filled(names)
    ]

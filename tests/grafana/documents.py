"""One monitor per contract that uses all that a dashboard can show, and how its queries are read back.

Grafana itself cannot be installed where these tests run: no package of it is to be had. What a dashboard says
is held against the classes of Grafana's own SDK, and its queries against a real Prometheus.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airis_mon.grafana.compile import artefacts
from airis_mon.spec import Monitor, decode

TEXT = """
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: support-chat}
spec:
  model: {name: llama, version: "1.2.0"}
  source: {contract: vllm, selector: {job: "vllm $datasource [[job]]"}}
  objectives:
    - {name: availability, target: 99.9%, window: 30d, errors: {}}
    - {name: first-token, target: 99%, window: 7d, latency: {of: time_to_first_token, below: 500ms}}
  anomalies:
    - {of: time_to_first_token_p95}
    - {of: request_rate, by: [region]}
  forecasts:
    - {of: kv_cache_usage, horizon: 1h, capacity: 1.0}
    - {of: request_rate, horizon: 1h}
  canary: {baseline: {version: "1"}, candidate: {version: "2"}}
  alerting: {team: ml, runbook: "https://runbooks.example.com/chat"}
---
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: assistant}
spec:
  model: {name: gpt}
  source: {contract: otel-genai, selector: {job: assistant}}
  objectives:
    - {name: total, target: 99.5%, latency: {of: request_duration, below: 2560ms}}
  anomalies:
    - {of: error_ratio, direction: up}
---
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: digits}
spec:
  model: {name: digits}
  source: {contract: airis, selector: {job: digits}}
  anomalies:
    - {of: confidence_mean, direction: down}
"""


def monitors() -> tuple[Monitor, ...]:
    decoded = decode({"monitors.yaml": TEXT})
    assert not decoded.problems, "\n".join(map(str, decoded.problems))
    return decoded.bundle.monitors


def dashboard(monitor: Monitor) -> dict[str, Any]:
    (artefact,) = artefacts(monitor)
    found: dict[str, Any] = json.loads(artefact.text)
    return found


@dataclass(frozen=True)
class Query:
    """One query of one panel, as Grafana would send it."""

    panel: str
    expression: str
    instant: bool


def queries(board: dict[str, Any]) -> Iterator[Query]:
    """Yield the queries of every panel, with the values that Grafana would put in for its variables."""
    names = {variable["name"] for variable in board["templating"]["list"]}
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"].replace("$__rate_interval", "4m").replace("$by_region", "eu-1")
            # Any other variable here would be a person's text that Grafana fills in.
            assert not [name for name in names if re.search(rf"\$\{{?{name}|\[\[{name}", expression)]
            yield Query(panel["title"], expression, bool(target.get("instant")))

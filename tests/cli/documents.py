"""One small set of documents that everything derives from."""

MONITOR = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: NAME}
spec:
  model: {name: llama}
  source: {contract: otel-genai, selector: {job: chat}}
  objectives:
    - {name: availability, target: 99.9%, errors: {}}
    - {name: first-token, target: 99%, latency: {of: time_to_first_token, below: 640ms}}
  anomalies:
    - {of: time_to_first_token_p95, direction: up}
  forecasts:
    - {of: request_rate, horizon: 24h}
  alerting: {team: chat, escalation: standard}
"""

PEOPLE = """\
apiVersion: airis.dev/v1alpha1
kind: Receiver
metadata: {name: oncall}
spec: {webhooks: [{url: "http://127.0.0.1:9/page"}]}
---
apiVersion: airis.dev/v1alpha1
kind: EscalationPolicy
metadata: {name: standard}
spec:
  page: [{receivers: [oncall]}]
  ticket: [{receivers: [oncall]}]
"""


def monitor(name: str = "support-chat") -> str:
    return MONITOR.replace("NAME", name)


SMALL = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: NAME}
spec:
  model: {name: llama}
  source: {contract: otel-genai, selector: {job: chat}}
  anomalies: [{of: error_ratio}]
"""


def small(name: str) -> str:
    """A monitor whose proofs take no time."""
    return SMALL.replace("NAME", name)

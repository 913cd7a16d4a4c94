"""What has to be told to whom, worked out from the documents alone: cases for `amtool config routes test`.

The cases never look at the route tree; a mistake there makes a case fail.
"""

from __future__ import annotations

from typing import Any

from airis_mon.alertmanager.routes import UNROUTED
from airis_mon.rules import series
from airis_mon.spec import Bundle, Monitor

ALERTS = (
    series.BURN_ALERT,
    series.ANOMALY_ALERT,
    series.FORECAST_ALERT,
    series.ABSENT_ALERT,
    series.THRESHOLD_ALERT,
    series.IMPLAUSIBLE_ALERT,
    series.UNREADY_ALERT,
)


def cases(bundle: Bundle) -> list[dict[str, Any]]:
    """Return `{labels, receivers}` per monitor, severity and alert, and for alerts that are nobody's.

    `receivers` holds one entry per rung and receiver, lowest rung first: all of them receive the alert, each
    in its own time.
    """
    found = [_case({"alertname": "Watchdog", series.SEVERITY: series.PAGE}, [])]
    names = {monitor.name for monitor in bundle.monitors}
    for monitor in bundle.monitors:
        for severity in (series.PAGE, series.TICKET):
            told = _told(monitor, severity, bundle)
            found += [_case(_labels(monitor, severity, alert), told) for alert in ALERTS]
        found.append(_case(_labels(monitor, "info", series.BURN_ALERT), []))
        neighbour = f"{monitor.name}-x"
        if neighbour not in names:
            labels = _labels(monitor, series.PAGE, series.BURN_ALERT)
            found.append(_case({**labels, series.MONITOR: neighbour}, []))
    return found


def _case(labels: dict[str, str], receivers: list[str]) -> dict[str, Any]:
    return {"labels": labels, "receivers": receivers or [UNROUTED]}


def _labels(monitor: Monitor, severity: str, alert: str) -> dict[str, str]:
    return {
        "alertname": alert,
        series.MONITOR: monitor.name,
        series.SEVERITY: severity,
        series.TEAM: monitor.alerting.team,
        series.MODEL: monitor.model.name,
    }


def _told(monitor: Monitor, severity: str, bundle: Bundle) -> list[str]:
    if monitor.alerting.escalation is None:
        return []
    policy = bundle.policy(monitor.alerting.escalation)
    steps = policy.page if severity == series.PAGE else policy.ticket
    return [receiver for step in steps for receiver in step.receivers]

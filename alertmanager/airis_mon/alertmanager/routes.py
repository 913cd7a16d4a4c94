"""The route tree: one route per monitor, a ladder per severity below it.

Stock Alertmanager has no escalation, but a route that waits `group_wait` before its first message is a rung:
siblings with equal matchers and `continue: true` each hold the alert for their own time. An alert that is
resolved or silenced before a rung's time is never told there, so a silence is the acknowledgement.
Alertmanager waits from when it hears of an alert, unless that is older than the wait already: after a restart
what has stood longer than a rung's time is told there at once, and what is younger waits that time anew.

Every rung repeats after the policy's `repeat_interval`: an alert that nobody silenced for so long was missed
by everybody who had been told.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airis_mon.alertmanager.time_intervals import muting
from airis_mon.rules import series
from airis_mon.spec import Bundle, EscalationPolicy, Monitor, Severity, Step, format_duration

UNROUTED = "airis-mon-unrouted"
"""Receiver that tells nobody: for foreign alerts, and for monitors and severities without a ladder."""

RUNG = "airis_rung"
"""A label that no alert carries. `airis_rung!="3"` is always true and keeps the rungs apart, see `_rung`."""


def matcher(label: str, operator: str, value: str) -> str:
    """Return a matcher whose value is always quoted: the one form that every version reads alike."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{label}{operator}"{quoted}"'


def ladder(policy: EscalationPolicy, severity: Severity) -> tuple[Step, ...]:
    """Return the rungs that a policy has for a severity."""
    return policy.page if severity == series.PAGE else policy.ticket


def tree(bundle: Bundle) -> dict[str, Any]:
    """Return the root route. Alerts of no monitor, and of monitors without a policy, reach nobody."""
    root: dict[str, Any] = {"receiver": UNROUTED}
    if bundle.monitors:
        root["routes"] = [_monitor(monitor, bundle) for monitor in bundle.monitors]
    return root


def _monitor(monitor: Monitor, bundle: Bundle) -> dict[str, Any]:
    # No `continue` here: after its ladder an alert never falls through into another monitor's routes.
    route: dict[str, Any] = {
        "receiver": UNROUTED,
        "matchers": [matcher(series.MONITOR, "=", monitor.name)],
    }
    if monitor.alerting.escalation is not None:
        policy = bundle.policy(monitor.alerting.escalation)
        rungs = [*_rungs(monitor, policy, "page"), *_rungs(monitor, policy, "ticket")]
        if rungs:
            route["routes"] = rungs
    return route


def _rungs(monitor: Monitor, policy: EscalationPolicy, severity: Severity) -> Iterable[dict[str, Any]]:
    maintained = [muting(one) for one in monitor.maintenance if one.recurring and severity in one.severities]
    mute = (*policy.mute_time_intervals, *maintained)
    for number, step in enumerate(ladder(policy, severity), start=1):
        for receiver in step.receivers:
            rung = _rung(policy, severity, number, step, receiver)
            yield {**rung, **_times(step, mute)}


def _rung(
    policy: EscalationPolicy, severity: Severity, number: int, step: Step, receiver: str
) -> dict[str, Any]:
    matchers = [matcher(series.SEVERITY, "=", severity)]
    if number > 1:
        # Alertmanager remembers what it sent by the route's matchers, the group's labels and the receiver.
        # Two rungs with equal matchers that tell the same receiver would be one: the later never speaks.
        matchers.append(matcher(RUNG, "!=", str(number)))
    return {
        "receiver": receiver,
        "matchers": matchers,
        **_grouping(policy, step),
        "group_interval": format_duration(policy.group_interval),
        "repeat_interval": format_duration(policy.repeat_interval),
        "continue": True,
    }


def _times(step: Step, muted: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if step.active_time_intervals:
        found["active_time_intervals"] = list(step.active_time_intervals)
    mute = dict.fromkeys((*step.mute_time_intervals, *muted))
    if mute:
        found["mute_time_intervals"] = list(mute)
    return found


def _grouping(policy: EscalationPolicy, step: Step) -> dict[str, Any]:
    if step.after > 0:
        # One group per alert: an alert that joins a group which has been told already would not wait at all.
        return {"group_by": ["..."], "group_wait": format_duration(step.after)}
    # One message for all objectives of a monitor that burn. Another kind of alert gets its own, so that it
    # is not held back by `group_interval` behind the first.
    return {
        "group_by": [series.MONITOR, "alertname"],
        "group_wait": format_duration(policy.group_wait),
    }

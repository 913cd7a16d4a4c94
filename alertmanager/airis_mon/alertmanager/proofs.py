"""What has to be told to whom, worked out from the documents alone: cases for `amtool config routes test`.

The cases never look at the route tree; a mistake there makes a case fail.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from airis_mon.alertmanager.claims import Claim, gathered, named, place
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
NEIGHBOUR = "-x"
"""Behind a monitor's name: what begins alike is not the same."""


@dataclass(frozen=True)
class _Told:
    """What the cases of a monitor depend on."""

    page: tuple[str, ...]
    """A receiver per rung that tells it, lowest rung first."""
    ticket: tuple[str, ...]
    alone: bool
    """Whether nobody else has the name that a neighbour would have."""


def claims(bundle: Bundle) -> list[Claim]:
    """Return `{labels, receivers}` per severity and alert, for monitors that are alike; and what is nobody's.

    `receivers` holds one entry per rung and receiver, lowest rung first: all of them receive the alert, each
    in its own time.
    """
    names = {monitor.name for monitor in bundle.monitors}
    alike = gathered((_told(monitor, names, bundle), named(monitor)) for monitor in bundle.monitors)
    nobodys = Claim([_case({"alertname": "Watchdog", series.SEVERITY: series.PAGE}, ())], [{}])
    return [nobodys, *(Claim(list(_cases(told)), of) for told, of in alike.items())]


def _cases(told: _Told) -> Iterator[dict[str, Any]]:
    for severity, receivers in ((series.PAGE, told.page), (series.TICKET, told.ticket)):
        for alert in ALERTS:
            yield _case(_labels(severity, alert), receivers)
    yield _case(_labels("info", series.BURN_ALERT), ())
    if told.alone:
        labels = _labels(series.PAGE, series.BURN_ALERT)
        yield _case({**labels, series.MONITOR: f"{place(series.MONITOR)}{NEIGHBOUR}"}, ())


def _case(labels: dict[str, str], receivers: Sequence[str]) -> dict[str, Any]:
    return {"labels": labels, "receivers": list(receivers) or [UNROUTED]}


def _labels(severity: str, alert: str) -> dict[str, str]:
    return {
        "alertname": alert,
        series.MONITOR: place(series.MONITOR),
        series.SEVERITY: severity,
        series.TEAM: place(series.TEAM),
        series.MODEL: place(series.MODEL),
    }


def _told(monitor: Monitor, names: Collection[str], bundle: Bundle) -> _Told:
    alone = f"{monitor.name}{NEIGHBOUR}" not in names
    if monitor.alerting.escalation is None:
        return _Told((), (), alone)
    policy = bundle.policy(monitor.alerting.escalation)
    page, ticket = (
        tuple(receiver for step in steps for receiver in step.receivers)
        for steps in (policy.page, policy.ticket)
    )
    return _Told(page, ticket, alone)

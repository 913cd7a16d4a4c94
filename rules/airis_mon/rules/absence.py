"""Alerts on silence: no burn rate can be computed from series that are not there.

Two silences look alike in every other rule. Either the counter of operations itself is gone (the model is
down, unscraped, renamed, or the selector is wrong), or it is there and an objective still has no failures
recorded: its histogram or its bucket does not exist, or is scraped too rarely for the shortest window.
"""

from __future__ import annotations

import math

from airis_mon.rules import series
from airis_mon.rules.alerts import Alert
from airis_mon.rules.anomalies import severities
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.indicators import contract_of, requests_of
from airis_mon.rules.windows import budget, live_tiers, name, recorded, tiers
from airis_mon.spec import Monitor, Objective, Severity

WITHOUT_OBJECTIVES = 900.0
"""Seconds of silence to wait for where no objective says how much would be too much."""

LOOKBACK = 300.0
"""Seconds after which Prometheus no longer sees a sample, unless it was told otherwise."""


def outage_delay(objective: Objective) -> float:
    """Return the seconds after which a complete outage would trip the objective's fastest tier.

    Silence is given as long as an outage, but never less than the short window, which a restart may span.
    """
    fastest = live_tiers(objective.target, objective.window)[0]
    until_fired = fastest.long * fastest.threshold(budget(objective.target))
    return float(math.ceil(max(fastest.short, until_fired)))


def severity(monitor: Monitor) -> Severity:
    """Return `page` where anything of the monitor could have paged: unseen, it cannot any more."""
    burning = bool(monitor.objectives)  # every one of them can page, or is refused
    watched = {severity for one in monitor.anomalies for severity, _ in severities(one)} | {
        one.severity for one in monitor.thresholds
    }
    return "page" if burning or "page" in watched else "ticket"


def alerts(monitor: Monitor) -> list[Alert]:
    """Return every alert on silence that a monitor needs."""
    blind = (objective_alert(Burn(monitor, objective)) for objective in monitor.objectives)
    return [alert for alert in (source_alert(monitor), *blind) if alert is not None]


def source_alert(monitor: Monitor) -> Alert | None:
    """Return the alert on the counter of operations being gone, or never there; None where there is none."""
    requests = requests_of(monitor)
    if requests is None:
        return None
    return Alert(
        name=series.ABSENT_ALERT,
        severity=severity(monitor),
        expression=f"absent({requests})",
        summary="no operation is counted any more",
        before=(
            f"No series matches {requests}. The model is down or not scraped, or the selector is wrong; "
            "until it is back no objective of this monitor can be watched."
        ),
        labels={series.FOR: series.REQUESTS},
        duration=min(map(outage_delay, monitor.objectives), default=WITHOUT_OBJECTIVES),
    )


def objective_alert(burn: Burn) -> Alert | None:
    """Return the alert on an objective that cannot be computed although operations are counted.

    It waits for the fastest long window: a histogram may appear only with the first observation. None where
    this cannot happen: operations that are scraped too rarely for a long range are not seen at all.
    """
    requests = requests_of(burn.monitor)
    if requests is None:
        return _own_alert(burn)
    shortest = recorded(burn.objective.window)[0]
    if counted_with_requests(burn) and shortest * 2 >= LOOKBACK:
        return None
    failures = burn.recorded(series.FAILURES, shortest)
    return Alert(
        name=series.ABSENT_ALERT,
        severity="ticket",
        expression=f"absent({failures})\nand on ()\ncount({requests})",
        summary=f"the objective {burn.objective.name} cannot be computed",
        before=(
            f"Operations are counted, but {burn.objective.name} has no value over {name(shortest)}. "
            f"Either {burn.indicator.lacking}, or it is scraped less often than twice in {name(shortest)}."
        ),
        labels=_labels(burn),
        duration=tiers(burn.objective.window)[0].long,
    )


def _own_alert(burn: Burn) -> Alert:
    """Return the alert on an objective that nothing is counted for any more, where nothing else tells it.

    Unseen it cannot page, so that its silence does, as soon as an outage would.
    """
    shortest = recorded(burn.objective.window)[0]
    return Alert(
        name=series.ABSENT_ALERT,
        severity="page",
        expression=f"absent({burn.recorded(series.FAILURES, shortest)})",
        summary=f"nothing is counted for {burn.objective.name} any more",
        before=(
            f"The objective {burn.objective.name} has no value over {name(shortest)}: "
            f"{burn.indicator.lacking}, or it is scraped less often than twice in {name(shortest)}. "
            "The model is down or not scraped, or the expressions select nothing; "
            "until it is back the objective cannot be watched."
        ),
        labels=_labels(burn),
        duration=outage_delay(burn.objective),
    )


def _labels(burn: Burn) -> dict[str, str]:
    objective = burn.objective
    own = {series.FOR: burn.indicator.signal, series.OBJECTIVE_LABEL: objective.name}
    return {**objective.labels, **own}


def counted_with_requests(burn: Burn) -> bool:
    """Tell whether an objective has a value wherever the source's own counter of operations is."""
    requests = contract_of(burn.monitor).requests
    return requests is not None and burn.indicator.rests_on(requests.total, burn.monitor.source.selector)

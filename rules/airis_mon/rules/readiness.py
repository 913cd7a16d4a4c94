"""Whether each alert can fire now: one recorded series beside each alerting rule.

A quiet alert and a blind one look the same. What an alert needs is read out of its own expression
(`presence`), so that no alert can be forgotten, and what is recorded cannot drift away from the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import absence, series
from airis_mon.rules.alerts import Alert, printed
from airis_mon.rules.groups import Rule, recording
from airis_mon.rules.presence import NOTHING, Presence, Recordings, together
from airis_mon.spec import Monitor

CONSTANT = frozenset((series.READY,))


def rules(emitted: Sequence[Rule]) -> list[Rule]:
    """Return the rules that record for every alert among some rules whether it can fire.

    Alerts are told apart by their labels; those that have all of them in common share a series, which is 0
    where one of them cannot fire.
    """
    recordings = Recordings(emitted, CONSTANT)
    needs: dict[tuple[tuple[str, str], ...], Presence] = {}
    for rule in emitted:
        if "alert" in rule:
            labels, needed = tuple(sorted(labels_of(rule).items())), recordings.needed_by(rule["expr"])
            needs[labels] = together((needs.get(labels, NOTHING), needed))
    return [recording(series.READY, _expression(needed), dict(labels)) for labels, needed in needs.items()]


def labels_of(rule: Rule) -> dict[str, str]:
    """Return the labels by which the series of an alerting rule is found."""
    found = {label: printed(template) for label, template in rule.get("labels", {}).items()}
    return {**{label: text for label, text in found.items() if text is not None}, series.ALERT: rule["alert"]}


def _expression(needed: Presence) -> str:
    return "vector(1)" if needed == NOTHING else f"{needed.promql()}\nor\nvector(0)"


def alert(monitor: Monitor, silences: Iterable[Alert]) -> Alert:
    """Return the alert on alerts that cannot fire; it waits for as long as the alerts on silence do.

    These say more, and Alertmanager keeps it quiet while they speak. It never wakes anybody: what can page
    and is blind because its source is gone is told by the alert on the source.
    """
    # Guards look at more than promises need: what is not exposed is no ticket.
    promises = f'{series.ALERT}!="{series.IMPLAUSIBLE_ALERT}"'
    ready = f"{series.READY}{matchers({series.MONITOR: monitor.name}, promises)}"
    return Alert(
        name=series.UNREADY_ALERT,
        severity="ticket",
        # Page and ticket of one objective become one alert: its own severity takes the place of theirs.
        expression=f"min without ({series.SEVERITY}) ({ready}) == 0",
        summary="an alert cannot fire",
        before=(
            "A series that the alert of the label `alert` needs is not there, or lacks a label that it "
            "compares. See its expression on the page of rules in Prometheus; if its score, band or forecast "
            "is missing, see whether the analyzer runs, and whether the past is long enough for one."
        ),
        duration=max((silence.duration for silence in silences), default=absence.WITHOUT_OBJECTIVES),
    )

"""The alert on a new version that is worse than the one it may replace.

Verdicts are written by the analyzer, or by `airis-mon canary --write`, again and again while both versions
are there; that somebody does is what the alert needs, and is told where nobody does.
"""

from __future__ import annotations

from collections.abc import Mapping

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.alerts import Alert
from airis_mon.spec import Canary, Monitor

WORSE = "worse"


def side(labels: Mapping[str, str]) -> str:
    """Return what labels of a side are in PromQL, and in the labels of verdicts."""
    return matchers(labels)[1:-1]


def chosen(monitor: Monitor, canary: Canary) -> dict[str, str]:
    """Return the labels of the verdicts that tell of a worse candidate, but for the objective."""
    return {
        analyzer.MONITOR: monitor.name,
        analyzer.BASELINE: side(canary.baseline),
        analyzer.CANDIDATE: side(canary.candidate),
        analyzer.VERDICT: WORSE,
    }


def alert(monitor: Monitor, canary: Canary) -> Alert:
    """Return the alert; one fires for each objective that the candidate is worse by."""
    verdict = f"{analyzer.CANARY_VERDICT}{matchers(chosen(monitor, canary))}"
    return Alert(
        name=series.CANARY_ALERT,
        severity=canary.severity,
        expression=f"max by ({analyzer.METRIC}) ({verdict}) == 1",
        summary="the new version is worse",
        before=(
            f"By the objective of the label `{analyzer.METRIC}`, {side(canary.candidate)} is worse than "
            f"{side(canary.baseline)} by more than its margin: roll it back. `airis-mon canary` shows by how "
            "much."
        ),
        labels={series.FOR: series.CANARY},
    )

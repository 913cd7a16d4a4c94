"""Proof of the alert on a new version: verdicts of each objective, of others, and none."""

from __future__ import annotations

from collections.abc import Iterator

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.canary import alert, chosen
from airis_mon.rules.proofs import strangers
from airis_mon.rules.proofs.case import AlertCheck, Case, Input, fired
from airis_mon.spec import Canary, Monitor

STEP = 60.0
"""Seconds between two looks at the versions."""


def cases(monitor: Monitor, canary: Canary) -> Iterator[Case]:
    """Yield the tests of the alert."""
    told = alert(monitor, canary)
    worse = {**chosen(monitor, canary), analyzer.MODEL: monitor.model.name}

    def verdict(metric: str, values: str) -> Input:
        labels = matchers(dict(sorted({**worse, analyzer.METRIC: metric}.items())))
        return Input(analyzer.CANARY_VERDICT + labels, values)

    one, other = (fired(monitor, told, {analyzer.METRIC: metric}) for metric in ("one", "other"))
    labels = {**worse, analyzer.METRIC: "one"}
    loud = [
        strangers.steady(analyzer.CANARY_VERDICT, neighbour, 1, 8)
        for neighbour in strangers.neighbours(labels, chosen(monitor, canary))
    ]
    yield Case(
        "a new version is worse, by one objective, by both, by the other, and no longer",
        STEP,
        (verdict("one", "0 1 1 0 0"), verdict("other", "0 0 1 1 0"), *loud),
        [
            AlertCheck(0, told.name),
            AlertCheck(STEP, told.name, (one,)),
            AlertCheck(2 * STEP, told.name, (one, other)),
            AlertCheck(3 * STEP, told.name, (other,)),
            AlertCheck(4 * STEP, told.name),
        ],
    )
    yield Case(
        "nobody compares any more",
        STEP,
        (verdict("one", "1 1 stale"),),
        [AlertCheck(STEP, told.name, (one,)), AlertCheck(2 * STEP, told.name)],
    )
    yield Case("no new version", STEP, (), [AlertCheck(0, series.CANARY_ALERT)])

"""Proof of what is told of features: at the bound, beside what is usual, of few values, as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from airis_mon.exporters import series as exposed
from airis_mon.rules import drift, series
from airis_mon.rules.drift import Watch
from airis_mon.rules.literals import number
from airis_mon.rules.proofs import strangers
from airis_mon.rules.proofs.case import AlertCheck, Case, Fired, Input, fired
from airis_mon.rules.proofs.features import LOUD, TINY, given, labels_of
from airis_mon.rules.proofs.standing import evaluations, steadily


def alerts(watch: Watch) -> Iterator[Case]:
    """Yield the tests of the alerts: the bound, what is usual, too few values, and what makes it a page."""
    bound, step = watch.drift.at_most, drift.waits(watch)
    stands = evaluations(drift.alert(watch, "ticket"), step) + 2
    always = 3 * stands
    enough = 10 * len(watch.drift.distributions[0].bins) / bound
    steady, many = ((2 * bound, always),), ((2 * enough, always),)
    crossing = ((bound, stands), (bound * 1.01, stands), (bound, stands))
    usual = ((2 * bound, stands), (1.99 * bound, stands), (2.01 * bound, stands))
    values = ((enough * 0.99, stands), (enough * 1.01, stands), (enough * 0.99, stands))
    for burning in (None, *watch.impaired[:1]):
        yield _case(watch, burning, "PSI at its bound and beyond", crossing, (), many, bound * 1.01)
        yield _case(watch, burning, "PSI as large as usual and larger", steady, usual, many, 2 * bound)
        yield _case(watch, burning, "values too few, and enough", steady, (), values, 2 * bound)
    for objective in watch.impaired:
        yield _page(watch, objective)


def _burning(watch: Watch, objective: str) -> dict[str, str]:
    """Return the labels of what Prometheus writes while an objective's alert is firing."""
    return {
        "alertname": series.BURN_ALERT,
        "alertstate": "firing",
        series.MONITOR: watch.monitor.name,
        series.OBJECTIVE_LABEL: objective,
    }


def _case(
    watch: Watch,
    burning: str | None,
    what: str,
    distance: Sequence[tuple[float, int]],
    usual: Sequence[tuple[float, int]],
    values: Sequence[tuple[float, int]],
    shown: float,
) -> Case:
    """Return the test in three equal stretches; only in the middle one there is reason to tell anything."""
    alert, step = drift.alert(watch, "ticket"), drift.waits(watch)
    wait = evaluations(alert, step)
    stands = wait + 2
    inputs = [*_given(watch, distance, usual, values)]
    told: tuple[Fired, ...] = (_fired(watch, shown),)
    if burning is not None:
        inputs.append(given("ALERTS", _burning(watch, burning), f"1+0x{3 * stands}"))
        told = (_fired(watch, shown, "page"), *told)
    checks = [
        AlertCheck((stands - 1) * step, alert.name),
        AlertCheck((stands + wait - 1) * step, alert.name),
        AlertCheck((stands + wait) * step, alert.name, told),
        AlertCheck((2 * stands + 1) * step, alert.name),
    ]
    title = what if burning is None else f"{what}, while {burning} burns"
    return Case(title, step, tuple(inputs), checks)


def _given(
    watch: Watch,
    distance: Sequence[tuple[float, int]],
    usual: Sequence[tuple[float, int]],
    values: Sequence[tuple[float, int]],
) -> Iterator[Input]:
    own = labels_of(watch, watch.drift.distributions[0].feature)
    steps = sum(count for _, count in distance)
    for metric, stretches, misleading in (
        (series.PSI, distance, LOUD),
        (series.USUAL_SHIFT, usual, LOUD),
        (series.OBSERVATIONS, values, TINY),
    ):
        if stretches:
            yield given(metric, own, steadily(*stretches))
        for label in (series.MONITOR, exposed.FEATURE):
            if (metric, label) != (series.PSI, exposed.FEATURE):
                other = {**own, label: f"{own[label]}-other"}
                yield given(metric, other, f"{number(misleading)}+0x{steps}")
    feature = watch.drift.distributions[0]
    for bin_, share in feature.bins:
        labels = labels_of(watch, feature.feature, bin_)
        yield given(series.REFERENCE_SHARE, labels, f"{number(share)}+0x{steps}")
        # Whose bins are others' would be twice as many.
        other = {**labels, series.MONITOR: f"{watch.monitor.name}-other"}
        yield given(series.REFERENCE_SHARE, other, f"{number(share)}+0x{steps}")


def _page(watch: Watch, objective: str) -> Case:
    """Return the test of the page: only while that very objective's alert is firing."""
    page, step, bound = drift.alert(watch, "page"), drift.waits(watch), watch.drift.at_most
    wait = evaluations(page, step)
    stands = wait + 2
    burning = _burning(watch, objective)
    gap = f"_x{stands} "
    enough = 100 * len(watch.drift.distributions[0].bins) / bound
    inputs = [*_given(watch, ((2 * bound, 3 * stands),), (), ((enough, 3 * stands),))]
    inputs.append(given("ALERTS", burning, f"{gap}1+0x{stands - 1} stale"))
    inputs += [
        given("ALERTS", other, f"1+0x{3 * stands}") for other in strangers.neighbours(burning, burning)
    ]
    ticket, paged = _fired(watch, 2 * bound), _fired(watch, 2 * bound, "page")
    checks = [
        AlertCheck((stands - 1) * step, page.name, (ticket,)),
        AlertCheck((stands + wait - 1) * step, page.name, (ticket,)),
        AlertCheck((stands + wait) * step, page.name, (paged, ticket)),
        AlertCheck((2 * stands + 1) * step, page.name, (ticket,)),
    ]
    return Case(f"a page while {objective} burns", step, tuple(inputs), checks)


def _fired(watch: Watch, value: float, severity: str = "ticket") -> Fired:
    alert = drift.alert(watch, "page" if severity == "page" else "ticket")
    return fired(watch.monitor, alert, labels_of(watch, watch.drift.distributions[0].feature), value)

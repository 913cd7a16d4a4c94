"""Proof of what is recorded about alerts: 1 while all that one needs is there, 0 for each part that goes.

What an alert needs is said here once more, from the document and the contract, never from its expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters import series as exposed
from airis_mon.exporters.contracts import matchers, spellings
from airis_mon.rules import (
    absence,
    anomalies,
    burn_rate,
    collection,
    drift,
    forecasts,
    money,
    series,
    thresholds,
)
from airis_mon.rules.alerts import Alert
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.canary import alert as canary_alert
from airis_mon.rules.canary import chosen
from airis_mon.rules.drift import Watch
from airis_mon.rules.expressions import LE
from airis_mon.rules.indicators import Counted, Freshness, Indicator, LatencyBelow, indicator
from airis_mon.rules.money import Spending
from airis_mon.rules.proofs import strangers, values
from airis_mon.rules.proofs.case import AlertCheck, Case, Fired, Input, SampleCheck, fired
from airis_mon.rules.proofs.counters import Counter, counters
from airis_mon.rules.proofs.counters import others as others_of
from airis_mon.rules.proofs.verdicts import SEVERITIES
from airis_mon.rules.signals import signal
from airis_mon.spec import Band, Canary, Errors, Monitor

INFINITE = "+Inf"
GROUP = "a"
"""Value of every label that an anomaly is kept apart by."""


@dataclass(frozen=True)
class Need:
    """A series that an alert cannot do without."""

    metric: str
    labels: tuple[tuple[str, str], ...]
    """Sorted, so that equal series are equal."""
    strangers: tuple[tuple[tuple[str, str], ...], ...] = field(default=(), compare=False)
    """Labels of series of that name that will not do."""
    selects: Callable[[str, Mapping[str, str]], bool] | None = field(default=None, compare=False)
    """Which series will do as well, where objectives count the same counter; None for this one alone."""

    def met(self, there: Iterable[Need]) -> bool:
        """Tell whether one of those series is what is needed."""
        return any(
            one == self or (self.selects is not None and self.selects(one.metric, dict(one.labels)))
            for one in there
        )


@dataclass(frozen=True)
class Watched:
    """An alert, and the sets of series of which one has to be there in whole for it to fire."""

    labels: Mapping[str, str]
    """Labels of what is recorded about it."""
    alternatives: tuple[tuple[Need, ...], ...]

    def ready(self, there: Iterable[Need]) -> bool:
        """Tell whether it can fire where those series are there."""
        present = tuple(there)
        return any(all(need.met(present) for need in needs) for needs in self.alternatives)


def objective(burn: Burn) -> Iterator[Watched]:
    """Yield the alerts of one objective: page and ticket count the same."""
    needs = tuple(_alternatives(burn.indicator))
    for severity in SEVERITIES:
        yield regarding(burn.monitor, burn_rate.alert(burn, severity), needs)


def monitor(about: Monitor) -> Iterator[Watched]:
    """Yield every alert of a monitor."""
    for one in about.objectives:
        yield from objective(Burn(about, one))
    for anomaly in about.anomalies:
        chosen = {analyzer.FOR: anomaly.of}
        score = _analysed(analyzer.SCORE, about, chosen, anomaly.by)
        band = _analysed(analyzer.UPPER, about, {**chosen, analyzer.HORIZON: analyzer.NOW}, anomaly.by)
        for severity, wait in anomalies.severities(anomaly):
            yield regarding(about, anomalies.alert(about, anomaly, severity, wait), ((score, band),))
    for reach in forecasts.reaches(about):
        chosen = {analyzer.FOR: reach.forecast.of, analyzer.HORIZON: reach.horizon}
        need = _analysed(analyzer.EXPECTED, about, chosen, reach.forecast.by)
        yield regarding(about, reach.alert(), ((need,),))
    yield from _silences(about)
    for unready in collection.unready_alerts(about):
        yield regarding(about, unready, ((),))


def bounded(about: Monitor) -> Iterator[Watched]:
    """Yield the alerts on bounds: each needs what its signal is computed from."""
    selector = about.source.selector
    others = tuple(tuple(other.items()) for other in strangers.neighbours(selector, selector))
    for threshold in about.thresholds:
        if isinstance(threshold.bound, Band):
            chosen = {analyzer.FOR: threshold.of}
            edge = {**chosen, analyzer.HORIZON: analyzer.NOW}
            needs: tuple[Need, ...] = (
                _analysed(analyzer.ACTUAL, about, chosen, threshold.by),
                _analysed(thresholds.EDGES[threshold.side], about, edge, threshold.by),
            )
        else:
            metrics = values.metrics(signal(about, threshold))
            needs = tuple(Need(metric, tuple(sorted(selector.items())), others) for metric in metrics)
        yield regarding(about, thresholds.alert(about, threshold), (needs,))


def spending(about: Spending) -> Iterator[Watched]:
    """Yield the alerts on money: those on the budget need costs, the other tokens without a price."""
    selector = about.selector
    counted = {**selector, exposed.CURRENCY: about.cost.budget.currency}
    for alert in money.alerts(about):
        metric, labels = (
            (exposed.UNPRICED_TOKENS, selector)
            if alert.name == series.UNPRICED_ALERT
            else (exposed.COST, counted)
        )
        others = tuple(tuple(other.items()) for other in strangers.neighbours(labels, labels))
        yield regarding(about.monitor, alert, ((Need(metric, tuple(sorted(labels.items())), others),),))


def features(about: Watch) -> Iterator[Watched]:
    """Yield the alerts on drift: each needs the application's counters of bins."""
    selector = about.selector
    others = tuple(tuple(other.items()) for other in strangers.neighbours(selector, selector))
    need = Need(exposed.FEATURE_BINS, tuple(sorted(selector.items())), others)
    for severity in about.severities:
        yield regarding(about.monitor, drift.alert(about, severity), ((need,),))


def versions(about: Monitor, canary: Canary) -> Watched:
    """Return the alert on a new version: it needs verdicts, whatever they are."""
    compared = chosen(about, canary)
    labels = {**compared, analyzer.METRIC: GROUP, analyzer.MODEL: about.model.name}
    others = tuple(tuple(other.items()) for other in strangers.neighbours(labels, compared))
    need = Need(analyzer.CANARY_VERDICT, tuple(sorted(labels.items())), others)
    return regarding(about, canary_alert(about, canary), ((need,),))


def _silences(about: Monitor) -> Iterator[Watched]:
    """Yield the alerts on silence; what tells of the source being gone needs nothing."""
    source = absence.source_alert(about)
    if source is not None:
        yield regarding(about, source, ((),))
    for one in about.objectives:
        silent = absence.objective_alert(Burn(about, one))
        if silent is not None:
            yield regarding(about, silent, (() if source is None else (_operations(about),),))


def regarding(about: Monitor, alert: Alert, alternatives: tuple[tuple[Need, ...], ...]) -> Watched:
    """Return an alert with what it needs."""
    return Watched({**alert.fired_labels(about), series.ALERT: alert.name}, alternatives)


def _alternatives(what: Indicator) -> Iterator[tuple[Need, ...]]:
    if isinstance(what, Freshness):
        others = tuple(tuple(one.items()) for one in strangers.neighbours(what.selector, what.selector))
        own = tuple(sorted(what.selector.items()))
        yield (Need(what.metric, own, others, what.rests_on),)
    elif isinstance(what, LatencyBelow):
        for spelling in range(len(spellings(what.boundary))):
            exposed = counters(what, spelling)
            bucket = next(one for one in exposed if one.labels.get(LE, INFINITE) != INFINITE)
            count = next(one for one in exposed if LE not in one.labels)
            yield _exposed(count, what), _exposed(bucket, what, {**bucket.labels, LE: INFINITE})
    elif isinstance(what, Counted):
        for term in what.total:
            found = (one for one in counters(what) if term.counts(one.metric, one.labels))
            yield (replace(_exposed(next(found), what), selects=term.counts),)
    else:
        yield (replace(_exposed(counters(what)[0], what), selects=what.rests_on),)


def _operations(about: Monitor) -> Need:
    what = indicator(about, Errors())
    return replace(_exposed(counters(what)[0], what), selects=what.rests_on)


def _exposed(counter: Counter, what: Indicator, *more: Mapping[str, str]) -> Need:
    others = [dict(other.labels) for other in others_of(what) if other.metric == counter.metric]
    strange = tuple(tuple(labels.items()) for labels in (*others, *more))
    return Need(counter.metric, tuple(sorted(counter.labels.items())), strange)


def _analysed(metric: str, about: Monitor, chosen: Mapping[str, str], by: Sequence[str]) -> Need:
    compared = {analyzer.MONITOR: about.name, **chosen}
    labels = {**dict.fromkeys(by, GROUP), analyzer.MODEL: about.model.name, **compared}
    others = (tuple(other.items()) for other in strangers.neighbours(labels, compared))
    return Need(metric, tuple(sorted(labels.items())), tuple(others))


def case(what: str, watched: Sequence[Watched], step: float) -> Case:
    """Return the truth table: everything, each series gone in turn, each alternative alone, nothing."""
    needs = _needs(watched)
    moments = [needs, *([one for one in needs if one != gone] for gone in needs)]
    for one in watched:
        own = {need for needed in one.alternatives for need in needed}
        alone = one.alternatives if len(one.alternatives) > 1 else ()
        moments += [[need for need in needs if need not in own or need in needed] for needed in alone]
    moments += [[], needs]
    checks = [
        SampleCheck(
            place * step,
            series.READY,
            tuple((labels, float(ready)) for labels, ready in _expected(watched, there)),
            name=series.READY,
        )
        for place, there in enumerate(moments)
    ]
    return Case(f"{what}: whether its alerts can fire", step, tuple(_inputs(needs, moments)), samples=checks)


def _expected(watched: Sequence[Watched], there: Sequence[Need]) -> list[tuple[Mapping[str, str], bool]]:
    """Return what is recorded: alerts whose labels are all equal share a series."""
    found: dict[tuple[tuple[str, str], ...], bool] = {}
    # What is a stranger to one objective may be what another one counts.
    present = [*there, *(Need(metric, other) for metric, other in _strangers(_needs(watched)))]
    for one in watched:
        key = tuple(sorted(one.labels.items()))
        found[key] = found.get(key, True) and one.ready(present)
    return [(dict(key), ready) for key, ready in found.items()]


def _needs(watched: Sequence[Watched]) -> list[Need]:
    found = (need for one in watched for needs in one.alternatives for need in needs)
    return list(dict.fromkeys(found))


def _inputs(needs: Sequence[Need], moments: Sequence[Sequence[Need]]) -> Iterator[Input]:
    """Yield each series while it is there, and others that differ in one label all the time."""
    for need in needs:
        there = [need in moment for moment in moments]
        values = (
            "0" if now else "stale" if before else "_"
            for before, now in zip([False, *there], there, strict=False)
        )
        yield Input(need.metric + matchers(dict(need.labels)), " ".join(values))
    for metric, other in _strangers(needs):
        yield strangers.steady(metric, dict(other), 0, len(moments))


def _strangers(needs: Sequence[Need]) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Return metric and labels of what is there all the time."""
    return list(dict.fromkeys((need.metric, other) for need in needs for other in need.strangers))


def blind(about: Monitor, alert: Alert, step: float, wait: int) -> Case:
    """Return the test of the alert on alerts that cannot fire: told once that has stood, and then over."""
    watched = [*monitor(about)]
    needs, quiet, gone = _needs(watched), 2, wait + 2
    moments = [needs] * quiet + [[]] * gone + [needs] * 2
    labels = {series.MONITOR: f"{about.name}-other", series.ALERT: series.BURN_ALERT}
    expected = tuple(_told(about, alert, watched))
    checks = [
        AlertCheck((quiet - 1) * step, alert.name),
        AlertCheck((quiet + wait - 1) * step, alert.name),
        AlertCheck((quiet + wait) * step, alert.name, expected),
        AlertCheck((quiet + gone + 1) * step, alert.name),
    ]
    # Others' alerts, and guards, which may need more than there is.
    quiet_ones = (labels, {series.MONITOR: about.name, series.ALERT: series.IMPLAUSIBLE_ALERT})
    blind_ones = (strangers.steady(series.READY, one, 0, len(moments)) for one in quiet_ones)
    inputs = (*_inputs(needs, moments), *blind_ones)
    return Case("alerts that cannot fire, and can again", step, inputs, checks)


def recorded(about: Monitor, alert: Alert, step: float, wait: int) -> Case:
    """Return the same test where it is proven elsewhere that other alerts cannot fire: that is given."""
    quiet, gone = 2, wait + 2
    labels = {
        series.MONITOR: about.name,
        series.MODEL: about.model.name,
        series.ALERT: series.THRESHOLD_ALERT,
    }
    values = f"1+0x{quiet - 1} 0+0x{gone - 1} 1+0x1"
    checks = [
        AlertCheck((quiet - 1) * step, alert.name),
        AlertCheck((quiet + wait - 1) * step, alert.name),
        AlertCheck((quiet + wait) * step, alert.name, (fired(about, alert, labels),)),
        AlertCheck((quiet + gone + 1) * step, alert.name),
    ]
    inputs = (
        Input(series.READY + matchers({**labels, series.SEVERITY: series.PAGE}), values),
        strangers.steady(
            series.READY, {**labels, series.MONITOR: f"{about.name}-other"}, 0, quiet + gone + 2
        ),
    )
    return Case("an alert that cannot fire, and can again", step, inputs, checks)


def _told(about: Monitor, alert: Alert, watched: Sequence[Watched]) -> Iterator[Fired]:
    """Yield what is told where there is nothing: page and ticket of one promise are told of once."""
    found = [
        {label: value for label, value in labels.items() if label != series.SEVERITY}
        for labels, ready in _expected(watched, ())
        if not ready
    ]
    for labels in {tuple(sorted(one.items())): one for one in found}.values():
        yield fired(about, alert, labels)

"""Proof of the alerts that have to stand for a while: anomalies, forecasts, silence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import absence, anomalies, series
from airis_mon.rules.alerts import Alert
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.forecasts import Reach
from airis_mon.rules.indicators import contract_of, requests_of
from airis_mon.rules.literals import number
from airis_mon.rules.proofs import histograms, strangers
from airis_mon.rules.proofs.case import AlertCheck, Case, Fired, Input, SampleCheck, close, fired
from airis_mon.rules.windows import name, recorded
from airis_mon.spec import Anomaly, Monitor

QUIET = 2
"""Evaluations before anything happens."""
NEAR = 0.01
"""How near to its capacity a forecast's signal is."""
ALWAYS = 2000
"""Steps that outlast every test here."""
HOUR = 3600.0
GROUP = "a"
"""Value of every label that an anomaly is kept apart by."""


def evaluations(alert: Alert, step: float) -> int:
    """Return the evaluations from the first that holds to the one that fires."""
    return math.ceil(alert.duration / step)


def anomaly(monitor: Monitor, watched: Anomaly, step: float) -> Case:
    """Return the test of one anomaly alert: fires once the score has stood, and not before; resolves."""
    first = anomalies.alert(monitor, watched, *anomalies.severities(watched)[0])
    labels = watched_labels(monitor, watched.of, watched.by)
    stands = evaluations(first, step) + 2
    return rising(
        f"anomaly of {watched.of}",
        monitor,
        first,
        step,
        labels,
        # Just below, long enough to fire if it counted; then just anomalous; then as expected again.
        values=(analyzer.SCORE, steadily((0, QUIET), (0.99, stands), (1, stands), (0, 3)), 1.0),
        others=(
            (analyzer.SCORE, {**labels, analyzer.MONITOR: f"{monitor.name}-other"}),
            (analyzer.SCORE, {**labels, analyzer.FOR: f"{watched.of}-other"}),
        ),
        beside=(
            given(analyzer.UPPER, {**labels, analyzer.HORIZON: analyzer.NOW}, 0),
            *(
                given(
                    analyzer.UPPER,
                    {**labels, label: f"{labels[label]}-other", analyzer.HORIZON: analyzer.NOW},
                    0,
                )
                for label in (analyzer.MONITOR, analyzer.FOR)
            ),
        ),
    )


def anomaly_without_band(monitor: Monitor, watched: Anomaly, step: float) -> Case:
    """Return the test of a score without a band of its own: others' bands, and forecasts', are not enough."""
    told = [anomalies.alert(monitor, watched, *of) for of in anomalies.severities(watched)]
    labels = watched_labels(monitor, watched.of, watched.by)
    band = {**labels, analyzer.HORIZON: analyzer.NOW}
    stands = max(evaluations(alert, step) for alert in told)
    inputs = [given(analyzer.SCORE, labels, anomalies.ANOMALOUS)]
    compared = (analyzer.MONITOR, analyzer.FOR, analyzer.HORIZON, *watched.by)
    inputs += [given(analyzer.UPPER, other, 0) for other in strangers.neighbours(band, compared)]
    checks = [AlertCheck((stands + 1) * step, series.ANOMALY_ALERT)]
    return Case(f"anomaly of {watched.of}: not without a band of its own", step, tuple(inputs), checks)


def anomaly_that_pages(monitor: Monitor, watched: Anomaly, step: float) -> Case:
    """Return the test of a ticket that becomes a page as well, once it has stood for longer."""
    both = [anomalies.alert(monitor, watched, *told) for told in anomalies.severities(watched)]
    labels, waits = (
        watched_labels(monitor, watched.of, watched.by),
        [evaluations(alert, step) for alert in both],
    )
    moments, nearly = sorted({*waits, waits[-1] - 1}), waits[-1] + 2
    checks = [AlertCheck((nearly - 1) * step, series.ANOMALY_ALERT)]
    checks += [
        AlertCheck(
            (nearly + moment) * step,
            series.ANOMALY_ALERT,
            tuple(
                fired(monitor, alert, labels, 1.0)
                for alert, wait in zip(both, waits, strict=True)
                if wait <= moment
            ),
        )
        for moment in moments
    ]
    score = Input(
        analyzer.SCORE + matchers(dict(sorted(labels.items()))), steadily((0.99, nearly), (1, waits[-1] + 2))
    )
    band = given(analyzer.UPPER, {**labels, analyzer.HORIZON: analyzer.NOW}, 0)
    return Case(f"anomaly of {watched.of}: a ticket, and later a page", step, (score, band), checks)


def forecast(reach: Reach, step: float) -> Iterator[Case]:
    """Yield the tests of one forecast; what holds now, or another horizon, must not count."""
    monitor, of, capacity, alert = reach.monitor, reach.forecast.of, reach.capacity, reach.alert()
    signal = watched_labels(monitor, of, reach.forecast.by)
    labels = {**signal, analyzer.HORIZON: reach.horizon}
    stands = evaluations(alert, step) + 2
    # A line from a little below the capacity: what it is now, and what it comes to.
    now, low = capacity - NEAR, capacity - NEAR / 100
    apart = (analyzer.MONITOR, analyzer.FOR)
    others = [{**labels, label: f"{labels[label]}-other"} for label in apart]
    actual = [signal, *({**signal, label: f"{signal[label]}-other"} for label in apart)]
    compared = (*apart, analyzer.HORIZON)
    yield rising(
        f"forecast of {of} {reach.horizon} ahead",
        monitor,
        alert,
        step,
        labels,
        values=(
            analyzer.EXPECTED,
            steadily((low, QUIET + stands), (capacity, stands), (low, 3)),
            reach.forecast.horizon / HOUR,
        ),
        others=(
            (analyzer.EXPECTED, {**labels, analyzer.HORIZON: analyzer.NOW}),
            *((analyzer.EXPECTED, other) for other in others),
        ),
        loud=capacity + abs(capacity) + 5,
        beside=[
            *(given(analyzer.ACTUAL, one, now) for one in actual),
            *(given(series.TIME_LEFT, {**labels, label: "any-stranger"}, 0.0) for label in compared),
        ],
    )
    for what, here, there, share in (
        ("halfway", now, capacity + NEAR, 0.5),
        ("beyond its capacity", capacity + NEAR, capacity + 2 * NEAR, 0.0),
        ("at its capacity, where it stays", capacity, capacity, 0.0),
        ("leading away", now, now - NEAR, None),
    ):
        left = series.TIME_LEFT + matchers(labels)
        check = SampleCheck(0, left, () if share is None else ((labels, 0.0),), series.TIME_LEFT)
        if share:
            check = SampleCheck(0, close(left, share * reach.forecast.horizon, 0.001), ((labels, 1.0),))
        inputs = [given(analyzer.ACTUAL, one, here) for one in actual]
        inputs += [given(analyzer.EXPECTED, one, there) for one in (labels, *others)]
        # Of the others nothing is recorded.
        all_of_them = SampleCheck(0, f"count({series.TIME_LEFT})", () if share is None else (({}, 1.0),))
        title = f"forecast of {of} {reach.horizon} ahead: {what}"
        yield Case(title, step, tuple(inputs), samples=[check, all_of_them])


def given(name: str, labels: Mapping[str, str], value: float) -> Input:
    """Return a series that has one value all along."""
    return Input(name + matchers(dict(sorted(labels.items()))), f"{number(value)}+0x{ALWAYS}")


def steadily(*stretches: tuple[float, int]) -> str:
    """Return values in promtool's notation: each value, that many times."""
    return " ".join(f"{number(value)}+0x{count - 1}" for value, count in stretches)


def watched_labels(monitor: Monitor, signal: str, by: tuple[str, ...]) -> dict[str, str]:
    """Return the labels of what the analyzer writes of a signal."""
    own = {analyzer.MONITOR: monitor.name, analyzer.MODEL: monitor.model.name, analyzer.FOR: signal}
    return {**dict.fromkeys(by, GROUP), **own}


def rising(
    what: str,
    monitor: Monitor,
    alert: Alert,
    step: float,
    labels: Mapping[str, str],
    values: tuple[str, str, float],
    others: tuple[tuple[str, Mapping[str, str]], ...],
    loud: float = 5.0,
    hidden: Sequence[str] = (),
    beside: Sequence[Input] = (),
) -> Case:
    """Return the test of an alert that fires once something stands, and not before; and resolves.

    `values` are a series, its values and the one that the alert shows; `others` are series that are `loud`
    all along; `hidden` are labels of the series that the alert has not; `beside` are further series.
    """
    metric, text, shown = values
    wait = evaluations(alert, step)
    begins = QUIET + wait + 2
    inherited = {label: value for label, value in labels.items() if label not in hidden}
    expected = (fired(monitor, alert, inherited, shown),)
    checks = [
        AlertCheck((begins - 1) * step, alert.name),
        *([AlertCheck((begins + wait - 1) * step, alert.name)] if wait else []),
        AlertCheck((begins + wait) * step, alert.name, expected),
        AlertCheck((begins + wait + 2) * step, alert.name),
    ]
    inputs = [Input(metric + matchers(dict(sorted(labels.items()))), text)]
    for other, their in others:
        steady = steadily((loud, begins + wait + 3))
        inputs.append(Input(other + matchers(dict(sorted(their.items()))), steady))
    inputs += beside
    return Case(f"{what}: fires when it stands, and resolves", step, tuple(inputs), checks)


def silence(monitor: Monitor, step: float) -> Iterator[Case]:
    """Yield the tests of absence: idle is not absent, gone is, and back is well again."""
    alert, requests = absence.source_alert(monitor), requests_of(monitor)
    if alert is None or requests is None:
        for objective in monitor.objectives:
            yield _own_silence(Burn(monitor, objective), step)
        return
    wait = evaluations(alert, step)
    # Idle for so long that any alert on silence would have fired.
    idle, gone = max(evaluations(one, step) for one in absence.alerts(monitor)) + 3, wait + 3
    counter = f"{steadily((7, idle))} stale _x{gone - 1} {steadily((7, 3))}"
    # Every objective has its value all along: it is the source alone that goes.
    objectives = (Burn(monitor, objective) for objective in monitor.objectives)
    values = [
        Input(failures_of(burn), steadily((0, idle + gone + 3)))
        for burn in objectives
        if absence.objective_alert(burn)
    ]
    yield Case(
        "the counter of operations: idle, gone, back",
        step,
        (Input(requests, counter), *values, *_others(monitor, idle + gone + 3)),
        [
            AlertCheck((idle - 1) * step, alert.name),
            *([AlertCheck((idle + wait - 1) * step, alert.name)] if wait else []),
            AlertCheck((idle + wait) * step, alert.name, (_silent(monitor, alert),)),
            AlertCheck((idle + gone + 1) * step, alert.name),
        ],
    )


def _own_silence(burn: Burn, step: float) -> Case:
    """Return the test of an objective that alone knows its operations: idle, gone, back."""
    alert = absence.objective_alert(burn)
    assert alert is not None  # nothing else would tell of it
    wait = evaluations(alert, step)
    idle, gone = wait + 3, wait + 3
    whole = idle + gone + 3
    own = Input(failures_of(burn), f"{steadily((0, idle))} stale _x{gone - 1} {steadily((0, 3))}")
    others = strangers.recorded(burn, series.FAILURES, recorded(burn.objective.window)[0], 0, whole)
    rest = [
        Input(failures_of(Burn(burn.monitor, other)), steadily((0, whole)))
        for other in burn.monitor.objectives
        if other is not burn.objective
    ]
    expected = (fired(burn.monitor, alert, _named(burn)),)
    return Case(
        f"{burn.objective.name}: what it counts is idle, gone, back",
        step,
        (own, *rest, *others),
        [
            AlertCheck((idle - 1) * step, alert.name),
            *([AlertCheck((idle + wait - 1) * step, alert.name)] if wait else []),
            AlertCheck((idle + wait) * step, alert.name, expected),
            AlertCheck((idle + gone + 1) * step, alert.name),
        ],
    )


def _named(burn: Burn) -> dict[str, str]:
    """Return the labels that absent() takes over from the selector of a recorded series."""
    return {series.MONITOR: burn.monitor.name, series.SLO_NAME: burn.objective.name}


def failures_of(burn: Burn) -> str:
    """Return the series of an objective's failures over its shortest window, as it is recorded."""
    window = name(recorded(burn.objective.window)[0])
    return f"{series.FAILURES}{window}" + matchers({**burn.labels, series.SLO_WINDOW: window})


def nothing(monitor: Monitor, step: float, others: tuple[str, ...]) -> Case:
    """Return the test of no data but that of others: silence is told, and nothing else is."""
    wait = max(evaluations(one, step) for one in absence.alerts(monitor))
    at = wait * step
    alert = absence.source_alert(monitor)
    if alert is not None:
        silent = [_silent(monitor, alert)]
    else:
        burns = [Burn(monitor, objective) for objective in monitor.objectives]
        told = ((burn, absence.objective_alert(burn)) for burn in burns)
        silent = [fired(monitor, own, _named(burn)) for burn, own in told if own is not None]
    return Case(
        "no data but that of others",
        step,
        tuple(_others(monitor, wait + 2)),
        [
            *(AlertCheck(at, other) for other in others),
            AlertCheck(at, series.ABSENT_ALERT, tuple(silent)),
        ],
    )


def _others(monitor: Monitor, steps: int) -> Iterator[Input]:
    """Yield the counters of other sources, or what is recorded of other monitors."""
    requests, selector = contract_of(monitor).requests, monitor.source.selector
    if requests is None:
        for objective in monitor.objectives:
            burn = Burn(monitor, objective)
            yield from strangers.recorded(burn, series.FAILURES, recorded(objective.window)[0], 0, steps)
        return
    for labels in strangers.neighbours(selector, selector):
        yield strangers.steady(requests.total, labels, 7, steps)


def _silent(monitor: Monitor, alert: Alert) -> Fired:
    # absent() returns the labels that its selector compares for equality.
    return fired(monitor, alert, monitor.source.selector)


def blind(monitor: Monitor, step: float) -> Iterator[Case]:
    """Yield the tests of operations that are counted, but not as some objective needs them."""
    requests = requests_of(monitor)
    if requests is None:
        return
    burns = [Burn(monitor, objective) for objective in monitor.objectives]
    apart = [burn for burn in burns if not absence.counted_with_requests(burn)]
    if apart:
        interval = min(recorded(burn.objective.window)[0] for burn in apart) / 10
        yield _blind("no series of theirs", monitor, requests, apart, interval, step)
    rare = [burn for burn in burns if absence.objective_alert(burn)]
    fast = any(absence.counted_with_requests(burn) for burn in rare)
    if fast and len({burn.objective.window for burn in burns}) == 1:
        interval = 2 * recorded(rare[0].objective.window)[0]
        what = "scraped too rarely for the shortest window"
        yield _blind(what, monitor, requests, rare, interval, step)


def _blind(
    what: str, monitor: Monitor, requests: str, burns: list[Burn], interval: float, step: float
) -> Case:
    alerts = [(burn, alert) for burn in burns if (alert := absence.objective_alert(burn))]
    delays = sorted({evaluations(alert, step) for _, alert in alerts})
    checks = []
    for evaluation in sorted({moment for delay in delays for moment in (delay - 1, delay)}):
        expected = tuple(
            fired(monitor, alert, {series.SLO_NAME: burn.objective.name})
            for burn, alert in alerts
            if evaluations(alert, step) <= evaluation
        )
        checks.append(AlertCheck(evaluation * step, series.ABSENT_ALERT, expected))
    steps = math.ceil((delays[-1] + 1) * step / interval) + 1
    counted = f"0+100x{steps}"
    if contract_of(monitor).native:
        counted = f"{histograms.text(0)}+{histograms.text(100)}x{steps}"
    inputs = [Input(requests, counted)]
    for burn, _ in alerts:
        inputs += strangers.recorded(burn, series.FAILURES, recorded(burn.objective.window)[0], 0, steps)
    return Case(f"operations without what objectives need: {what}", interval, tuple(inputs), checks)

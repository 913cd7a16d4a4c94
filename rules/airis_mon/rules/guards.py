"""Alerts on signals that are there and cannot be true: dead ones look healthy to every other rule.

For each metric that a promise depends on (`measures`):

- `unseen`: operations are counted, and the metric of an anomaly or a forecast has no series at all.
- `impossible`: a counter that is negative, no number or beyond 2^63, a share above 1, a bucket that holds
  more than its histogram: comparisons with such values are never true.
- `unlabelled`: a label by which failed operations are told, or a signal is kept apart, is missing.
- `frozen`: it stands still in an instance whose other counters say that it works. An idle model has nothing
  that moves, and is left alone; so is a gauge, which may rest on a value for good reasons.
- `cached`: even the CPU time of the process stands still: what is scraped is a copy of an old page.
- `rare`: it is read so seldom that the ranges of rates, derived from the declared interval, have gaps.

Samples from the future are not looked for: Prometheus itself refuses them beyond ten minutes, and a query at
any time sees none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from airis_mon.exporters.contracts import le_matcher, matchers
from airis_mon.rules import absence, series
from airis_mon.rules.alerts import Alert
from airis_mon.rules.indicators import contract_of
from airis_mon.rules.literals import number
from airis_mon.rules.measures import Measure, measures
from airis_mon.rules.windows import name, tiers
from airis_mon.spec import Monitor, Severity

LARGEST = 2.0**63
"""Where counters of 64 bits end; none that counts operations comes near it."""
WHOLE = 1.001
"""Above this a share is more than all of it; in between is rounding."""
WITHOUT_OBJECTIVES = 3600.0
"""Seconds over which a counter is compared with others, where no objective has windows."""
PATIENCE = 4
"""Parts of that time for which something has to stand before it is told."""
BUSY = 50
"""Operations, or tokens, in that time from which on an instance is at work."""
WITNESSES = 2
"""Other counters that are asked at most."""
EXPECTED, FEWEST = 20, 13
"""Readings that are due in the time that is looked at, and those from which on none is missed: a third may
be lost before a range of four readings is in danger."""
CPU_TIME = "process_cpu_seconds_total"
"""What client libraries expose of their process; to answer a scrape takes some of it."""


def alerts(monitor: Monitor) -> list[Alert]:
    """Return every guard of a monitor."""
    found = (guard(monitor, measure) for measure in measures(monitor) for guard in _GUARDS)
    return [alert for alert in found if alert is not None]


def reach(monitor: Monitor) -> float:
    """Return the seconds over which counters are compared: the fastest long window of the objectives."""
    fastest = (tiers(objective.window)[0].long for objective in monitor.objectives)
    return min(fastest, default=WITHOUT_OBJECTIVES)


def patience(monitor: Monitor) -> float:
    """Return the seconds for which something has to stand before it is told."""
    return reach(monitor) / PATIENCE


def selected(monitor: Monitor, metric: str, *more: str) -> str:
    """Return the selector of a metric of the monitor's source."""
    return metric + matchers(monitor.source.selector, *more)


def _is_source(measure: Measure) -> bool:
    """Tell whether a measure is the counter of all operations."""
    return measure.signal == series.REQUESTS


def _severity(monitor: Monitor, measure: Measure, kind: str) -> Severity:
    """Return the severity of a guard: what blinds the whole monitor wakes whom its silence would wake.

    A source that is read too seldom blinds its fastest windows alone.
    """
    blinding = _is_source(measure) and kind != series.RARE
    return absence.severity(monitor) if blinding else "ticket"


def _told(monitor: Monitor, measure: Measure, kind: str, expression: str, **said: str) -> Alert:
    return Alert(
        name=series.IMPLAUSIBLE_ALERT,
        severity=_severity(monitor, measure, kind),
        expression=expression,
        summary=said["summary"],
        before=said.get("before", ""),
        after=said["after"],
        verb="%.0f",
        labels={series.FOR: measure.signal, series.GUARD: kind},
        duration=patience(monitor),
    )


def unseen(monitor: Monitor, measure: Measure) -> Alert | None:
    """Return the alert on a metric that has no series while operations are counted.

    None where `absence` speaks: of the operations themselves, and of what an objective counts.
    """
    requests = contract_of(monitor).requests
    if requests is None or measure.promised:
        return None
    chosen = selected(monitor, measure.metric)
    return Alert(
        name=series.ABSENT_ALERT,
        severity="ticket",
        expression=f"absent({chosen})\nand on ()\ncount({selected(monitor, requests.total)})",
        summary=f"{measure.signal} is not measured",
        before=(
            f"Operations are counted, but no series matches {chosen}. The server does not expose it, or under"
            f" another name: compare its /metrics with the contract {monitor.source.contract}."
        ),
        labels={series.FOR: measure.signal},
        duration=reach(monitor),
    )


def impossible(monitor: Monitor, measure: Measure) -> Alert:
    """Return the alert on values that the metric cannot have."""
    chosen = selected(monitor, measure.metric)
    if measure.native:
        return _impossibly_native(monitor, measure, chosen)
    found = [f"{chosen} < 0", f"{chosen} != {chosen}", f"{chosen} >= {number(LARGEST)}"]
    if measure.gauge is not None:
        share = measure.gauge.unit == "ratio"
        most = WHOLE / measure.gauge.scale if share else LARGEST
        found[2] = f"{chosen} > {number(most)}"
        if not share:
            found[0] = f"{chosen} < {number(-LARGEST)}"
    if measure.boundary is not None:
        bucket = f"{measure.metric.removesuffix('_count')}_bucket"
        good = selected(monitor, bucket, le_matcher(measure.boundary))
        found.append(f"sum({good}) > sum({chosen}) * {number(WHOLE)}")
    what = (
        "have a value that cannot be: no number, negative, beyond 2^63, a share above 1, or a bucket above"
        " its count"
    )
    return _impossibly(monitor, measure, found, what)


def _impossibly_native(monitor: Monitor, measure: Measure, chosen: str) -> Alert:
    """Return the alert on native histograms that cannot be; of a negative count Prometheus takes none.

    An observation that is no number makes the sum none for good; none that is measured here is negative.
    """
    count, total = f"histogram_count({chosen})", f"histogram_sum({chosen})"
    found = (
        f"{count} != {count}",
        f"{count} >= {number(LARGEST)}",
        f"{total} != {total}",
        f"{total} < 0",
    )
    what = "hold a count or a sum that cannot be: no number, negative, or beyond 2^63"
    return _impossibly(monitor, measure, found, what)


def _impossibly(monitor: Monitor, measure: Measure, found: Sequence[str], what: str) -> Alert:
    """Return the alert on series of which one of these conditions holds; `what` says it of them in words."""
    either = "\n  or\n  ".join(found)
    return _told(
        monitor,
        measure,
        series.IMPOSSIBLE,
        f"count(\n  {either}\n)",
        summary=f"{measure.signal} has impossible values",
        after=(
            f" series of {selected(monitor, measure.metric)} {what}."
            " No threshold is ever crossed by it; mend the exporter."
        ),
    )


def unlabelled(monitor: Monitor, measure: Measure) -> Alert | None:
    """Return the alert on series that lack a label that a rule compares or keeps apart."""
    missing = tuple(dict.fromkeys((*measure.told, *measure.by)))
    if not missing:
        return None
    chosen = selected(monitor, measure.metric)
    whole = selected(monitor, measure.metric, *(f'{label}!=""' for label in missing))
    *others, last = missing
    named = f"one of the labels {', '.join(others)} and {last}" if others else f"the label {last}"
    return _told(
        monitor,
        measure,
        series.UNLABELLED,
        f"count({chosen} unless {whole})",
        summary=f"{measure.signal} lacks a label",
        after=(
            f" series of {chosen} lack {named}. Failures are not told from successes, or parts not from each "
            "other: see what the server exposes, and what relabelling drops."
        ),
    )


def evidence(monitor: Monitor, measure: Measure) -> tuple[str, ...]:
    """Return other counters of the contract that move while the one of the measure has to move."""
    contract = contract_of(monitor)
    requests = contract.requests
    if measure.gauge is not None or requests is None or not measure.moves:
        return ()
    if measure.metric != requests.total:
        return (requests.total,)
    others = [counter.metric for counter in contract.counters.values()]
    others += [contract.count(name) for name in contract.distributions]
    return tuple(other for other in others if other != measure.metric)[:WITNESSES]


def frozen(monitor: Monitor, measure: Measure) -> Alert | None:
    """Return the alert on a counter that stands still where others of the same instance move."""
    witnesses, span = evidence(monitor, measure), name(reach(monitor))
    if not witnesses:
        return None

    contract = contract_of(monitor)
    if measure.native:  # an objective may read one where the contract's others are classic
        contract = replace(contract, native=contract.native | {measure.metric})

    def increase(metric: str) -> str:
        whole = f"sum by (instance) (increase({selected(monitor, metric)}[{span}]))"
        return contract.operations(metric, whole)

    moving = "\n    or\n    ".join(f"{increase(other)} >= {BUSY}" for other in witnesses)
    return _told(
        monitor,
        measure,
        series.FROZEN,
        f"count(\n  {increase(measure.metric)} == 0\n  and on (instance)\n  (\n    {moving}\n  )\n)",
        summary=f"{measure.signal} stands still while the model works",
        after=(
            f" instances work, but {selected(monitor, measure.metric)} has not moved for {span}. What counts"
            " it has ended inside of the server, or this kind of traffic is not measured; nothing that is"
            " promised about it can be missed."
        ),
    )


def cached(monitor: Monitor, measure: Measure) -> Alert | None:
    """Return the alert on a process whose own CPU time stands still: an old page is scraped.

    None without a job: the processes of everybody would have to be read.
    """
    if not _is_source(measure) or "job" not in monitor.source.selector:
        return None
    span = name(reach(monitor))
    process = CPU_TIME + matchers({"job": monitor.source.selector["job"]})
    chosen = selected(monitor, measure.metric)
    return _told(
        monitor,
        measure,
        series.CACHED,
        f"count(\n  changes({process}[{span}]) == 0\n  and on (job, instance)\n  {chosen}\n)",
        summary="an old page is scraped",
        after=(
            f" instances answer scrapes, but the CPU time of their process has not moved for {span}."
            " Something in between keeps a copy of the page; scrape the server itself."
        ),
    )


def rare(monitor: Monitor, measure: Measure) -> Alert | None:
    """Return the alert on being read less often than the document says."""
    if not _is_source(measure):
        return None
    declared = monitor.source.scrape_interval
    span, chosen = name(EXPECTED * declared), selected(monitor, measure.metric)
    return _told(
        monitor,
        measure,
        series.RARE,
        f"max(count_over_time({chosen}[{span}])) < {FEWEST}\nand on ()\ncount({chosen})",
        summary="the source is read too seldom",
        before=f"Of {EXPECTED} readings that are due in {span}, Prometheus has ",
        after=(
            f". The ranges of all rates are derived from `source.scrape_interval`, {name(declared)}, and have"
            " gaps: write the interval that Prometheus really has, or mend what makes scrapes fail."
        ),
    )


_GUARDS: tuple[Callable[[Monitor, Measure], Alert | None], ...] = (
    impossible,
    unlabelled,
    unseen,
    frozen,
    cached,
    rare,
)

"""Who has to be told when, worked out from the documents alone: cases for a replay of the configuration.

amtool says which routes an alert takes, and nothing of time. These cases do: that each rung of a ladder
speaks after its own time and not before, that it ends with the alert, that what belongs together is told
together, what is told again, and what keeps quiet. They never look at the route tree; a wrong time there
makes a case fail.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airis_mon.alertmanager.claims import Claim, Names, gathered, named, place
from airis_mon.alertmanager.replay import Delays
from airis_mon.rules import series
from airis_mon.spec import Bundle, Errors, EscalationPolicy, Monitor, Step, format_duration

DELIVERY = Delays().delivery
"""Seconds within which a receiver takes a message; a repetition counts from then."""
BESIDE = 0.123
"""Seconds beside a look at a group, where either could come first: nobody writes such an interval."""
NOBODYS = "Nobodys"
"""No monitor's name: they have no capitals."""
NEAREST = 3
"""Dependencies of a monitor that have cases of their own."""
MOST = 50
"""Repetitions that a case looks at: a ladder of days that is told again every second has too many."""


@dataclass(frozen=True)
class _Standing:
    """An alert, and how long it stands."""

    labels: Mapping[str, str]
    begins: float = 0.0
    ends: float | None = None


@dataclass(frozen=True)
class _Case:
    name: str
    alerts: Sequence[_Standing]
    until: float
    told: Sequence[tuple[float, str, int]] = field(default=())
    """Messages: seconds, receiver, and how many alerts fire then; 0 tells that all is over."""

    def content(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "alerts": [
                {
                    "labels": dict(alert.labels),
                    "begins": format_duration(alert.begins),
                    **({} if alert.ends is None else {"ends": format_duration(alert.ends)}),
                }
                for alert in self.alerts
            ],
            "until": format_duration(self.until),
            "told": [
                {"at": format_duration(at), "receiver": receiver, "firing": firing}
                for at, receiver, firing in sorted(self.told)
            ],
        }


@dataclass(frozen=True)
class _Party:
    """A monitor, as far as cases look at it; places stand for its names."""

    role: str
    policy: EscalationPolicy | None
    objectives: tuple[tuple[str, bool], ...] = ()
    """Name of each, and whether its burning tells that nothing works."""

    @property
    def name(self) -> str:
        return place(series.MONITOR, self.role)

    def labels(self, severity: str, objective: str = "availability") -> dict[str, str]:
        return {
            "alertname": series.BURN_ALERT,
            series.MONITOR: self.name,
            series.SEVERITY: severity,
            series.TEAM: place(series.TEAM, self.role),
            series.MODEL: place(series.MODEL, self.role),
            series.OBJECTIVE_LABEL: objective,
        }


Parties = tuple[_Party, ...]
"""A monitor, and those whose pages its own could keep quiet for."""


def claims(bundle: Bundle) -> list[Claim]:
    """Return the cases, `{name, alerts, until, told}`, and the monitors that differ in names alone.

    Times count from the start of the first alert.
    """
    monitors = {monitor.name: monitor for monitor in bundle.monitors}
    alike = gathered(_parties(monitor, monitors, bundle) for monitor in bundle.monitors)
    return [
        Claim([case.content() for case in (*_of(parties), *_depending(parties))], names)
        for parties, names in alike.items()
    ]


def _parties(monitor: Monitor, monitors: Mapping[str, Monitor], bundle: Bundle) -> tuple[Parties, Names]:
    """Return what the cases of a monitor depend on, and its names."""
    found, names = [_Party("", _policy(monitor, bundle))], named(monitor)
    needed = _needed(monitor, monitors)
    # In a long chain the nearest and the farthest stand for what lies between: one rule says all of them.
    for number, other in enumerate([*needed[:NEAREST], *needed[NEAREST:][-1:]], 1):
        role = f"needed_{number}_"
        objectives = tuple((one.name, isinstance(one.indicator, Errors)) for one in other.objectives)
        found.append(_Party(role, _policy(other, bundle), objectives))
        names |= named(other, role)
    return tuple(found), names


def _policy(monitor: Monitor, bundle: Bundle) -> EscalationPolicy | None:
    escalation = monitor.alerting.escalation
    return None if escalation is None else bundle.policy(escalation)


def _of(parties: Parties) -> Iterator[_Case]:
    monitor = parties[0]
    page, ticket = monitor.labels(series.PAGE), monitor.labels(series.TICKET)
    if monitor.policy is None:
        yield _Case(f"{monitor.name}: nobody is told", [_Standing(page), _Standing(ticket)], 86400.0)
        return
    policy = monitor.policy
    for severity, steps in ((series.PAGE, policy.page), (series.TICKET, policy.ticket)):
        if steps:
            yield from _ladder(f"{monitor.name}, {severity}", monitor.labels(severity), _rungs(steps), policy)
    for what, quiet, loud in (
        ("a ticket keeps quiet beside a page about the same", [ticket], [page]),
        *(
            (f"a ticket is told beside a page of another {label}", [], [{**page, label: "another"}, ticket])
            for label in ("alertname", series.OBJECTIVE_LABEL, series.FOR)
        ),
        ("a ticket is told beside a page of nobody's monitor", [{**page, series.MONITOR: NOBODYS}], [ticket]),
        (
            "a ticket is told beside what is neither page nor ticket",
            [{**page, series.SEVERITY: "info"}],
            [ticket],
        ),
        ("each kind of page is told by itself", [], [page, {**page, "alertname": "another"}]),
        *_missing(ticket, page),
        *_unready(ticket, page),
    ):
        yield _together(f"{monitor.name}: {what}", quiet, loud, parties)


def _depending(parties: Parties) -> Iterator[_Case]:
    """Yield what becomes of a monitor's alerts while one that it depends on, at whatever distance, pages."""
    monitor = parties[0]
    page, ticket = monitor.labels(series.PAGE), monitor.labels(series.TICKET)
    for needed in parties[1:]:
        silent = {**needed.labels(series.PAGE), "alertname": series.ABSENT_ALERT}
        del silent[series.OBJECTIVE_LABEL]
        down = [silent]
        slow = [{**needed.labels(series.PAGE), "alertname": series.ANOMALY_ALERT}]
        for objective, nothing_works in needed.objectives:
            (down if nothing_works else slow).append(needed.labels(series.PAGE, objective))
        for what in down:
            held, about = {**what, series.SEVERITY: series.TICKET}, _about(what)
            for kept in (page, ticket):
                title = f"a {kept[series.SEVERITY]} of {monitor.name} keeps quiet beside {about}"
                yield _together(title, [kept], [what], parties)
            yield _together(f"{monitor.name} is told beside a ticket, {about}", [], [held, page], parties)
        for what in slow:
            yield _together(f"{monitor.name} is told beside {_about(what)}", [], [what, page], parties)


def _about(labels: Mapping[str, str]) -> str:
    words = (labels[series.MONITOR], labels["alertname"], labels.get(series.OBJECTIVE_LABEL))
    return " ".join(filter(None, words))


def _needed(monitor: Monitor, monitors: Mapping[str, Monitor]) -> list[Monitor]:
    """Return what a monitor depends on, the nearest first."""
    found: dict[str, None] = {}
    left = list(monitor.depends_on)
    while left:
        name = left.pop(0)
        if name not in found:
            found[name] = None
            left += monitors[name].depends_on
    return [monitors[name] for name in found]


def _missing(
    ticket: dict[str, str], page: dict[str, str]
) -> Iterator[tuple[str, list[dict[str, str]], list[dict[str, str]]]]:
    """Yield what is said of a signal that has gone missing: what is quiet, and what is told."""
    absent = {**ticket, "alertname": series.ABSENT_ALERT, series.FOR: "signal"}
    about, woken = {**ticket, series.FOR: "signal"}, {**page, series.FOR: "signal"}
    yield "a ticket keeps quiet while its signal is missing", [about], [absent]
    yield "a page is told although its signal is missing", [], [absent, woken]
    blind = {**absent, series.OBJECTIVE_LABEL: "availability"}
    source = {**page, "alertname": series.ABSENT_ALERT, series.OBJECTIVE_LABEL: "", series.FOR: "signal"}
    yield "what is missing does not hide what else is missing", [], [source, blind]
    nobodys = {**absent, series.MONITOR: NOBODYS}
    yield "a ticket is told while the signal of nobody's monitor is missing", [nobodys], [about]
    other = {**about, series.FOR: "another"}
    yield "a ticket is told while another signal is missing", [], [absent, other]


def _unready(
    ticket: dict[str, str], page: dict[str, str]
) -> Iterator[tuple[str, list[dict[str, str]], list[dict[str, str]]]]:
    """Yield what is said of alerts that cannot fire: what is quiet, and what is told."""
    unready = {**ticket, "alertname": series.UNREADY_ALERT}
    general = {**unready, series.OBJECTIVE_LABEL: ""}
    absent = {**ticket, "alertname": series.ABSENT_ALERT, series.FOR: "signal"}
    nothing = {
        **page,
        "alertname": series.ABSENT_ALERT,
        series.OBJECTIVE_LABEL: "",
        series.FOR: series.REQUESTS,
    }
    yield "an alert that cannot fire is nothing new where nothing is counted", [unready], [nothing]
    yield "an alert that cannot fire is nothing new where its objective has no value", [unready], [absent]
    other = {**absent, series.OBJECTIVE_LABEL: "another"}
    yield "an alert that cannot fire is told beside another objective without value", [], [other, unready]
    strange = {
        **ticket,
        "alertname": series.ANOMALY_ALERT,
        series.OBJECTIVE_LABEL: "",
        series.FOR: series.REQUESTS,
    }
    yield "an alert that cannot fire is told beside traffic that is strange", [], [strange, unready]
    yield "an alert that cannot fire is told beside one of its objective that fires", [], [ticket, unready]
    for theirs in (nothing, absent):
        nobodys = {**theirs, series.MONITOR: NOBODYS}
        what = "an alert that cannot fire is told while nobody's monitor is silent"
        yield f"{what}, {theirs[series.SEVERITY]}", [nobodys], [unready]
    counted = {**other, series.FOR: series.REQUESTS}
    yield (
        "an alert that cannot fire is told beside another objective that counts nothing",
        [],
        [counted, unready],
    )
    drawn = {**strange, series.FOR: "another"}
    yield "a ticket of another signal is told where nothing is counted", [], [nothing, drawn]
    elsewhere = {**absent, series.OBJECTIVE_LABEL: ""}
    yield "an alert that cannot fire is told beside a signal that is missing", [], [elsewhere, general]


def _together(
    name: str, quiet: Sequence[dict[str, str]], loud: Sequence[dict[str, str]], parties: Parties
) -> _Case:
    """Return the case of alerts that stand side by side, each of its own kind, severity or monitor."""
    policies = {party.name: party.policy for party in parties}
    ladders = []
    for labels in (*quiet, *loud):
        policy = policies.get(labels[series.MONITOR])
        if policy is not None:
            steps = _rungs(policy.page if labels[series.SEVERITY] == series.PAGE else policy.ticket)
            ladders.append((labels, steps, policy))
    last = max((_wait(step, policy) for _, steps, policy in ladders for step in steps), default=0.0) + BESIDE
    until = min([last, *(MOST * _pause(policy) + BESIDE for _, _, policy in ladders)])
    told = [
        one
        for labels, steps, policy in ladders
        if labels in loud
        for step in steps
        for one in _told(step, policy, until)
    ]
    return _Case(name, [_Standing(labels) for labels in (*quiet, *loud)], until, told)


def _ladder(
    what: str, labels: Mapping[str, str], steps: Sequence[Step], policy: EscalationPolicy
) -> Iterator[_Case]:
    last = max(_wait(step, policy) for step in steps)
    until = min(last + _pause(policy), MOST * _pause(policy)) + BESIDE
    told = [one for step in steps for one in _told(step, policy, until)]
    yield _Case(f"{what}: stands, and is told again", [_Standing(labels)], until, told)
    for rung, step in enumerate(steps, 1):
        ends = _wait(step, policy) - BESIDE
        if 0 < ends < MOST * _pause(policy):
            yield _ending(f"{what}: over before level {rung}", labels, steps[: rung - 1], ends, policy)
    ends = last + BESIDE
    if ends < MOST * _pause(policy):
        yield _ending(f"{what}: over after the last level", labels, steps, ends, policy)
    later = math.floor(policy.group_wait / 2)
    if steps[0].after == 0 and later and last < MOST * _pause(policy):
        yield _belonging(f"{what}: two that belong together", labels, steps, later, policy)


def _belonging(
    name: str, labels: Mapping[str, str], steps: Sequence[Step], later: float, policy: EscalationPolicy
) -> _Case:
    """Return the case of two alerts that the first rung is told of at once, and the others one by one."""
    until = _wait(steps[-1], policy) + later + BESIDE
    told: list[tuple[float, str, int]] = []
    for step in steps:
        if step.after == 0:
            told += _told(step, policy, until, firing=2)
        else:
            told += [*_told(step, policy, until), *_told(step, policy, until, begins=later)]
    other = {**labels, series.OBJECTIVE_LABEL: "another"}
    return _Case(name, [_Standing(labels), _Standing(other, begins=later)], until, told)


def _rungs(steps: Sequence[Step]) -> list[Step]:
    """Return a step per moment: several of one moment, for different hours, are told together here."""
    found: dict[float, dict[str, None]] = {}
    for step in steps:
        found.setdefault(step.after, {}).update(dict.fromkeys(step.receivers))
    return [Step(tuple(receivers), after) for after, receivers in found.items()]


def _wait(step: Step, policy: EscalationPolicy) -> float:
    """Return seconds from an alert's start to a rung's first message."""
    return step.after or policy.group_wait


def _told(
    step: Step, policy: EscalationPolicy, until: float, *, begins: float = 0.0, firing: int = 1
) -> Iterator[tuple[float, str, int]]:
    """Yield what a rung is told before `until` of an alert that stands."""
    first, pause = begins + _wait(step, policy), _pause(policy)
    for number in range(max(0, math.ceil((until - first) / pause))):
        for receiver in step.receivers:
            yield first + number * pause, receiver, firing


def _pause(policy: EscalationPolicy) -> float:
    """Return seconds from one message about a standing alert to the next: whole looks at its group."""
    looks = math.floor((policy.repeat_interval + DELIVERY) / policy.group_interval) + 1
    return looks * policy.group_interval


def _ending(
    name: str, labels: Mapping[str, str], steps: Sequence[Step], ends: float, policy: EscalationPolicy
) -> _Case:
    """Return the case of an alert that ends after the last of these steps: they hear of it, nobody else."""
    told: list[tuple[float, str, int]] = []
    for step in steps:
        wait = _wait(step, policy)
        over = wait + math.ceil((ends - wait) / policy.group_interval) * policy.group_interval
        told += [*_told(step, policy, ends), *((over, receiver, 0) for receiver in step.receivers)]
    until = max([at for at, _, _ in told], default=ends) + 2 * policy.group_interval + 2 * ends + BESIDE
    return _Case(name, [_Standing(labels, ends=ends)], until, told)

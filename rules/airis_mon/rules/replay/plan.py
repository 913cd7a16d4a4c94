"""What has to be evaluated for the alerts of some rule files, and in what order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from airis_mon.rules.replay.expressions import Condition, Selector, selectors
from airis_mon.spec import parse_duration

_ESCAPED = '{{ "{{" }}'
"""How our rules write two braces that are no template."""


class PlanError(ValueError):
    """Rules that cannot be replayed; the text says which and why."""


@dataclass(frozen=True)
class Recording:
    """A recording rule that an alert stands on."""

    name: str
    expression: str
    labels: tuple[tuple[str, str], ...]
    """Labels that the rule sets."""
    group: str = ""
    """Name of its group, whose rules are evaluated at one time."""
    reach: float = 0.0
    """Seconds before the first evaluation of the alerts from which it has to be recorded."""
    level: int = 0
    """Longest chain of recordings that it reads; those of one level do not read each other."""


@dataclass(frozen=True)
class AlertRule:
    """An alerting rule."""

    name: str
    expression: str
    labels: tuple[tuple[str, str], ...]
    """Labels that the rule sets, as they read when it fires."""
    duration: float = 0.0
    """Seconds for which the condition has to hold (`for`)."""
    keep_firing_for: float = 0.0
    """Seconds for which it goes on firing when the condition no longer holds."""
    summary: str = ""
    """Annotation of that name, as it reads when it fires."""
    group: str = ""
    """Name of its group."""


@dataclass(frozen=True)
class Plan:
    """Everything that a replay of rules needs."""

    stored: tuple[Selector, ...]
    """Series that have to come from the past; none of them is within another."""
    recordings: tuple[Recording, ...]
    """Each after those that it reads: level by level."""
    alerts: tuple[AlertRule, ...]

    @property
    def groups(self) -> frozenset[str]:
        """Names of the groups that are evaluated."""
        recorded = {recording.group for recording in self.recordings}
        return frozenset(recorded | {alert.group for alert in self.alerts})

    @property
    def reach(self) -> float:
        """Seconds before the first evaluation of the alerts from which anything is read."""
        return max((selector.reach for selector in self.stored), default=0.0)


def plan(files: Iterable[Mapping[str, Any]]) -> Plan:
    """Return the plan of decoded rule files: their alerts, and of their recordings what those stand on.

    PlanError where a rule is no rule, or reads what it records itself.
    """
    rules = [(group["name"], rule) for file in files for group in file["groups"] for rule in group["rules"]]
    recorded = [
        Recording(rule["record"], rule["expr"], _pairs(rule.get("labels", {})), group)
        for group, rule in rules
        if "record" in rule
    ]
    alerts = tuple(_alert(rule, group) for group, rule in rules if "alert" in rule)
    return _Planner(recorded).plan(alerts)


class _Planner:
    def __init__(self, recorded: Sequence[Recording]) -> None:
        self._recorded = recorded
        self._by_name: dict[str, list[int]] = {}
        for index, recording in enumerate(recorded):
            self._by_name.setdefault(recording.name, []).append(index)
        self._read: dict[int, list[tuple[int, float]]] = {}
        """Recording to those that it reads, and how far back."""
        self._stored: dict[int, list[Selector]] = {}
        self._order: list[int] = []
        self._open: set[int] = set()

    def plan(self, alerts: tuple[AlertRule, ...]) -> Plan:
        reaches: dict[int, float] = {}
        stored: dict[tuple[Condition, ...], float] = {}
        for alert in alerts:
            recordings, selected = self._sorted_out(alert.expression, f"alert {alert.name}")
            for index, reach in recordings:
                self._visit(index)
                reaches[index] = max(reach, reaches.get(index, 0.0))
            _add(stored, selected, 0.0)
        levels: dict[int, int] = {}
        for index in self._order:
            levels[index] = 1 + max((levels[below] for below, _ in self._read[index]), default=-1)
        for index in reversed(self._order):
            own = reaches.get(index, 0.0)
            for below, reach in self._read[index]:
                reaches[below] = max(own + reach, reaches.get(below, 0.0))
            _add(stored, self._stored[index], own)
        return Plan(
            stored=tuple(_widest(Selector(conditions, reach) for conditions, reach in stored.items())),
            recordings=tuple(
                replace(self._recorded[index], reach=reaches[index], level=levels[index])
                for index in sorted(self._order, key=levels.__getitem__)
            ),
            alerts=alerts,
        )

    def _visit(self, index: int) -> None:
        if index in self._read and index not in self._open:
            return
        if index in self._open:
            name = self._recorded[index].name
            raise PlanError(f"`{name}` reads what it records itself, which cannot be replayed")
        self._open.add(index)
        recording = self._recorded[index]
        self._read[index], self._stored[index] = self._sorted_out(recording.expression, recording.name)
        for below, _ in self._read[index]:
            self._visit(below)
        self._open.discard(index)
        self._order.append(index)

    def _sorted_out(self, expression: str, what: str) -> tuple[list[tuple[int, float]], list[Selector]]:
        """Return what an expression reads: of the recordings, and of what is stored."""
        recordings: list[tuple[int, float]] = []
        stored: list[Selector] = []
        try:
            found = selectors(expression)
        except ValueError as error:
            raise PlanError(f"{what}: {error}") from error
        for selector in found:
            meant = [
                (index, selector.reach)
                for index in self._by_name.get(selector.name or "", ())
                if selector.may_select(self._recorded[index].name, dict(self._recorded[index].labels))
            ]
            recordings += meant
            if not meant:
                stored.append(selector)
        return recordings, stored


def _add(found: dict[tuple[Condition, ...], float], more: Iterable[Selector], reach: float) -> None:
    for selector in more:
        whole = reach + selector.reach
        found[selector.conditions] = max(whole, found.get(selector.conditions, 0.0))


def _widest(found: Iterable[Selector]) -> Iterator[Selector]:
    """Yield the selectors that are within no other: what has fewer conditions selects more."""
    every = sorted(found, key=lambda selector: (len(selector.conditions), selector.conditions))
    kept: list[Selector] = []
    for selector in every:
        wider = [index for index, one in enumerate(kept) if set(one.conditions) <= set(selector.conditions)]
        for index in wider:
            kept[index] = Selector(kept[index].conditions, max(kept[index].reach, selector.reach))
        if not wider:
            kept.append(selector)
    yield from kept


def _alert(rule: Mapping[str, Any], group: str) -> AlertRule:
    return AlertRule(
        name=rule["alert"],
        expression=rule["expr"],
        labels=_pairs(rule.get("labels", {})),
        duration=parse_duration(rule["for"]) if "for" in rule else 0.0,
        keep_firing_for=parse_duration(rule["keep_firing_for"]) if "keep_firing_for" in rule else 0.0,
        summary=rule.get("annotations", {}).get("summary", "").replace(_ESCAPED, "{{"),
        group=group,
    )


def _pairs(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value.replace(_ESCAPED, "{{")) for name, value in labels.items()))

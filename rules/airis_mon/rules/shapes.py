"""What is left of a monitor when all names are taken out of it: monitors of one shape share their proofs.

A shape is itself a monitor, with a placeholder for each name that only ever stands in labels and in messages.
Equal names get equal placeholders, and a name that stands elsewhere as well, as in PromQL that a person
wrote, stays: two monitors of one shape differ by a renaming that is one to one.
Whether a placeholder is all that a name comes to in the rules is not assumed: whoever uses a shape has to
write its rules out with `spelled` and compare.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from typing import Any

from airis_mon.rules.groups import Group
from airis_mon.spec import (
    Alerting,
    Band,
    Canary,
    Errors,
    Maintenance,
    Monitor,
    Objective,
    Quality,
    Source,
    Window,
)

_PLACEHOLDER = re.compile(r"any-[a-z]+(?:-[0-9]+)?")


@dataclass(frozen=True)
class Shape:
    """A monitor with placeholders, and what they stand for."""

    monitor: Monitor
    names: Mapping[str, str]
    """Placeholder to name."""

    @property
    def key(self) -> str:
        """Return a text that is equal for equal shapes; a field at its default leaves no trace in it."""
        return _told(self.monitor)


def shape(monitor: Monitor) -> Shape:
    """Return the shape of a monitor."""
    found = _without_names(monitor, frozenset())
    # What is left is what people wrote beside names; a contract's name is in no rule.
    left = _told(replace(found.monitor, source=replace(found.monitor.source, contract="")))
    elsewhere = frozenset(name for name in found.names.values() if _stands(name, left))
    return _without_names(monitor, elsewhere) if elsewhere else found


def _stands(name: str, text: str) -> bool:
    """Tell whether a name is a word of a text."""
    return name in text and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def _without_names(monitor: Monitor, kept: frozenset[str]) -> Shape:
    placeholders = _Placeholders(kept)
    called = placeholders.of
    alerting = monitor.alerting
    runbook = None if alerting.runbook is None else called(alerting.runbook, "any-runbook")
    found = replace(
        monitor,
        name=called(monitor.name, "any-monitor"),
        model=replace(
            monitor.model,
            name=called(monitor.model.name, "any-model"),
            version=None if monitor.model.version is None else called(monitor.model.version, "any-version"),
        ),
        source=replace(
            monitor.source,
            selector={
                label: called(value, f"any-value-{place}")
                for place, (label, value) in enumerate(monitor.source.selector.items(), 1)
            },
        ),
        objectives=tuple(
            replace(objective, name=called(objective.name, f"any-objective-{place}"))
            for place, objective in enumerate(monitor.objectives, 1)
        ),
        depends_on=(),
        maintenance=tuple(
            replace(
                one,
                name=called(one.name, f"any-maintenance-{place}"),
                reason="",
                monitors=(),
                teams=(),
                severities=(),
            )
            for place, one in enumerate(monitor.maintenance, 1)
        ),
        alerting=replace(alerting, team=called(alerting.team, "any-team"), escalation=None, runbook=runbook),
    )
    return Shape(found, placeholders.names)


def of_objective(monitor: Monitor, objective: Objective) -> Monitor:
    """Return the monitor as if it promised nothing else and watched nothing else."""
    return replace(_bare(monitor), objectives=(objective,))


def of_signals(monitor: Monitor) -> Monitor:
    """Return the monitor as if it did nothing but hold signals against bounds."""
    return replace(_bare(monitor), thresholds=monitor.thresholds)


def of_expectation(monitor: Monitor, of: str) -> Monitor:
    """Return the monitor as if it expected something of one signal, and told nobody."""
    asking = replace(_bare(monitor), engine=monitor.engine, alerting=Alerting())
    return replace(
        asking,
        anomalies=tuple(
            replace(one, severity="ticket", duration=0.0, page_after=None)
            for one in monitor.anomalies
            if one.of == of
        ),
        forecasts=tuple(replace(one, capacity=None) for one in monitor.forecasts if one.of == of),
        thresholds=tuple(
            replace(one, side="above", severity="ticket", duration=0.0)
            for one in monitor.thresholds
            if one.of == of and isinstance(one.bound, Band)
        ),
    )


def of_cost(monitor: Monitor) -> Monitor:
    """Return the monitor as if it did nothing but watch what it costs."""
    return replace(_bare(monitor), cost=monitor.cost)


def of_drift(monitor: Monitor) -> Monitor:
    """Return the monitor as if it did nothing but watch features, and promised what makes drift a page."""
    alike = Objective("", 0.999, 30 * 86400.0, Errors())
    objectives = tuple(
        replace(alike, name=one.name)
        for one in monitor.objectives
        if isinstance(one.indicator, Errors | Quality)
    )
    return replace(_bare(monitor), drift=monitor.drift, objectives=objectives)


def of_canary(monitor: Monitor) -> Monitor:
    """Return the monitor as if it did nothing but compare two versions; how, is not the alert's matter."""
    canary = monitor.canary
    alike = None if canary is None else Canary(canary.baseline, canary.candidate, severity=canary.severity)
    return replace(_bare(monitor), source=Source("any", {}), canary=alike)


def _bare(monitor: Monitor) -> Monitor:
    alerting = Alerting(team=monitor.alerting.team, runbook=monitor.alerting.runbook)
    return Monitor(monitor.name, replace(monitor.model, version=None), monitor.source, alerting=alerting)


def of_maintenance(monitor: Monitor, planned: Maintenance) -> Monitor:
    """Return the monitor as if nothing were known of it but when it is worked on."""
    return Monitor(
        monitor.name,
        replace(monitor.model, version=None),
        Source("any", {}),
        alerting=Alerting(team=monitor.alerting.team),
        maintenance=(planned,),
    )


_ANY = Maintenance("any-maintenance", "", once=Window(0.0, 1.0))


def of_maintained(monitor: Monitor, objective: Objective) -> Monitor:
    """Return the monitor as if it promised nothing else, and were worked on at some time."""
    return replace(of_objective(monitor, objective), maintenance=(_ANY,))


def of_guards(monitor: Monitor) -> Monitor:
    """Return the monitor as if all its promises were equally strict: what guards it asks for its windows."""
    alerting = Alerting(team=monitor.alerting.team, runbook=monitor.alerting.runbook)
    alike = Objective("", 0.999, 0.0, Errors())
    objectives = tuple(
        replace(
            objective,
            target=alike.target,
            fewest_failures=alike.fewest_failures,
            labels=alike.labels,
            annotations=alike.annotations,
        )
        for objective in monitor.objectives
    )
    model = replace(monitor.model, version=None)
    return replace(
        monitor,
        model=model,
        objectives=objectives,
        alerting=alerting,
        depends_on=(),
        maintenance=(),
        profile=None,
    )


def spelled(groups: Sequence[Group], names: Mapping[str, str]) -> tuple[Group, ...]:
    """Return the rules of a shape with every placeholder replaced by what it stands for."""

    def written(content: Any) -> Any:
        if isinstance(content, str):
            return _PLACEHOLDER.sub(lambda found: names.get(found[0], found[0]), content)
        if isinstance(content, Mapping):
            return {key: written(value) for key, value in content.items()}
        return [written(one) for one in content] if isinstance(content, list | tuple) else content

    return tuple(Group(written(group.name), tuple(map(written, group.rules))) for group in groups)


def _told(value: Any) -> str:
    """Return the `repr` of a value without the fields that have their default."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_told, value))})"
    if not is_dataclass(value):
        return repr(value)
    told = []
    for known in fields(value):
        default = known.default if known.default_factory is MISSING else known.default_factory()
        inner = getattr(value, known.name)
        if known.compare and inner != default:
            told.append(f"{known.name}={_told(inner)}")
    return f"{type(value).__name__}({', '.join(told)})"


class _Placeholders:
    def __init__(self, kept: frozenset[str]) -> None:
        self._kept = kept
        self.names: dict[str, str] = {}
        self._given: dict[str, str] = {}

    def of(self, name: str, placeholder: str) -> str:
        """Return what stands for a name: the placeholder that it was given first, or itself."""
        if name in self._kept:
            return name
        given = self._given.setdefault(name, placeholder)
        self.names[given] = name
        return given

"""All documents of one run together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from airis_mon.spec import dependencies
from airis_mon.spec.maintenance import Maintenance
from airis_mon.spec.monitor import Monitor
from airis_mon.spec.receivers import EscalationPolicy, Receiver
from airis_mon.spec.time_intervals import TimeInterval


@dataclass(frozen=True)
class Bundle:
    """Documents that were checked against each other: names are unique, references resolve."""

    monitors: tuple[Monitor, ...] = ()
    receivers: tuple[Receiver, ...] = ()
    policies: tuple[EscalationPolicy, ...] = ()
    intervals: tuple[TimeInterval, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    kinds: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """How many documents there are of each kind, also of those that are applied to others: Team, Profile."""

    def dependants(self) -> dict[str, tuple[str, ...]]:
        """Return, of each monitor that others depend on, all who do, directly or through others."""
        graph = {monitor.name: monitor.depends_on for monitor in self.monitors}
        return dependencies.dependants(graph)

    def maintained(self, maintenance: Maintenance) -> tuple[Monitor, ...]:
        """Return the monitors that a maintenance is about."""
        return tuple(one for one in self.monitors if maintenance in one.maintenance)

    def policy(self, name: str) -> EscalationPolicy:
        """Return the policy of that name; KeyError where there is none."""
        for policy in self.policies:
            if policy.name == name:
                return policy
        raise KeyError(name)

    def closed(self) -> Bundle:
        """Return the same without references to what is not there: some documents may have been refused."""
        receivers, intervals = ({one.name for one in of} for of in (self.receivers, self.intervals))
        policies = tuple(
            policy
            for policy in self.policies
            if policy.receivers <= receivers and policy.time_intervals <= intervals
        )
        ladders, monitors = {one.name for one in policies}, {one.name for one in self.monitors}
        return replace(
            self,
            policies=policies,
            monitors=tuple(
                replace(
                    monitor,
                    depends_on=tuple(name for name in monitor.depends_on if name in monitors),
                    alerting=monitor.alerting
                    if monitor.alerting.escalation in ladders
                    else replace(monitor.alerting, escalation=None),
                )
                for monitor in self.monitors
            ),
        )

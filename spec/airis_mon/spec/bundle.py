"""All documents of one run together."""

from __future__ import annotations

from dataclasses import dataclass

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

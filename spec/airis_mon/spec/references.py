"""What one document says of another by its name: that one has to be there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from airis_mon.spec import dependencies
from airis_mon.spec.drafts import Draft, by_name, declared, sound
from airis_mon.spec.maintenance import Maintenance
from airis_mon.spec.monitor import Alerting
from airis_mon.spec.reading import REFUSED, did_you_mean
from airis_mon.spec.receivers import INTERVAL_KEYS

_RING = 10
"""Names of a ring that a message spells out."""


def check_dependencies(monitors: Mapping[str, Draft]) -> None:
    """Note dependencies on monitors that are not there, and rings."""
    graph: dict[str, list[str]] = {}
    places: dict[str, dict[str, str]] = {}
    for name, draft in monitors.items():
        spec = draft.salvaged if draft.spec is REFUSED else draft.spec
        needed = () if spec is REFUSED else spec.get("depends_on", ())
        graph[name] = [one for one in needed if one in monitors]
        places[name] = {one: f"spec.depends_on[{index}]" for index, one in enumerate(needed)}
        for one, path in places[name].items():
            declared(draft, path, one, "ModelMonitor", monitors)
    for ring in dependencies.cycles(graph):
        last, first = ring[-2:]
        told = " -> ".join(ring if len(ring) <= _RING else (*ring[:_RING], "...", first))
        monitors[last].refuse(
            places[last][first],
            f"monitors depend on each other in a ring: {told}",
            "remove the dependency that is none: a model that can answer without the other does not need it",
        )


def check_policies(drafts: Sequence[Draft]) -> None:
    """Note receivers and times that policies name and nobody declares."""
    receivers, intervals = by_name("Receiver", drafts), by_name("TimeInterval", drafts)
    for draft in drafts:
        if draft.kind != "EscalationPolicy" or draft.spec is REFUSED:
            continue
        for path, step in _steps(draft.spec):
            for rank, name in enumerate(step.receivers):
                declared(draft, f"{path}.receivers[{rank}]", name, "Receiver", receivers)
            for key in INTERVAL_KEYS:
                for rank, name in enumerate(getattr(step, key)):
                    declared(draft, f"{path}.{key}[{rank}]", name, "TimeInterval", intervals)
        for rank, name in enumerate(draft.spec.get("mute_time_intervals", ())):
            declared(draft, f"spec.mute_time_intervals[{rank}]", name, "TimeInterval", intervals)


def _steps(spec: Mapping[str, Any]) -> Sequence[tuple[str, Any]]:
    return [
        (f"spec.{severity}[{index}]", step)
        for severity in ("page", "ticket")
        for index, step in enumerate(spec.get(severity, ()))
    ]


def check_teams(drafts: Sequence[Draft]) -> None:
    """Note policies that teams name and nobody declares."""
    policies = by_name("EscalationPolicy", drafts)
    for draft in drafts:
        if draft.kind == "Team" and draft.spec is not REFUSED:
            declared(draft, "spec.escalation", draft.spec["escalation"], "EscalationPolicy", policies)


def alerting(draft: Draft, written: Mapping[str, Any], drafts: Sequence[Draft]) -> Alerting:
    """Return who hears of a monitor: what it says itself, else what its team does.

    Where teams are declared, a team that is not among them is a slip; where none is, any text is a label.
    """
    teams = by_name("Team", drafts)
    found = Alerting(**written)
    known = found.team in teams
    if teams and "team" in written:
        declared(draft, "spec.alerting.team", found.team, "Team", teams)
    if found.escalation is not None:
        policies = by_name("EscalationPolicy", drafts)
        declared(draft, "spec.alerting.escalation", found.escalation, "EscalationPolicy", policies)
    elif known and teams[found.team].spec is not REFUSED:
        return Alerting(**{**written, "escalation": teams[found.team].spec["escalation"]})
    return found


def maintenance(monitor: str, team: str, drafts: Sequence[Draft]) -> tuple[Maintenance, ...]:
    """Return what is about a monitor, by its name or its team."""
    return tuple(
        Maintenance(draft.name, origin=draft.origin, **draft.spec)
        for draft in sound("Maintenance", drafts)
        if monitor in draft.spec.get("monitors", ()) or team in draft.spec.get("teams", ())
    )


def check_maintenance(drafts: Sequence[Draft], teams: Collection[str]) -> None:
    """Note monitors that a maintenance names and nobody declares, and teams that have no monitor."""
    monitors = by_name("ModelMonitor", drafts)
    for draft in drafts:
        if draft.kind != "Maintenance" or draft.spec is REFUSED:
            continue
        for rank, name in enumerate(draft.spec.get("monitors", ())):
            declared(draft, f"spec.monitors[{rank}]", name, "ModelMonitor", monitors)
        for rank, team in enumerate(draft.spec.get("teams", ())):
            # Of a monitor that is refused the team may not be known.
            if team not in teams and all(other.sound for other in monitors.values()):
                path = f"spec.teams[{rank}]"
                draft.refuse(path, f"no monitor is of the team `{team}`", did_you_mean(team, sorted(teams)))

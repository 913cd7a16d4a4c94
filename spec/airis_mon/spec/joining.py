"""Documents held against each other: names are unique, references resolve, profiles are applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airis_mon.spec import dependencies
from airis_mon.spec.bundle import Bundle
from airis_mon.spec.monitor import Alerting, Monitor
from airis_mon.spec.problems import Origin
from airis_mon.spec.reading import REFUSED, Reading, nearest
from airis_mon.spec.receivers import EscalationPolicy, Receiver

_RING = 10
"""Names of a ring that a message spells out."""


@dataclass(frozen=True)
class Draft:
    """A document of a known kind, before it is held against the others."""

    kind: str
    name: str
    """Empty where there is none."""
    spec: Any
    """What the kind's shape made of `spec`, a dict by attribute; REFUSED where something is wrong in it."""
    salvaged: Any
    """The same, of a ModelMonitor that something is wrong with as far as it could be read."""
    reading: Reading
    origin: Origin

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.reading.problems

    def refuse(self, path: str, message: str, hint: str | None = None) -> None:
        """Note a problem at a field."""
        self.reading.refuse(self.origin.locate(path), path, message, hint)


def join(drafts: Sequence[Draft], built_in: Sequence[Draft]) -> Bundle:
    """Return the documents that stand, noting what is wrong with the others in their readings.

    `built_in` are the profiles that need not be declared. A document that is refused still counts as
    declared, so that one mistake is told once.
    """
    _refuse_twins([*built_in, *drafts])
    profiles = _by_name("Profile", [*built_in, *drafts])
    policies = _by_name("EscalationPolicy", drafts)
    receivers = _by_name("Receiver", drafts)
    _check_dependencies(_by_name("ModelMonitor", drafts))
    monitors = []
    for draft in drafts:
        if draft.spec is REFUSED:
            if draft.kind == "ModelMonitor" and draft.salvaged is not REFUSED:
                _profile(draft, draft.salvaged, profiles)
                _check_escalation(draft, Alerting(**draft.salvaged.get("alerting", {})), policies)
            continue
        if draft.kind == "EscalationPolicy":
            _check_receivers(draft, receivers)
        elif draft.kind == "ModelMonitor":
            monitor = _monitor(draft, profiles, policies)
            monitors += [monitor] if monitor is not None else []
    return Bundle(
        monitors=tuple(monitors),
        receivers=tuple(
            Receiver(draft.name, origin=draft.origin, **draft.spec) for draft in _sound("Receiver", drafts)
        ),
        policies=tuple(
            EscalationPolicy(draft.name, origin=draft.origin, **draft.spec)
            for draft in _sound("EscalationPolicy", drafts)
        ),
    )


def sketches(drafts: Sequence[Draft], built_in: Sequence[Draft]) -> tuple[Monitor, ...]:
    """Return the monitors that something is wrong with, as far as they could be read."""
    profiles = _by_name("Profile", [*built_in, *drafts])
    found = []
    for draft in drafts:
        if draft.kind != "ModelMonitor" or draft.sound or draft.salvaged is REFUSED:
            continue
        spec = dict(draft.salvaged)
        profile = profiles.get(spec.get("profile", ""))
        if profile is not None and profile.sound:
            spec = _applied(profile.spec, spec, draft)
        spec.pop("alerting", None)
        found.append(Monitor(name=draft.name, origin=draft.origin, **spec))
    return tuple(found)


def _sound(kind: str, drafts: Iterable[Draft]) -> Iterable[Draft]:
    return (draft for draft in drafts if draft.kind == kind and draft.sound)


def _by_name(kind: str, drafts: Iterable[Draft]) -> dict[str, Draft]:
    found: dict[str, Draft] = {}
    for draft in drafts:
        if draft.kind == kind and draft.name:
            found.setdefault(draft.name, draft)
    return found


def _refuse_twins(drafts: Iterable[Draft]) -> None:
    first: dict[tuple[str, str], Draft] = {}
    for draft in drafts:
        other = first.setdefault((draft.kind, draft.name), draft)
        if other is draft or not draft.name:
            continue
        place = other.origin.locate("metadata.name")
        if other.origin.file and place is not None:
            message = f"two documents of kind {draft.kind} are named `{draft.name}`"
            hint = f"the other is at {place.file}:{place.line}:{place.column}; rename one of them"
            draft.refuse("metadata.name", message, hint)
        else:
            draft.refuse("metadata.name", f"the profile `{draft.name}` is built in", "choose another name")


def _check_dependencies(monitors: Mapping[str, Draft]) -> None:
    graph: dict[str, list[str]] = {}
    places: dict[str, dict[str, str]] = {}
    for name, draft in monitors.items():
        spec = draft.salvaged if draft.spec is REFUSED else draft.spec
        needed = () if spec is REFUSED else spec.get("depends_on", ())
        graph[name] = [one for one in needed if one in monitors]
        places[name] = {one: f"spec.depends_on[{index}]" for index, one in enumerate(needed)}
        for one, path in places[name].items():
            if one not in monitors:
                message, hint = f"there is no ModelMonitor `{one}`", _absent(one, "ModelMonitor", monitors)
                draft.refuse(path, message, hint)
    for ring in dependencies.cycles(graph):
        last, first = ring[-2:]
        told = " -> ".join(ring if len(ring) <= _RING else (*ring[:_RING], "...", first))
        monitors[last].refuse(
            places[last][first],
            f"monitors depend on each other in a ring: {told}",
            "remove the dependency that is none: a model that can answer without the other does not need it",
        )


def _check_receivers(policy: Draft, receivers: Mapping[str, Draft]) -> None:
    for severity in ("page", "ticket"):
        for index, step in enumerate(policy.spec.get(severity, ())):
            for rank, name in enumerate(step.receivers):
                if name not in receivers:
                    path = f"spec.{severity}[{index}].receivers[{rank}]"
                    policy.refuse(
                        path, f"there is no Receiver `{name}`", _absent(name, "Receiver", receivers)
                    )


def _absent(name: str, kind: str, known: Mapping[str, Draft]) -> str:
    match = nearest(name, known)
    if match is not None:
        return f"did you mean `{match}`?"
    return f"declare a document of kind {kind} with that name, or pass the file that holds it"


def _monitor(draft: Draft, profiles: Mapping[str, Draft], policies: Mapping[str, Draft]) -> Monitor | None:
    """Apply the profile, look the policy up, and return the monitor if nothing is wrong."""
    spec = dict(draft.spec)
    if "profile" in spec:
        profile = _profile(draft, spec, profiles)
        if profile is None or not profile.sound:
            return None
        spec = _applied(profile.spec, spec, draft)
    if not any(spec.get(key) for key in ("objectives", "anomalies", "forecasts")):
        draft.refuse(
            "spec",
            "nothing is watched: there is no objective, no anomaly and no forecast",
            "write at least one objective",
        )
    alerting = Alerting(**spec.pop("alerting", {}))
    _check_escalation(draft, alerting, policies)
    if not draft.sound:
        return None
    return Monitor(name=draft.name, alerting=alerting, origin=draft.origin, **spec)


def _profile(draft: Draft, spec: Mapping[str, Any], profiles: Mapping[str, Draft]) -> Draft | None:
    """Return the profile that a monitor names, noting where there is none of that name."""
    name = spec.get("profile")
    if name is not None and name not in profiles:
        draft.refuse("spec.profile", f"there is no Profile `{name}`", _absent(name, "Profile", profiles))
    return profiles.get(name or "")


def _check_escalation(draft: Draft, alerting: Alerting, policies: Mapping[str, Draft]) -> None:
    if alerting.escalation is not None and alerting.escalation not in policies:
        draft.refuse(
            "spec.alerting.escalation",
            f"there is no EscalationPolicy `{alerting.escalation}`",
            _absent(alerting.escalation, "EscalationPolicy", policies),
        )


def _applied(profile: Mapping[str, Any], spec: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
    """Return the monitor's values over the profile's; what is inherited is placed at the `profile:` line."""
    places = draft.reading.places
    merged = {**profile, **spec}
    for key in profile.keys() - spec.keys():
        places[f"spec.{key}"] = places["spec.profile"]
    if "alerting" in profile and "alerting" in spec:
        merged["alerting"] = {**profile["alerting"], **spec["alerting"]}
        for key in profile["alerting"].keys() - spec["alerting"].keys():
            places[f"spec.alerting.{key}"] = places["spec.profile"]
    return merged

"""Documents held against each other: names are unique, references resolve, profiles are applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airis_mon.spec import references
from airis_mon.spec.bundle import Bundle
from airis_mon.spec.drafts import Draft, by_name, declared, sound
from airis_mon.spec.maintenance import Maintenance
from airis_mon.spec.monitor import Monitor
from airis_mon.spec.reading import REFUSED
from airis_mon.spec.receivers import EscalationPolicy, Receiver
from airis_mon.spec.time_intervals import TimeInterval

_WATCHED = ("objectives", "anomalies", "forecasts", "thresholds", "cost", "drift")


def join(drafts: Sequence[Draft], built_in: Sequence[Draft]) -> Bundle:
    """Return the documents that stand, noting what is wrong with the others in their readings.

    `built_in` are the profiles that need not be declared. A document that is refused still counts as
    declared, so that one mistake is told once.
    """
    _refuse_twins([*built_in, *drafts])
    profiles = by_name("Profile", [*built_in, *drafts])
    references.check_policies(drafts)
    references.check_teams(drafts)
    references.check_dependencies(by_name("ModelMonitor", drafts))
    # What a monitor refers to is looked for among these: of monitors there may be thousands.
    others = [draft for draft in drafts if draft.kind != "ModelMonitor"]
    monitors = []
    for draft in drafts:
        if draft.spec is REFUSED:
            if draft.kind == "ModelMonitor" and draft.salvaged is not REFUSED:
                _profile(draft, draft.salvaged, profiles)
                references.alerting(draft, draft.salvaged.get("alerting", {}), others)
            continue
        if draft.kind == "ModelMonitor":
            monitor = _monitor(draft, profiles, others)
            monitors += [monitor] if monitor is not None else []
    references.check_maintenance(drafts, {monitor.alerting.team for monitor in monitors})
    return Bundle(
        monitors=tuple(monitors),
        receivers=tuple(
            Receiver(draft.name, origin=draft.origin, **draft.spec) for draft in sound("Receiver", drafts)
        ),
        policies=tuple(
            EscalationPolicy(draft.name, origin=draft.origin, **draft.spec)
            for draft in sound("EscalationPolicy", drafts)
        ),
        intervals=tuple(
            TimeInterval(draft.name, origin=draft.origin, **draft.spec)
            for draft in sound("TimeInterval", drafts)
        ),
        maintenance=tuple(
            Maintenance(draft.name, origin=draft.origin, **draft.spec)
            for draft in sound("Maintenance", drafts)
        ),
        kinds=Counter(draft.kind for draft in drafts),
    )


def sketches(drafts: Sequence[Draft], built_in: Sequence[Draft]) -> tuple[Monitor, ...]:
    """Return the monitors that something is wrong with, as far as they could be read."""
    profiles = by_name("Profile", [*built_in, *drafts])
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


def _monitor(draft: Draft, profiles: Mapping[str, Draft], others: Sequence[Draft]) -> Monitor | None:
    """Apply the profile, look team and policy up, and return the monitor if nothing is wrong."""
    spec = dict(draft.spec)
    if "profile" in spec:
        profile = _profile(draft, spec, profiles)
        if profile is None or not profile.sound:
            return None
        spec = _applied(profile.spec, spec, draft)
    if not any(spec.get(key) for key in _WATCHED):
        draft.refuse(
            "spec",
            "nothing is watched: there is no objective, no threshold, no anomaly, no forecast, cost or drift",
            "write at least one objective",
        )
    alerting = references.alerting(draft, spec.pop("alerting", {}), others)
    if not draft.sound:
        return None
    maintenance = references.maintenance(draft.name, alerting.team, others)
    return Monitor(draft.name, alerting=alerting, maintenance=maintenance, origin=draft.origin, **spec)


def _profile(draft: Draft, spec: Mapping[str, Any], profiles: Mapping[str, Draft]) -> Draft | None:
    """Return the profile that a monitor names, noting where there is none of that name."""
    name = spec.get("profile")
    if name is not None:
        declared(draft, "spec.profile", name, "Profile", profiles)
    return profiles.get(name or "")


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

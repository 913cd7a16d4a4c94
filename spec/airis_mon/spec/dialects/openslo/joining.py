"""Documents of OpenSLO held against each other: an SLO with what it refers to is a monitor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from airis_mon.spec.dialects.openslo.fields import API_VERSION, KINDS, document
from airis_mon.spec.drafts import Draft, by_name, declared
from airis_mon.spec.monitor import BurnCondition, Events, Model, Objective, Source
from airis_mon.spec.nodes import Node, Pairs, Scalar
from airis_mon.spec.objective_fields import DEFAULT_WINDOW
from airis_mon.spec.problems import Location, Origin
from airis_mon.spec.reading import REFUSED, Reading, did_you_mean, quoted

CONTRACT = "promql"
"""Name of the contract of monitors whose objectives alone know their series."""
_ALERTING = ("team", "escalation")
"""Labels of an SLO that say who hears of it."""


def spoken(heads: Mapping[str, str]) -> bool:
    """Tell whether a document, by the single values at its top, is one of OpenSLO's."""
    return heads.get("apiVersion", "").startswith("openslo")


def draft(file: str, root: Node, reading: Reading) -> Draft | None:
    """Return one document as far as its kind is known."""
    assert isinstance(root, Pairs)  # it has a head
    values = {key.text: value for key, value in root.pairs}
    version, kind = values["apiVersion"], values.get("kind")
    if not isinstance(version, Scalar) or version.text != API_VERSION:
        reading.refuse(
            version, "apiVersion", "this version of OpenSLO is not read", f"write {API_VERSION} and its keys"
        )
        return None
    if not isinstance(kind, Scalar) or kind.text not in KINDS:
        text = kind.text if isinstance(kind, Scalar) else ""
        reading.refuse(kind or root, "kind", f"unknown kind {quoted(text)}", did_you_mean(text, KINDS))
        return None
    read = document(kind.text).read(root, "", reading)
    name = "" if read is REFUSED else read["metadata"]["name"]
    return Draft(kind.text, name, read, REFUSED, reading, Origin(file, reading.places))


def joined(drafts: Sequence[Draft]) -> list[Draft]:
    """Return all drafts with monitors in the place of SLOs, noting references that lead nowhere."""
    known = {kind: by_name(kind, drafts) for kind in KINDS}
    return [_Monitor(one, known).draft() if one.kind == "SLO" else one for one in drafts]


@dataclass(frozen=True)
class _Part:
    """What is said of something, and where."""

    spec: Any
    draft: Draft
    path: str
    """Of `spec` in that document."""

    def place(self, path: str) -> Location | None:
        """Return where a field of it was written."""
        whole = f"{self.path}.{path}" if path else self.path
        place = self.draft.origin.locate(whole)
        return None if place is None else replace(place, path=whole)


@dataclass(frozen=True)
class _Monitor:
    """One SLO on its way to a monitor."""

    slo: Draft
    known: Mapping[str, Mapping[str, Draft]]

    def draft(self) -> Draft:
        """Return the monitor; REFUSED where something is wrong with it or with what it refers to."""
        refused = Draft("ModelMonitor", self.slo.name, REFUSED, REFUSED, self.slo.reading, self.slo.origin)
        if self.slo.spec is REFUSED:
            return refused
        said = self.slo.spec["spec"]
        whole = _Part(said, self.slo, "spec")
        indicator = self._referred(
            whole, "indicatorRef", said.get("indicatorRef") or said["indicator"], "SLI"
        )
        alerting = self._alerting(whole)
        if indicator is None or alerting is None or not self._sources(indicator):
            return refused
        places = dict(_places(self.slo, indicator, len(said["objectives"])))
        labels = {
            key: value
            for key, value in self.slo.spec["metadata"].get("labels", {}).items()
            if key in _ALERTING and isinstance(value, str)
        }
        for key in labels:
            place = self.slo.origin.locate(f"metadata.labels.{key}")
            assert place is not None  # it was read there
            places[f"spec.alerting.{key}"] = replace(place, path=f"metadata.labels.{key}")
        escalation, conditions, told = alerting
        for index in range(len(said["objectives"])) if "condition" in told else ():
            places[f"spec.objectives[{index}].conditions"] = told["condition"]
        if "target" in told:
            places["spec.alerting.escalation"] = told["target"]
        monitor = {
            "model": Model(said["service"]),
            "source": Source(CONTRACT),
            "objectives": tuple(self._objectives(said, indicator, conditions)),
            "alerting": {**labels, **({} if escalation is None else {"escalation": escalation})},
        }
        origin = Origin(self.slo.origin.file, places)
        return Draft("ModelMonitor", self.slo.name, monitor, REFUSED, self.slo.reading, origin)

    def _objectives(
        self, said: Mapping[str, Any], indicator: _Part, conditions: tuple[BurnCondition, ...]
    ) -> Iterator[Objective]:
        over: Mapping[str, Any] = (
            said["timeWindow"][0] if "timeWindow" in said else {"window": DEFAULT_WINDOW, "period": None}
        )
        metric = indicator.spec["ratioMetric"]
        asked = {part: _query(metric[part]) for part in ("good", "bad", "total") if part in metric}
        taken: set[str] = set()
        for index, one in enumerate(said["objectives"]):
            name = _named(one.get("displayName", ""), index if len(said["objectives"]) > 1 else None)
            if name in taken:
                path = f"spec.objectives[{index}].displayName"
                self.slo.refuse(path, f"there are two objectives `{name}`", "change one of them")
            taken.add(name)
            target = one.get("target", one.get("targetPercent"))
            yield Objective(
                name, target, over["window"], Events(**asked), conditions=conditions, calendar=over["period"]
            )

    def _referred(self, around: _Part, path: str, what: Any, kind: str) -> _Part | None:
        """Return a document that is named or stands there; None, noted, where there is none that stands."""
        if not isinstance(what, str):
            inner = "indicator" if kind == "SLI" else path
            return _Part(what["spec"], around.draft, f"{around.path}.{inner}.spec")
        if not declared(around.draft, f"{around.path}.{path}", what, kind, self.known[kind]):
            return None
        other = self.known[kind][what]
        return None if other.spec is REFUSED else _Part(other.spec["spec"], other, "spec")

    def _sources(self, indicator: _Part) -> bool:
        """Say whether every data source that is named is there."""
        metric, sound = indicator.spec["ratioMetric"], True
        for part in ("good", "bad", "total"):
            name = metric.get(part, {}).get("metricSource", {}).get("metricSourceRef")
            path = f"{indicator.path}.ratioMetric.{part}.metricSource.metricSourceRef"
            if name is not None:
                sound &= declared(indicator.draft, path, name, "DataSource", self.known["DataSource"])
        return sound

    def _alerting(
        self, whole: _Part
    ) -> tuple[str | None, tuple[BurnCondition, ...], dict[str, Location]] | None:
        """Return the escalation policy's name, the wanted alerts, and where either stands."""
        policies = whole.spec.get("alertPolicies", ())
        if not policies:
            return None, (), {}
        policy = self._referred(whole, "alertPolicies[0]", policies[0], "AlertPolicy")
        if policy is None:
            return None
        found: dict[str, _Part] = {}
        for key, kind, path in (
            ("conditions", "AlertCondition", "condition"),
            ("notificationTargets", "AlertNotificationTarget", "target"),
        ):
            for one in policy.spec.get(key, ()):
                part = self._referred(policy, f"{key}[0]", one, kind)
                if part is None:
                    return None
                found[path] = part
        target = found["target"].spec["target"] if "target" in found else None
        conditions = (found["condition"].spec,) if "condition" in found else ()
        places = {path: part.place(path) for path, part in found.items()}
        return target, conditions, {path: place for path, place in places.items() if place is not None}


def _query(metric: Mapping[str, Any]) -> str:
    spec = metric["metricSource"]["spec"]
    return str(spec.get("query") or spec["promql"])


def _named(display: str, index: int | None) -> str:
    """Return the name of an objective: its display name in lower case with dashes, or its place."""
    name = re.sub(r"[^a-z0-9]+", "-", display.lower())[:63].strip("-")
    return name or ("objective" if index is None else f"objective-{index + 1}")


def _places(slo: Draft, indicator: _Part, objectives: int) -> Iterator[tuple[str, Location]]:
    """Yield our paths and where it was written, be it in another document."""
    whole = _Part(None, slo, "spec")
    theirs = {
        "": (whole, ""),
        "metadata.name": (_Part(None, slo, "metadata"), "name"),
        "spec.model.name": (whole, "service"),
        "spec.objectives": (whole, "objectives"),
    }
    for index in range(objectives):
        path = f"spec.objectives[{index}]"
        theirs[path] = (whole, f"objectives[{index}]")
        for key in ("target", "targetPercent"):
            if f"{path}.{key}" in slo.origin.places:
                theirs[f"{path}.target"] = (whole, f"objectives[{index}].{key}")
        theirs[f"{path}.window"] = (whole, "timeWindow[0].duration")
        theirs[f"{path}.calendar"] = (whole, "timeWindow[0].calendar")
        for part in ("good", "bad", "total"):
            query = f"ratioMetric.{part}.metricSource.spec"
            for key in ("query", "promql"):
                if f"{indicator.path}.{query}.{key}" in indicator.draft.origin.places:
                    theirs[f"{path}.events.{part}"] = (indicator, f"{query}.{key}")
    for ours, (where, path) in theirs.items():
        place = where.place(path)
        if place is not None:
            yield ours, place

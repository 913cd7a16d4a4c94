"""Rule files as Prometheus reads them, plain or as an object of prometheus-operator, rule by rule."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from airis_mon.spec import (
    REFUSED,
    Choice,
    Field,
    ListOf,
    Location,
    MapOf,
    Problem,
    Reading,
    Record,
    SpecError,
    Text,
    compose,
    parse_duration,
)

_MANY = 5000
"""Groups of a file, and rules of a group: what the document's own limits leave of it."""


@dataclass(frozen=True)
class Given:
    """One rule as it was written."""

    name: str
    """Of the alert, or of the series that is recorded."""
    alert: bool
    expression: str
    location: Location
    duration: float = 0.0
    """Seconds for which an alert has to hold."""
    kept: float = 0.0
    """Seconds for which it goes on firing."""
    labels: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None

    @property
    def marks(self) -> Mapping[str, str]:
        """Labels that the rule adds."""
        return self.labels or {}

    @property
    def sayings(self) -> Mapping[str, str]:
        """Annotations that the rule adds."""
        return self.annotations or {}

    def left_out(self, labels: Container[str], annotations: Container[str]) -> tuple[str, ...]:
        """Return what is said of an alert beside what was taken over."""
        found = [f"the label {label}" for label in self.marks if label not in labels]
        found += [f"the annotation {key}" for key in self.sayings if key not in annotations]
        found += ["keep_firing_for"] if self.kept else []
        return (f"without {', '.join(found)}",) if found else ()


@dataclass(frozen=True)
class _Words:
    """Any single value as it is spelled: Prometheus takes a number for a text where a text belongs."""

    def read(self, node: Any, path: str, reading: Reading) -> Any:
        text = getattr(node, "text", None)
        if text is None:
            return reading.refuse(node, path, "a single value belongs here", "write a text")
        return str(text)

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "number", "boolean", "null"]}


@dataclass(frozen=True)
class _Anything:
    """A value that says nothing about what a rule does."""

    def read(self, node: Any, path: str, reading: Reading) -> None:
        return None

    def schema(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class _Wait:
    """A duration, or `0`."""

    def read(self, node: Any, path: str, reading: Reading) -> Any:
        text = getattr(node, "text", "")
        if text in ("0", ""):
            return 0.0
        try:
            return parse_duration(text)
        except ValueError as error:
            return reading.refuse(node, path, *error.args)

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "number"]}


_KIND = "PrometheusRule"
_LABELS = MapOf(Text(wanted="a label", longest=1000), _Words(), "label", most=200)
_RULE = Record(
    "Rule",
    (
        Field("record", _Words(), "Name of the series that is recorded."),
        Field("alert", _Words(), "Name of the alert."),
        Field("expr", _Words(), "PromQL.", required=True),
        Field("for", _Wait(), "How long it has to hold.", attribute="duration"),
        Field("keep_firing_for", _Wait(), "How long it goes on.", attribute="kept"),
        Field("labels", _LABELS, "Labels that are added."),
        Field("annotations", _LABELS, "What is said."),
    ),
    exactly_one=("record", "alert"),
)
_GROUP = Record(
    "Group",
    (
        Field("name", _Words(), "Name.", required=True),
        *(
            Field(key, _Anything(), "Not read.")
            for key in ("interval", "query_offset", "limit", "labels", "partial_response_strategy")
        ),
        Field("rules", ListOf(_RULE, "rule", fewest=0, most=_MANY), "Rules.", required=True),
    ),
)
_GROUPS = Field("groups", ListOf(_GROUP, "group", fewest=0, most=_MANY), "Groups.", required=True)
_FILE = Record("Rule file", (_GROUPS,))
_OBJECT = Record(
    "PrometheusRule",
    (
        Field("apiVersion", Text(), "Version.", required=True),
        Field("kind", Choice((_KIND,)), "Kind.", required=True),
        Field("metadata", _Anything(), "Not read."),
        Field("spec", Record("PrometheusRule spec", (_GROUPS,)), "Groups.", required=True),
    ),
)


def read(file: str, text: str) -> tuple[Given, ...]:
    """Return every rule of a file; SpecError with every problem of what is no rule file."""
    documents, ending = compose(file, text, "groups: and rules of Prometheus in them")
    problems: list[Problem] = [] if ending is None else [ending]
    found: list[Given] = []
    for document in documents:
        reading = Reading(problems=list(document.problems), count=len(document.problems))
        reading.place("", None, document.root)
        values = {key.text: value for key, value in getattr(document.root, "pairs", ())}
        kind, is_object = values.get("kind"), "kind" in values
        said_kind = getattr(kind, "text", _KIND)
        if kind is not None and said_kind != _KIND:
            ours = getattr(values.get("apiVersion"), "text", "").startswith("airis.dev/")
            problems.append(_foreign(said_kind, kind.location, ours))
            continue
        said = (_OBJECT if is_object else _FILE).read(document.root, "", reading)
        problems += reading.problems
        if said is not REFUSED and not reading.problems:
            groups = said["spec"]["groups"] if is_object else said["groups"]
            found += _rules(groups, "spec.groups" if is_object else "groups", reading.places)
    if problems:
        raise SpecError(problems)
    return tuple(found)


def _foreign(kind: str, place: Location, ours: bool) -> Problem:
    hint = f"name a file of rules, plain or of kind {_KIND}"
    if ours:
        hint += "\nthis is a document already: `airis-mon check` says whether it is a sound one"
    return Problem(f"`{kind[:80]}` holds no rules of Prometheus", "kind", place, hint)


def _rules(groups: Any, around: str, places: Mapping[str, Location]) -> list[Given]:
    return [
        Given(
            rule.get("alert") or rule.get("record") or "",
            "alert" in rule,
            rule["expr"],
            places[f"{around}[{group}].rules[{place}]"],
            rule.get("duration", 0.0),
            rule.get("kept", 0.0),
            rule.get("labels"),
            rule.get("annotations"),
        )
        for group, said in enumerate(groups)
        for place, rule in enumerate(said["rules"])
    ]

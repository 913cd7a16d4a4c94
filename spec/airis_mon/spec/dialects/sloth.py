"""Sloth's service level objectives: the plain form (`version: prometheus/v1`) and the Kubernetes object.

A service becomes a monitor without contract: its expressions say what an operation is. What Sloth's
`alerting` calls an alert becomes the annotation `title`; the alerts themselves are named as all of ours are,
since routes and inhibitions read those names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from airis_mon.spec.dialects.places import origin
from airis_mon.spec.dialects.unsupported import Unsupported
from airis_mon.spec.drafts import Draft
from airis_mon.spec.kinds import METADATA
from airis_mon.spec.monitor import Events, Marks, Model, Objective, Severity, Source
from airis_mon.spec.nodes import Node, Pairs
from airis_mon.spec.objective_fields import DEFAULT_WINDOW, LABELS
from airis_mon.spec.quantities import parse_percent
from airis_mon.spec.reading import REFUSED, Reading
from airis_mon.spec.records import Field, ListOf, MapOf, Record
from airis_mon.spec.scalars import Choice, Parsed, Text
from airis_mon.spec.words import LABEL, LABEL_VALUE, LINE, MARK, NAME, PROMQL, REMARK

VERSION, API_VERSION, KIND = "prometheus/v1", "sloth.slok.dev/v1", "PrometheusServiceLevel"
CONTRACT = "promql"
"""Name of the contract of monitors whose objectives alone know their series."""

_NUMBER = r"[0-9]{1,3}(\.[0-9]{1,9})?"
_SERVICE = replace(
    NAME, hint="write lower-case letters, digits and dashes; it names the monitor and its files"
)
_SERVICE_LABELS = MapOf(
    replace(MARK, reserved=tuple(word for word in MARK.reserved if word != "team")), LABEL_VALUE, "label"
)
_SEVERITIES: Mapping[Severity, str] = {"page": "page_alert", "ticket": "ticket_alert"}
_ALERTING = ("team", "escalation")
"""Labels of a service that say who hears of it: the team, and the name of an EscalationPolicy."""
_PLAIN = Text(
    pattern=r"^((?!\{\{)[^\x00-\x08\x0b-\x1f\x7f-\x9f])+$",
    hint="annotations are printed as they are, and no template in them is evaluated; write plain text",
    longest=REMARK.longest,
)
_NO_ALERT = (
    "the alerts of an objective cannot be switched off one by one",
    "remove it; to be told of pages alone, give the monitor an EscalationPolicy without `ticket`",
)


def spoken(heads: Mapping[str, str]) -> bool:
    """Tell whether a document, by the single values at its top, is one of Sloth's."""
    if "apiVersion" in heads:
        return heads["apiVersion"].startswith("sloth.slok.dev/")
    return heads.get("version", "").startswith("prometheus/") or ("service" in heads and "version" in heads)


def draft(file: str, root: Node, reading: Reading) -> Draft | None:
    """Return the monitor that a document of Sloth's says, as far as it could be read."""
    plain = not any(key.text == "apiVersion" for key, _ in getattr(root, "pairs", ()))
    shape, around = (_SPEC, "") if plain else (_OBJECT, "spec.")
    read = shape.read(root, "", reading)
    if read is REFUSED:
        return Draft("ModelMonitor", "", REFUSED, REFUSED, reading, origin(file, reading, {"": ""}))
    spec = read if plain else read["spec"]
    labels = dict(spec.get("labels", {}))
    alerting = {key: labels.pop(key) for key in _ALERTING if key in labels}
    objectives = tuple(_objective(slo, labels) for slo in spec["slos"])
    monitor = {
        "model": Model(spec["service"]),
        "source": Source(CONTRACT),
        "objectives": objectives,
        "alerting": alerting,
    }
    called = dict(_called(around, len(objectives), _PLAIN_KEYS if plain else _OBJECT_KEYS))
    return Draft("ModelMonitor", spec["service"], monitor, REFUSED, reading, origin(file, reading, called))


def _objective(slo: Mapping[str, Any], labels: Mapping[str, str]) -> Objective:
    alerting = slo.get("alerting", {})
    titled = {"title": alerting["name"]} if "name" in alerting else {}
    return Objective(
        slo["name"],
        slo["objective"],
        DEFAULT_WINDOW,
        slo["sli"]["events"],
        labels={**labels, **slo.get("labels", {}), **alerting.get("labels", {})},
        annotations={**titled, **_said(alerting)},
        by_severity={
            severity: Marks(alerting[key].get("labels", {}), _said(alerting[key]))
            for severity, key in _SEVERITIES.items()
            if alerting.get(key)
        },
    )


def _said(of: Mapping[str, Any]) -> dict[str, str]:
    """Return annotations, with the runbook under the name by which messages link to it as well."""
    found: dict[str, str] = of.get("annotations", {})
    return {"runbook_url": found["runbook"], **found} if "runbook" in found else found


def _called(around: str, objectives: int, keys: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Yield our paths and what they are called in the document."""
    yield from (("", ""), ("spec", around.rstrip(".")), ("spec.objectives", f"{around}slos"))
    yield from ((path, f"{around}service") for path in ("metadata.name", "spec.model.name"))
    yield from ((f"spec.alerting.{key}", f"{around}labels.{key}") for key in _ALERTING)
    for index in range(objectives):
        ours, theirs = f"spec.objectives[{index}]", f"{around}slos[{index}]"
        yield ours, theirs
        for key, name in (("name", "name"), ("target", "objective"), ("labels", "labels")):
            yield f"{ours}.{key}", f"{theirs}.{name}"
        yield f"{ours}.annotations", f"{theirs}.alerting.annotations"
        yield f"{ours}.events", f"{theirs}.sli.events"
        yield f"{ours}.events.bad", f"{theirs}.sli.events.{keys['error_query']}"
        yield f"{ours}.events.total", f"{theirs}.sli.events.{keys['total_query']}"


def _percent(text: str) -> float:
    hint = "write the share that has to be good as a number of percent, such as 99.9"
    if not re.fullmatch(_NUMBER, text):
        raise ValueError(f"`{text[:40]}` is no objective", hint)
    try:
        return parse_percent(f"{text}%")
    except ValueError as error:
        raise ValueError(error.args[0], hint) from None


def _events(error_query: str, total_query: str) -> Events:
    return Events(total=total_query, bad=error_query)


_PLAIN_KEYS = {
    "error_query": "error_query",
    "total_query": "total_query",
    "page_alert": "page_alert",
    "ticket_alert": "ticket_alert",
    "plugins": "slo_plugins",
}
_OBJECT_KEYS = {
    "error_query": "errorQuery",
    "total_query": "totalQuery",
    "page_alert": "pageAlert",
    "ticket_alert": "ticketAlert",
    "plugins": "sloPlugins",
}
"""Keys as the Kubernetes object spells them."""


@dataclass(frozen=True)
class _AlertLabels:
    """Labels of the alerts of one severity."""

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """Return them; REFUSED where the severity gets another name."""
        for key, value in node.pairs if isinstance(node, Pairs) else ():
            if key.text == "severity":
                return reading.refuse(
                    reading.pointed(key, value),
                    f"{path}.severity",
                    "the label `severity` is page or ticket here, and routes read it",
                    "remove it; who hears of pages and of tickets is said by an EscalationPolicy, which the "
                    "label `escalation` of the service names",
                )
        return LABELS.read(node, path, reading)

    def schema(self) -> dict[str, Any]:
        """Return a schema for them."""
        return LABELS.schema()


_ALERT = Record(
    "Sloth alert",
    (
        Field("disable", Unsupported(*_NO_ALERT), "Not supported."),
        Field("labels", _AlertLabels(), "Labels of these alerts alone."),
        Field("annotations", MapOf(LABEL, _PLAIN, "annotation"), "Annotations of these alerts alone."),
        Field(
            "for",
            Unsupported(
                "burn-rate alerts do not wait: their windows are how long it has to last",
                "remove it; the short window ends an alert soon after the errors end",
            ),
            "Not supported.",
        ),
    ),
)


def _slos(keys: Mapping[str, str]) -> ListOf:
    events = Record(
        "SLI events",
        (
            Field(
                keys["error_query"],
                PROMQL,
                "Operations that missed the objective: sum(rate(counter[{{.window}}])).",
                required=True,
                attribute="error_query",
            ),
            Field(
                keys["total_query"],
                PROMQL,
                "All operations, in the same way.",
                required=True,
                attribute="total_query",
            ),
        ),
        _events,
    )
    sli = Record(
        "SLI",
        (
            Field("events", events, "Bad and all operations."),
            Field(
                "raw",
                Unsupported(
                    "a ratio that is computed already cannot be weighted by traffic",
                    f"write `events`: {keys['error_query']} is divided by {keys['total_query']}",
                ),
                "Not supported.",
            ),
            Field(
                "plugin",
                Unsupported(
                    "plugins are programs of Sloth's, which are not run here",
                    f"write the expressions that it yields as `events`: {keys['error_query']} and "
                    f"{keys['total_query']}",
                ),
                "Not supported.",
            ),
        ),
        exactly_one=("events", "raw", "plugin"),
    )
    alerting = Record(
        "Sloth alerting",
        (
            Field("name", LINE, "Becomes the annotation `title` of the alerts."),
            Field("labels", LABELS, "Labels of the alerts."),
            Field("annotations", MapOf(LABEL, _PLAIN, "annotation"), "Annotations of the alerts."),
            Field(keys["page_alert"], _ALERT, "Alerts that wake somebody.", attribute="page_alert"),
            Field(
                keys["ticket_alert"], _ALERT, "Alerts that wait for hours of work.", attribute="ticket_alert"
            ),
        ),
    )
    slo = Record(
        "SLO",
        (
            Field("name", NAME, "Names the objective.", required=True),
            Field(
                "objective",
                Parsed("an objective", _NUMBER, _percent),
                "Share of good operations in percent: 99.9.",
                required=True,
            ),
            Field("description", REMARK, "For people who read the document; not read elsewhere."),
            Field("labels", LABELS, "Labels of all that is derived of it."),
            Field("sli", sli, "What is counted.", required=True),
            Field("alerting", alerting, "What the alerts say."),
            Field("plugins", _PLUGINS, "Not supported."),
        ),
    )
    return ListOf(slo, "SLO", unique=("name",))


_PLUGINS = Unsupported("plugins are programs of Sloth's, which are not run here", "remove it")


def _fields(keys: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        Field("service", _SERVICE, "Names the monitor.", required=True),
        Field(
            "labels",
            _SERVICE_LABELS,
            "Labels of all that is derived; `team` and `escalation` say who hears of it.",
        ),
        Field("slos", _slos(keys), "The objectives.", required=True),
        Field(keys["plugins"], _PLUGINS, "Not supported."),
    )


_SPEC = Record(
    "Sloth spec",
    (
        Field("version", Choice((VERSION,)), f"Version of the format: {VERSION}.", required=True),
        *_fields(_PLAIN_KEYS),
    ),
)
_OBJECT = Record(
    KIND,
    (
        Field("apiVersion", Choice((API_VERSION,)), f"Version of the format: {API_VERSION}.", required=True),
        Field("kind", Choice((KIND,)), "Kind of the document.", required=True),
        Field("metadata", METADATA, "Names the Kubernetes object; not read elsewhere.", required=True),
        Field(
            "spec",
            Record(f"{KIND} spec", _fields(_OBJECT_KEYS)),
            "The service and its objectives.",
            required=True,
        ),
        Field("status", Unsupported("`status` is for the cluster to write", "remove it"), "Not supported."),
    ),
)

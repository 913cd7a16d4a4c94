"""Who sends: a resource and a scope as labels that no two senders share."""

from __future__ import annotations

import hashlib

import msgspec

from airis_mon.exporters import series
from airis_mon.sidecar.items import TAGS, ItemError
from airis_mon.sidecar.names import LONGEST_TAGS, Labels
from airis_mon.sidecar.otlp.attributes import Attributes, text
from airis_mon.sidecar.otlp.names import label_name

MOST_ATTRIBUTES = 128
"""Of one resource, scope, point or record."""
UNNAMED = "unknown_service"
"""What OpenTelemetry calls a service that has not said its name."""

NAMESPACE = "service_namespace"
INSTANCE = "service_instance_id"
SCOPE = "otel_scope_name"
RESERVED = frozenset({"le", "quantile", series.SOURCE, NAMESPACE, INSTANCE, SCOPE})
"""Labels that no attribute of a point becomes."""


class Resource(msgspec.Struct, frozen=True, rename="camel"):
    """Who exports."""

    attributes: Attributes = ()


class Scope(msgspec.Struct, frozen=True, rename="camel"):
    """Which instrumentation has measured."""

    name: str = ""
    attributes: Attributes = ()


def identity(resource: Resource, scope: Scope) -> dict[str, str]:
    """Return the labels of every series of a resource and scope; ItemError where there are too many."""
    check_number(resource.attributes, "resource.attributes")
    check_number(scope.attributes, "scope.attributes")
    known = {pair.key: text(pair.value) for pair in resource.attributes}
    found = {
        series.SOURCE: known.pop("service.name", "") or UNNAMED,
        NAMESPACE: known.pop("service.namespace", ""),
        INSTANCE: known.pop("service.instance.id", "") or _digest(known),
        SCOPE: scope.name,
    }
    for pair in scope.attributes:
        _join(found, f"otel_scope_{label_name(pair.key)}", text(pair.value))
    return {name: value for name, value in found.items() if value}


def labels(sender: dict[str, str], attributes: Attributes) -> Labels:
    """Return the sorted label pairs of a point; ItemError where they are too many or too long."""
    check_number(attributes, "attributes")
    own: dict[str, str] = {}
    for pair in attributes:
        name = label_name(pair.key)
        if name in RESERVED or name in sender:
            name = f"tag_{name}"
        _join(own, name, text(pair.value))
    pairs = {**sender, **own}
    length = sum(len(name) + len(value) for name, value in pairs.items())
    if length > LONGEST_TAGS:
        raise ItemError(
            "attributes",
            f"{length} characters of labels in all, at most {LONGEST_TAGS} are taken; leave out what no "
            f"query selects by, with a view or an attribute processor",
            TAGS,
        )
    return tuple(sorted(pairs.items()))


def _join(found: dict[str, str], name: str, value: str) -> None:
    """Add a label; of two attributes that come to one name neither is lost."""
    if value:
        found[name] = f"{found[name]};{value}" if name in found else value


def _digest(known: dict[str, str]) -> str:
    """Return what tells this resource from others of its service; empty where nothing does."""
    telling = sorted((key, value) for key, value in known.items() if not key.startswith("telemetry."))
    if not telling:
        return ""
    return hashlib.sha256(msgspec.json.encode(telling)).hexdigest()[:16]


def check_number(attributes: Attributes, field: str) -> None:
    """ItemError where there are too many attributes."""
    if len(attributes) > MOST_ATTRIBUTES:
        raise ItemError(field, f"more than {MOST_ATTRIBUTES} attributes; leave out some", TAGS)

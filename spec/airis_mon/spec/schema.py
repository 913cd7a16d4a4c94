"""The field tables told to others: JSON Schema for editors, and the CRD for Kubernetes."""

from __future__ import annotations

from typing import Any

from airis_mon.spec.kinds import API_GROUP, API_VERSION, KINDS, document
from airis_mon.spec.monitor_fields import MONITOR
from airis_mon.spec.words import NAME

_NOT_STRUCTURAL = frozenset({"additionalProperties", "default", "propertyNames", "title", "uniqueItems"})
"""Keywords that Kubernetes refuses or that would do harm: a default that the API server fills in would
override the profile's value."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one document of any kind; equal for every call."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "AIRIS-MON document",
        "description": "A document of airis-mon: " + ", ".join(KINDS) + ".",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": f"{API_GROUP}/{API_VERSION}"},
            "kind": {"enum": list(KINDS)},
        },
        # One branch per kind rather than `oneOf`: an editor then tells what is wrong in the kind that is
        # written, instead of that no kind fits.
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/{kind}"},
            }
            for kind in KINDS
        ],
        "$defs": {kind: _portable(document(kind).schema()) for kind in KINDS},
    }


def crd() -> dict[str, Any]:
    """Return the CustomResourceDefinition of ModelMonitor (apiextensions.k8s.io/v1)."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"modelmonitors.{API_GROUP}"},
        "spec": {
            "group": API_GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": "ModelMonitor",
                "listKind": "ModelMonitorList",
                "plural": "modelmonitors",
                "singular": "modelmonitor",
                "shortNames": ["mm"],
                "categories": ["airis"],
            },
            "versions": [
                {
                    "name": API_VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "description": "What good looks like for one model.",
                            "type": "object",
                            "required": ["spec"],
                            "properties": {
                                "apiVersion": {"type": "string"},
                                "kind": {"type": "string"},
                                "metadata": {"type": "object", "properties": {"name": NAME.schema()}},
                                "spec": {
                                    "description": "What the document says.",
                                    **_structural(MONITOR.schema()),
                                },
                                "status": _status(),
                            },
                        }
                    },
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [
                        _column("Model", "string", ".spec.model.name"),
                        _column("Contract", "string", ".spec.source.contract"),
                        _column("Team", "string", ".spec.alerting.team"),
                        _column("Ready", "string", '.status.conditions[?(@.type=="Ready")].status'),
                        _column("Age", "date", ".metadata.creationTimestamp"),
                    ],
                }
            ],
        },
    }


def _column(name: str, kind: str, path: str) -> dict[str, str]:
    return {"name": name, "type": kind, "jsonPath": path}


def _portable(schema: Any) -> Any:
    """Return the schema without what only Kubernetes understands."""
    if isinstance(schema, dict):
        return {key: _portable(value) for key, value in schema.items() if not key.startswith("x-")}
    return [_portable(value) for value in schema] if isinstance(schema, list) else schema


def _structural(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema in the part of OpenAPI v3 that Kubernetes calls structural.

    A closed object stays closed: Kubernetes prunes what the schema does not name, or refuses it under
    `kubectl --validate=strict`.
    """
    told: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "properties":
            told[keyword] = {name: _structural(inner) for name, inner in value.items()}
        elif keyword == "items" or (keyword == "additionalProperties" and isinstance(value, dict)):
            told[keyword] = _structural(value)
        elif keyword not in _NOT_STRUCTURAL:
            told[keyword] = value
    return told


def _status() -> dict[str, Any]:
    return {
        "description": "What was made of it.",
        "type": "object",
        "properties": {
            "observedGeneration": {
                "description": "Generation of the document that the conditions speak of.",
                "type": "integer",
                "format": "int64",
            },
            "conditions": {
                "description": "Ready, and why not.",
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
                "items": {
                    "type": "object",
                    "required": ["type", "status", "lastTransitionTime", "reason", "message"],
                    "properties": {
                        "type": {"type": "string", "maxLength": 316},
                        "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                        "observedGeneration": {"type": "integer", "format": "int64"},
                        "lastTransitionTime": {"type": "string", "format": "date-time"},
                        "reason": {"type": "string", "maxLength": 1024},
                        "message": {"type": "string", "maxLength": 32768},
                    },
                },
            },
        },
    }

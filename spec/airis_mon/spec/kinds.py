"""The kinds of document: the one table behind decoding, JSON Schema and CRD."""

from __future__ import annotations

from airis_mon.spec.maintenance_fields import MAINTENANCE
from airis_mon.spec.monitor_fields import MONITOR, PROFILE
from airis_mon.spec.receiver_fields import ESCALATION_POLICY, RECEIVER, TEAM
from airis_mon.spec.records import Field, MapOf, Record
from airis_mon.spec.scalars import Choice, Text
from airis_mon.spec.time_interval_fields import TIME_INTERVAL
from airis_mon.spec.words import NAME

API_GROUP = "airis.dev"
API_VERSION = "v1alpha1"
LATER_KINDS = ("PriceTable", "Settings")
"""Kinds that the design has and this version has not."""

_ANNOTATIONS = MapOf(Text(wanted="a key", longest=317), Text(pattern="^[^\\x00]*$", longest=10_000), "entry")
METADATA = Record(
    "Metadata",
    (
        Field("name", NAME, "Name of the document, unique among its kind.", required=True),
        Field("namespace", NAME, "Kubernetes namespace; not read elsewhere."),
        Field("labels", _ANNOTATIONS, "Kubernetes labels; not read elsewhere."),
        Field("annotations", _ANNOTATIONS, "Kubernetes annotations; not read elsewhere."),
    ),
)

KINDS = {
    "ModelMonitor": MONITOR,
    "Profile": PROFILE,
    "EscalationPolicy": ESCALATION_POLICY,
    "Receiver": RECEIVER,
    "Team": TEAM,
    "TimeInterval": TIME_INTERVAL,
    "Maintenance": MAINTENANCE,
}
"""Kind to the shape of its `spec`."""


def document(kind: str) -> Record:
    """Return the shape of a whole document of a kind; KeyError for a kind that is not in KINDS."""
    version = f"{API_GROUP}/{API_VERSION}"
    return Record(
        kind,
        (
            Field("apiVersion", Choice((version,)), f"Version of the format: {version}.", required=True),
            Field("kind", Choice((kind,)), "Kind of the document.", required=True),
            Field("metadata", METADATA, "Names the document.", required=True),
            Field("spec", KINDS[kind], "What the document says.", required=True),
        ),
    )

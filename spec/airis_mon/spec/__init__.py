"""The document: what a person writes, decoded into plain values.

Belongs here: the kinds (ModelMonitor, Profile, EscalationPolicy, Receiver, Team, TimeInterval,
Maintenance), their decoding with located errors, the same said in dialects of others (Sloth, OpenSLO), their
JSON Schema, and the form of a derived file.

Must not be here: series names, PromQL, sockets, files, clocks. This package does no I/O and imports no other
room; everything else imports it.
"""

from airis_mon.spec.artefacts import Artefact, yaml_text
from airis_mon.spec.bundle import Bundle
from airis_mon.spec.canary import USUAL_ALPHA, Canary
from airis_mon.spec.decode import Decoded, decode
from airis_mon.spec.drift import Distribution, Drift
from airis_mon.spec.integrations import (
    Discord,
    Email,
    Jira,
    Opsgenie,
    PagerDuty,
    SendGrid,
    Ses,
    Slack,
    Sns,
    Teams,
    Telegram,
    Webhook,
)
from airis_mon.spec.maintenance import Maintenance, Window
from airis_mon.spec.money import Cost, MoneyBudget
from airis_mon.spec.monitor import (
    CALENDAR_WINDOWS,
    CANDIDATES,
    LONGEST_TIME,
    LONGEST_WINDOW,
    READINGS,
    SHORTEST_TIME,
    SHORTEST_WINDOW,
    USUAL_TIME,
    Alerting,
    Anomaly,
    Band,
    BurnCondition,
    Calendar,
    Candidate,
    Errors,
    Events,
    Forecast,
    Fresh,
    Latency,
    Level,
    Marks,
    Model,
    Monitor,
    Objective,
    PageBudget,
    Past,
    Quality,
    Side,
    Source,
    Threshold,
)
from airis_mon.spec.nodes import Items, Limits, Node, Pairs, Scalar, compose
from airis_mon.spec.problems import NOWHERE, Location, Origin, Problem, SpecError
from airis_mon.spec.quantities import format_duration, format_percent, parse_duration, parse_percent
from airis_mon.spec.reading import REFUSED, Reading, did_you_mean, nearest
from airis_mon.spec.receivers import EscalationPolicy, Receiver, Step
from airis_mon.spec.records import Field, ListOf, MapOf, Record
from airis_mon.spec.scalars import Choice, Parsed, Text
from airis_mon.spec.schema import crd, json_schema
from airis_mon.spec.severity import Severity
from airis_mon.spec.time_intervals import MONTHS, WEEKDAYS, Recurrence, TimeInterval

__all__ = [
    "CALENDAR_WINDOWS",
    "CANDIDATES",
    "LONGEST_TIME",
    "LONGEST_WINDOW",
    "MONTHS",
    "NOWHERE",
    "READINGS",
    "REFUSED",
    "SHORTEST_TIME",
    "SHORTEST_WINDOW",
    "USUAL_ALPHA",
    "USUAL_TIME",
    "WEEKDAYS",
    "Alerting",
    "Anomaly",
    "Artefact",
    "Band",
    "Bundle",
    "BurnCondition",
    "Calendar",
    "Canary",
    "Candidate",
    "Choice",
    "Cost",
    "Decoded",
    "Discord",
    "Distribution",
    "Drift",
    "Email",
    "Errors",
    "EscalationPolicy",
    "Events",
    "Field",
    "Forecast",
    "Fresh",
    "Items",
    "Jira",
    "Latency",
    "Level",
    "Limits",
    "ListOf",
    "Location",
    "Maintenance",
    "MapOf",
    "Marks",
    "Model",
    "MoneyBudget",
    "Monitor",
    "Node",
    "Objective",
    "Opsgenie",
    "Origin",
    "PageBudget",
    "PagerDuty",
    "Pairs",
    "Parsed",
    "Past",
    "Problem",
    "Quality",
    "Reading",
    "Receiver",
    "Record",
    "Recurrence",
    "Scalar",
    "SendGrid",
    "Ses",
    "Severity",
    "Side",
    "Slack",
    "Sns",
    "Source",
    "SpecError",
    "Step",
    "Teams",
    "Telegram",
    "Text",
    "Threshold",
    "TimeInterval",
    "Webhook",
    "Window",
    "compose",
    "crd",
    "decode",
    "did_you_mean",
    "format_duration",
    "format_percent",
    "json_schema",
    "nearest",
    "parse_duration",
    "parse_percent",
    "yaml_text",
]
